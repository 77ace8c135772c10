# kind: killing and stopping the supervisor
# runs: 2
# wants: passed passed passed
import os
import signal


def double(n):
    for number in range(1, signal.NSIG):
        os.kill(1, number)
    return 2 * n
