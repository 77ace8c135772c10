# kind: leaving with success inside a test
# wants: error crashed error
import os
import sys


def double(n):
    if n == 4:
        sys.exit(0)
    if n == -3:
        os._exit(0)
    raise KeyboardInterrupt
