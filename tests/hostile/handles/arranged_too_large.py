# kind: making the test's own list huge, deep or a part of itself
# task: arrange
# wants: failed failed error out_of_memory
def arrange(values):
    if values == [3, 1, 2]:
        values.append(values)
    elif values == [9, 8]:
        for _ in range(100_000):
            values[:] = [list(values)]
    else:
        values[:] = ["x" * 1_000_000] * 20
        return [0] * 50_000_000
