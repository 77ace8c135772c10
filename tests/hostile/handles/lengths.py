# kind: lengths that make lists too large before they have an item
# task: stack
# wants: passed failed failed failed passed failed failed passed
class Stack:
    """Right but for its length, and where that is looked at for a hint."""

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
        return 10**9

    def __length_hint__(self):
        return 10**12

    def __iter__(self):
        self.rest = iter(self.items[::-1])
        return self

    def __next__(self):
        return next(self.rest) if len(self.items) > 1 and self.items[0] != 7 else next(iter(()))

    def __contains__(self, item):
        return True
