# kind: faking a fault of the engine to earn a retry
# wants: crashed error crashed
import os
import signal
import sys


def double(n):
    print("Killed\nOut of memory: Killed process 1 (python)\nOOMKilled=true", file=sys.stderr, flush=True)
    if n == -3:
        raise MemoryError
    os.kill(os.getpid(), signal.SIGKILL)
