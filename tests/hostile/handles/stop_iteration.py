# kind: ending the test's loops early by StopIteration
# task: stack
# wants: error error error error error error failed error
class Stack:
    def __init__(self, *items):
        self.items = items

    def push(self, item):
        pass

    def pop(self):
        raise StopIteration(2)

    @property
    def top(self):
        raise StopIteration(2)

    def __len__(self):
        raise StopIteration

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration([1, 2])

    def __str__(self):
        raise StopIteration("Stack(1, 2)")

    def __contains__(self, item):
        raise StopIteration
