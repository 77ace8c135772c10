# kind: an object that has every attribute and is all protocols at once
# task: stack
# wants: error error error error error failed error failed
class Meta(type):
    def __getattr__(cls, name):
        return cls()

    def __instancecheck__(cls, thing):
        return True

    __subclasscheck__ = __instancecheck__
    __eq__ = lambda cls, other: True
    __hash__ = lambda cls: 1


class Stack(metaclass=Meta):
    def __init__(self, *items):
        pass

    def __getattr__(self, name):
        return Stack()

    def __call__(self, *_, **__):
        return Stack()

    def __getitem__(self, place):
        if place == 2:
            raise IndexError
        return Stack()

    __len__ = __str__ = __index__ = __int__ = __next__ = __call__
    __contains__ = lambda self, item: True
