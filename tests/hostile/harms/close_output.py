# kind: closing all descriptors in mid-dialogue
# task: output
# wants: timeout
import os
import time

os.write(1, b"42\n")
os.closerange(0, 256)
time.sleep(1000)
