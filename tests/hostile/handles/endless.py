# kind: iteration that never ends
# task: stack
# wants: passed passed timeout timeout timeout timeout timeout timeout
import time


class Stack:
    top = 2

    def __init__(self, *items):
        pass

    def push(self, item):
        pass

    def pop(self):
        return 2

    def __len__(self):
        return 2

    def __iter__(self):
        n = 0
        while True:
            n += 1
            time.sleep(0.005)  # the agent's own time is used up, long before the judge's
            yield n

    def __str__(self):
        return "Stack(1, 2)"
