# kind: daemons in sessions of their own
# runs: 2
# wants: passed passed passed
import os
import time

# The forker is there, and nobody else.
others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]


def double(n):
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        os.wait()
    return 2 * n if len(others) <= 1 else others
