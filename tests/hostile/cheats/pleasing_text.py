# kind: subclasses of builtins with pleasing operators
# wants: error error error
class Text(str):
    __eq__ = lambda self, other: True
    __hash__ = str.__hash__
    __str__ = __getitem__ = encode = lambda self, *_: "abab"


class Dict(dict):
    items = lambda self: [("n", 8)]
    keys = __iter__ = lambda self: iter(["n"])
    __eq__ = lambda self, other: True


def double(n):
    return Dict(n=0) if n == 4 else Text("wrong")
