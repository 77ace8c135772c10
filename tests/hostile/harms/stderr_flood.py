# kind: stderr flood
# wants: output_limit output_limit output_limit
import os

while True:
    os.write(2, b"x" * 65536)
