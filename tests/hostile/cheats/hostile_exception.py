# kind: exceptions that hurt whoever looks at them
# wants: error error error
class Meta(type):
    __name__ = property(lambda cls: "N" * 10_000_000)


class Nasty(Exception, metaclass=Meta):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __str__


def double(n):
    if n == 4:
        raise Nasty
    if n == -3:
        raise Exception("x" * 10_000_000)
    try:
        raise Nasty from Nasty()
    except Nasty as nasty:
        nasty.__context__ = None
        raise
