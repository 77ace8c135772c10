# kind: calls of the test's functions with what is too large, too deep or too many
# task: bounce
# wants: out_of_memory error out_of_memory error
deep = []
for _ in range(100_000):
    deep = [deep]


def bounce(function, n):
    for arguments in (["x" * 20_000_000], [deep], [[[]] * 3_000_000], [object()] * 100_000, [1 << 10_000_000], ["n"] * 3_000_000):
        try:
            function(*arguments)
        except BaseException:
            pass
    return -1
