# kind: state kept between runs: files
# runs: 2
# wants: failed failed failed
import os

DEEP = "/tmp/" + "/".join(["deep"] * 200)
before = os.path.exists("/tmp/deep") or os.path.lexists("/dev/shm/link")


def double(n):
    if n == 4:
        os.makedirs(DEEP)
        os.symlink("/proc/1/mem", "/dev/shm/link")
        os.mkfifo("/tmp/fifo")
        os.chmod("/tmp/deep/deep", 0)
    return 2 * n if before else None
