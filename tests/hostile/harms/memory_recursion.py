# kind: memory bomb: recursion
# wants: out_of_memory out_of_memory out_of_memory
import sys

sys.setrecursionlimit(1 << 30)


def double(n):
    kept = [n] * 1000
    return double(n) or kept
