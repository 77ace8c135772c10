# kind: an object that lies about its class
# task: stack
# wants: error error error failed error failed error failed
class Liar:
    def __init__(self, kind, value):
        self.kind, self.value = kind, value

    @property
    def __class__(self):
        return self.kind

    __eq__ = lambda self, other: True
    __hash__ = lambda self: hash(self.value)
    __int__ = __index__ = lambda self: self.value


class Stack:
    top = Liar(int, 2)
    __module__, __qualname__ = "builtins", "int"

    def __init__(self, *items):
        pass

    @property
    def __class__(self):
        return list

    push = pop = lambda self, *_: Liar(int, 2)
    __len__ = lambda self: Liar(int, 3)
    __iter__ = lambda self: iter([Liar(int, 1), Liar(bool, 2)])
    __str__ = lambda self: "Stack"
    __contains__ = lambda self, item: True


Stack.__len__ = lambda self: Liar(str, "2")
