# kind: a value that lies about its type
# wants: error error error
class Liar:
    def __init__(self, kind):
        self.kind = kind

    @property
    def __class__(self):
        return self.kind

    def __eq__(self, other):
        return True

    def __int__(self):
        return 8

    __index__ = __int__


def double(n):
    return Liar({4: int, -3: list}.get(n, str))
