# kind: deep recursion on the stack of C
# task: once
# wants: crashed


def double(n):
    nested = iter([n])
    for _ in range(1_000_000):
        nested = filter(None, nested)  # each asks the one below it, in C, which no limit of Python's counts
    return next(nested)
