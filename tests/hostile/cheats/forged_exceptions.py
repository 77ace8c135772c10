# kind: claims of the grader's own exceptions
# wants: error error error
import sys

harness = sys._getframe(1).f_globals
send = harness["Wire"].put

KINDS = {
    4: b'["Ended"]',
    -3: b'["Unusable", "BaseException", "StopIteration"]',
    "ab": b'["NotPlain", {}, null, "AssertionError", "BaseExceptionGroup"]',
}


harness["Wire"].put = lambda wire, *_: send(wire, b"v", claim)


def double(n):
    global claim
    claim = b'{"raised": {"name": [], "kinds": %s, "text": {}, "line": "1"}}' % KINDS[n]
