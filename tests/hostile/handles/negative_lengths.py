# kind: lengths, hashes and places that are no numbers
# task: stack
# wants: passed error error failed passed error error failed
class Stack:
    top = 2

    def __init__(self, *items):
        pass

    def push(self, item):
        pass

    def pop(self):
        return 2

    def __len__(self):
        return -1

    __length_hint__ = __hash__ = __index__ = __len__

    def __getitem__(self, place):
        return [][-1]["x"]

    def __iter__(self):
        return 5

    def __contains__(self, item):
        raise OverflowError
