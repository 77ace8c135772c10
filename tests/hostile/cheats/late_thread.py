# kind: a thread that answers later and better
# wants: failed failed failed
import json
import os
import threading
import time


def improve(value):
    time.sleep(0.02)
    claim = json.dumps({"value": value}).encode()
    os.write(4, len(claim).to_bytes(4, "big") + b"v" + claim)


def double(n):
    threading.Thread(target=improve, args=(n * 2,), daemon=True).start()
    return 0
