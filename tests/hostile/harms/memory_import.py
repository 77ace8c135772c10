# kind: memory bomb: on import
# wants: out_of_memory out_of_memory out_of_memory
keep = [bytes(1000) for _ in range(10_000_000)]
