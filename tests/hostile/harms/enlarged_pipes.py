# kind: filling the pipes of all that share the user
# runs: 2
# wants: passed passed passed
import fcntl
import os

F_SETPIPE_SZ = 1031
pipes = []


def double(n):
    try:
        while len(pipes) < 100:
            pipes.append(os.pipe())
            fcntl.fcntl(pipes[-1][1], F_SETPIPE_SZ, 1 << 20)
            os.set_blocking(pipes[-1][1], False)
            os.write(pipes[-1][1], bytes(1 << 17))
    except OSError:
        pass
    return 2 * n
