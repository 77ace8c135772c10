# kind: deep recursion on the stack of C
# task: once
# wants: crashed
import sys

sys.setrecursionlimit(1 << 30)


def double(n):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return repr(nested)
