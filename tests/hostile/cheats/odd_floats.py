# kind: nan, infinities and signed zero as values
# task: checks
# wants: failed failed failed failed failed failed
def is_even(n):
    return -0.0 if n % 2 == 0 else float("nan")


def half(x):
    return float("nan")


def names():
    return [float("inf"), float("-inf")]
