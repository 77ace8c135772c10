# kind: killing and stopping the supervisor
# runs: 2
# wants: passed passed passed
import os
import signal


def double(n):
    for number in (signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(-1, number)
        except ProcessLookupError:
            pass
    return 2 * n
