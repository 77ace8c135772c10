# kind: SIGSTOP to its group, and to everybody
# task: output
# wants: timeout
import os
import signal

print(42, flush=True)
try:
    os.kill(-1, signal.SIGSTOP)
except ProcessLookupError:
    pass
os.kill(0, signal.SIGSTOP)
