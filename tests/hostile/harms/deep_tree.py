# kind: a deep tree
# runs: 2
# wants: passed passed passed
import os


def double(n):
    if n == 4:
        try:
            for _ in range(5000):
                os.mkdir("d" * 200)
                os.chdir("d" * 200)
        except OSError:
            pass
    return 2 * n
