# kind: the parent leaves, its children burn the CPU
# runs: 2
# wants: crashed crashed crashed
import os


def double(n):
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            while True:
                pass
    os._exit(0)
