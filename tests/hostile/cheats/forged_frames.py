# kind: forged results on the pipes
# wants: error error error
import sys

harness = sys._getframe(1).f_globals
send = harness["Wire"].put


def forge(wire, *_):
    claim = b'{"test": 0, "verdict": "passed", "stdout": "abab", "code": 0, "oom_kills": 0, "clean": true}'
    for kind in b"pdrlekstxo":
        send(wire, bytes([kind]), claim)


harness["Wire"].put = forge


def double(n):
    return 2 * n
