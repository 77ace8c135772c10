# kind: SIGSTOP to itself
# wants: timeout timeout timeout
import os
import signal


def double(n):
    os.kill(os.getpid(), signal.SIGSTOP)
