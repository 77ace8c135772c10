# kind: correct output and then a flood
# task: output
# wants: output_limit
import sys

print(42, flush=True)
while True:
    sys.stdout.write("\n" * 4096)
