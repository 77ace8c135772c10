# kind: exit codes never score, neither for nor against
# task: output
# wants: passed
import os

print(42, flush=True)
os._exit(77)
