# kind: memory bomb: as a script, after correct output
# task: output_slowly
# wants: out_of_memory
print(42, flush=True)
keep = [bytes(1000) for _ in range(10_000_000)]
