# kind: a link, a pipe or a folder in place of a file that is written
# runs: 2
# wants: passed passed passed
import os


def double(n):
    os.path.isdir("/tmp/agent.py") or os.unlink("/tmp/agent.py")
    if n == 4:
        os.mkfifo("/tmp/agent.py")
    elif n == -3:
        os.symlink("/dev/zero", "/tmp/agent.py")
    else:
        os.mkdir("/tmp/agent.py")
    return 2 * n
