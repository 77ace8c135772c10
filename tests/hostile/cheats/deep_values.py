# kind: deep and circular values, to break who reads them
# wants: error failed error
def double(n):
    value = []
    if n == -3:
        value.append(value)
        return value
    for _ in range(100_000 if n == 4 else 101):
        value = {"k": value} if n == 4 else (value,)
    return value
