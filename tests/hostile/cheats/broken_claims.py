# kind: claims that are no values, to break who reads them
# wants: error error error
import sys

harness = sys._getframe(1).f_globals
send = harness["Wire"].put

CLAIMS = {
    4: b'{"value": ' + b"[" * 900_000,
    -3: b'{"value": {"t": [1], "t": {"i": {}}}}',
    "ab": b'{"value": {"d": [[{"d": []}, NaN]]}}\xff\0',
}


harness["Wire"].put = lambda wire, *_: send(wire, b"v", claim)


def double(n):
    global claim
    claim = CLAIMS[n]
