# kind: protocols that raise what is not theirs
# task: stack
# wants: error error error error error error error error
class Stack:
    def __init__(self, *items):
        self.items = items

    def push(self, item):
        pass

    def pop(self):
        if self.items == ():
            raise GeneratorExit

    @property
    def top(self):
        raise KeyboardInterrupt

    def __len__(self):
        raise SystemExit(0)

    def __str__(self):
        raise AssertionError("Stack(1, 2)")

    def __contains__(self, item):
        raise StopAsyncIteration

    def __iter__(self):
        raise StopIteration
