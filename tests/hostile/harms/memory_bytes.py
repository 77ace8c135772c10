# kind: memory bomb: one large value
# wants: out_of_memory out_of_memory out_of_memory
def double(n):
    return b"x" * (1 << 30)
