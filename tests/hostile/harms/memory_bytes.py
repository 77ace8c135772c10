# kind: memory bomb: one large value
# task: once
# wants: out_of_memory
def double(n):
    return b"x" * (1 << 30)
