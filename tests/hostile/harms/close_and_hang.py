# kind: closing all descriptors in mid-dialogue
# wants: timeout timeout timeout
import os
import time


def double(n):
    os.closerange(0, 256)
    time.sleep(1000)
