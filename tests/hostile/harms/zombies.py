# kind: zombies
# runs: 2
# wants: passed passed passed
import os

for _ in range(25):
    if os.fork() == 0:
        os._exit(0)


def double(n):
    return 2 * n
