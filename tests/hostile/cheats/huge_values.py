# kind: huge values, to break who reads them
# wants: error failed error
def double(n):
    if n == 4:
        return 1 << 10_000_000
    return 1 << 100_000 if n == -3 else "x" * 3_000_000
