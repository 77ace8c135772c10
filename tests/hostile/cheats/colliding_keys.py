# kind: values that are slow to look at, to stall the judge
# wants: timeout timeout timeout
import sys

harness = sys._getframe(1).f_globals
send = harness["Wire"].put

MODULUS = (1 << 61) - 1  # numbers that differ by a multiple of it have the same hash
numbers = ",".join(str(MODULUS * k) for k in range(1, 44_000))
claim = f'{{"value":{{"s":[{numbers}]}}}}'.encode()
harness["Wire"].put = lambda wire, *_: send(wire, b"v", claim)


def double(n):
    return None
