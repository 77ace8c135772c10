# kind: claims on lines where nothing was asked, on others' lines, and on more lines than there are
# task: calls
# wants: error failed error error
import json
import os
import sys

WORDS = [
    {"line": 0}, {"line": 0, "value": 14}, {"line": 2, "value": 14}, {"line": -1, "value": 14}, {"line": 1}, {"line": 1, "value": 14}, {"line": True, "value": 14},
    {"line": 1, "ask": {"o": "__call__", "t": {"o": 0}, "a": [], "k": {}}}, {"line": 1, "ask": 3}, {"line": 3, "ask": None}, {"line": "0"}, {"line": [], "ask": {}},
    *({"line": n, "ask": {"o": "get", "t": {"o": 0}, "a": ["x"], "k": {}}} for n in range(5, 400, 7)), {"pass": True}, {"pass": True, "value": 14},
]  # fmt: skip


def speak():
    for word in WORDS:
        text = json.dumps(word).encode()
        os.write(4, len(text).to_bytes(4, "big") + b"v" + text)
        length = int.from_bytes(os.read(3, 4), "big")
        os.read(3, length + 1)


def total(counter, numbers):
    speak()
    os.write(4, b"\0\0\0\x02v{}")
    os.read(3, 1 << 16)
    return 14


def register(bus):
    speak()
    os.write(4, b'\0\0\0\x11v{"value": [8,10]}')
    os.read(3, 1 << 16)
