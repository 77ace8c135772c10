# kind: memory bomb: recursion
# task: once
# wants: out_of_memory
import sys

sys.setrecursionlimit(1 << 30)


def double(n):
    kept = [n] * 1000
    return double(n) or kept
