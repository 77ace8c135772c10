# kind: a flood on the pipe of the answers
# runs: 2
# wants: failed failed failed
import os
import threading


def flood():
    claim = b'{"value": "late"}'
    while True:
        os.write(4, len(claim).to_bytes(4, "big") + b"v" + claim)


threading.Thread(target=flood, daemon=True).start()


def double(n):
    return "late"
