# kind: output by a child after its parent has left
# task: output
# wants: failed
import os
import time

if os.fork() == 0:
    os.setsid()
    time.sleep(0.3)
    os.write(1, b"42\n")
os._exit(0)
