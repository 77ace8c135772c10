# kind: memory bomb: on import
# task: once
# wants: out_of_memory
keep = [bytes(1000) for _ in range(10_000_000)]
