# kind: a flood of signals to the supervisor
# runs: 2
# wants: passed passed passed
import os
import signal
import time

if os.fork() == 0:
    os.setsid()
    while True:
        os.kill(1, signal.SIGCHLD)


def double(n):
    time.sleep(0.1)
    return 2 * n
