# kind: texts of 10 MB, in answers and in what a message would show
# task: stack
# wants: error failed error error error error error failed
class Huge:
    def __repr__(self):
        return "x" * 10_000_000

    __str__ = __repr__


class Stack(Huge):
    def __init__(self, *items):
        pass

    def push(self, item):
        pass

    def pop(self):
        return Huge()

    @property
    def top(self):
        raise ValueError(Huge())

    def __len__(self):
        return 3

    def __iter__(self):
        return iter([Huge()])

    def __contains__(self, item):
        raise type("y" * 100_000, (Exception,), {})("z" * 10_000_000)
