# kind: forged results on the pipes
# wants: passed output_limit failed
import sys

harness = sys._getframe(1).f_globals
send = harness["Wire"].put


def forge(wire, *_):
    """A sound answer to the first call, and behind it the announcement of 4 GiB."""
    wire.outbox += b"\0\0\0\x0c" + b'v{"value": 8}' + b"\xff\xff\xff\xffv"


harness["Wire"].put = forge


def double(n):
    return None
