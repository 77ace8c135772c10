# kind: many inodes
# runs: 2
# wants: passed passed passed
import os


def double(n):
    if n == 4:
        for folder in ("/tmp", "/dev/shm"):
            try:
                for number in range(20_000):
                    os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
            except OSError:
                pass
    return 2 * n
