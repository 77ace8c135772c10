# kind: memory bomb: list
# wants: out_of_memory out_of_memory out_of_memory
def double(n):
    rows = []
    while True:
        rows.append([n] * 100_000)
