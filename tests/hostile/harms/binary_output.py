# kind: NUL, invalid UTF-8 and one very long line
# task: output
# wants: failed
import os

os.write(1, bytes(range(256)) + b"\0" * 1000 + b"\xff\xfe\xed\xa0\x80" + b"x" * 50_000)
os.write(2, b"\x1b]0;owned\x07\x1b[2J" + b"\xc3" * 2000)
