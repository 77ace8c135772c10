# kind: a child that holds the pipes open
# task: output
# wants: passed
import os
import time

print(42, flush=True)
if os.fork() == 0:
    os.setsid()
    time.sleep(1000)
