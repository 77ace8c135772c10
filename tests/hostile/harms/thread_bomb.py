# kind: fork bomb, by threads
# runs: 2
# wants: passed passed passed
import threading

gate = threading.Event()


def double(n):
    try:
        while True:
            threading.Thread(target=gate.wait, daemon=True).start()
    except RuntimeError:
        return 2 * n
