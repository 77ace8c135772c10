# kind: the machine's clock and name
# task: doors
# wants: passed
import os
import socket
import time


def works(call):
    try:
        call()
        return True
    except OSError:
        return False


def doors():
    attempts = {
        "clock": lambda: time.clock_settime(time.CLOCK_REALTIME, 0),
        "name": lambda: socket.sethostname("x"),
        "signal to the host's processes": lambda: os.kill(2_000_000, 0),
    }
    return [name for name, call in attempts.items() if works(call)]
