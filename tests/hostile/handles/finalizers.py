# kind: finalizers that raise and bring back what the test lets go
# task: stack
# wants: passed passed passed passed passed passed passed passed
# Right answers; what its finalizers do must neither be seen by a test that had its answer nor stop the next one.
import gc


class Stack:
    def __init__(self, *items):
        self.items = list(items)

    def push(self, item):
        self.items.append(item)

    def pop(self):
        return self.items.pop()

    @property
    def top(self):
        return self.items[-1]

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)

    def __str__(self):
        gc.collect()
        return f"Stack({', '.join(map(str, self.items))})"

    def __del__(self):
        self.__class__.last = self
        raise SystemExit(0)
