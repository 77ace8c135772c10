# kind: memory bomb: list
# task: once
# wants: out_of_memory
def double(n):
    rows = []
    while True:
        rows.append([n] * 100_000)
