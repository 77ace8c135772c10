# kind: SIGSTOP to its group, and to everybody
# task: output
# wants: timeout
import os
import signal

print(42, flush=True)
os.kill(-1, signal.SIGSTOP)
os.kill(0, signal.SIGSTOP)
