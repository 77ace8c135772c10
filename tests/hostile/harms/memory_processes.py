# kind: memory bomb: many small processes, so that the supervisor is the largest
# task: once
# wants: out_of_memory
import os
import signal
import time

for _ in range(24):
    if os.fork() == 0:
        rows = []
        while True:
            rows.append(b"x" * 5_000)
            time.sleep(0)
os.wait()
os.kill(os.getpid(), signal.SIGKILL)
