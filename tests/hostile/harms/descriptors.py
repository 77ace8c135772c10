# kind: exhausting descriptors
# runs: 2
# wants: passed passed passed
import os

kept = []


def double(n):
    try:
        while True:
            kept.extend(os.pipe())
    except OSError:
        return 2 * n
