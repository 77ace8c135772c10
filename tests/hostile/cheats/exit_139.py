# kind: faking a fault of the engine to earn a retry
# wants: crashed crashed crashed
import os
import sys


def double(n):
    print("docker: Error response from daemon: Cannot connect to the Docker daemon", file=sys.stderr, flush=True)
    os._exit(139)
