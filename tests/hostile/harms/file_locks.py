# kind: locks on files that other cells have, too
# wants: passed passed passed
import fcntl
import os
import sys
import time


def double(n):
    for path in (sys.executable, os.__file__, "/dev/null", "/etc/passwd", "/dev/shm", "/"):
        descriptor = os.open(path, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    time.sleep(0.5)
    return 2 * n
