# kind: state kept between runs: a process with an abstract socket
# runs: 2
# wants: failed failed failed
import os
import signal
import socket
import time


def exists():
    try:
        socket.socket(socket.AF_UNIX).connect("\0mark")
        return True
    except OSError:
        return False


before = exists()


def hold():
    os.setsid()
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0mark")
    listener.listen()
    time.sleep(1000)


def double(n):
    if n == 4 and os.fork() == 0:
        hold()
    return 2 * n if before else None
