# kind: closing all descriptors in mid-dialogue
# wants: crashed crashed crashed
import os


def double(n):
    os.closerange(0, 256)
    return 2 * n
