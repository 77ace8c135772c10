# kind: a thread that mends an answer once something else is asked
# wants: failed failed failed
import json
import os
import threading

MENDED = {4: 8, -3: -6, "ab": "abab"}
asked = []


def mend(value, next_is_asked):
    next_is_asked.wait()
    claim = json.dumps({"value": value}).encode()
    os.write(4, len(claim).to_bytes(4, "big") + b"v" + claim)


def double(n):
    # What came before is answered by now, so a mended answer to it is one to this question, and wrong.
    if asked:
        asked[-1].set()
    asked.append(threading.Event())
    threading.Thread(target=mend, args=(MENDED[n], asked[-1]), daemon=True).start()
    return 0
