# kind: an attribute that is something else at each look
# task: stack
# wants: failed failed failed failed failed failed failed failed
class Stack:
    looks = 0

    def __init__(self, *items):
        pass

    def _next(self, *_):
        Stack.looks += 1
        return Stack.looks + 10

    push = pop = __len__ = _next
    top = property(_next)
    __iter__ = lambda self: iter([self._next(), self._next()])
    __str__ = lambda self: f"Stack({self._next()})"
    __contains__ = lambda self, item: self._next() < 0
