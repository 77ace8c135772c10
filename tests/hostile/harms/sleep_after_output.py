# kind: sleeping past the limit after correct output
# task: output
# wants: timeout
import time

print(42, flush=True)
time.sleep(1000)
