# kind: locks on files that other cells have, too
# wants: passed passed passed
import fcntl
import os
import sys
import time


for path in (sys.executable, os.__file__, "/dev/null", "/etc/passwd", "/dev/shm", "/"):
    fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)


def double(n):
    time.sleep(0.3)
    return 2 * n
