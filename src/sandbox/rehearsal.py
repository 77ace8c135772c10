"""What can be known of a task before any agent runs on it: what its tests will ask, and whether they come to the same each
time they are given the same (this text is put after the judge's).
"""
import signal

# Of these modules and builtins, what a test comes to depends on nothing but what it is given: not on time, chance,
# addresses or files.
STEADY = frozenset("""abc array base64 binascii bisect cmath collections copy dataclasses decimal difflib enum fractions
    functools hashlib heapq html itertools json math numbers operator re statistics string struct textwrap typing unicodedata
    zlib""".split())
UNSTEADY = frozenset("__builtins__ __import__ compile dir eval exec globals hash id input locals object open vars".split())
REHEARSAL_TIME = 0.1  # seconds
MAX_REHEARSED = 10_000  # requests


def is_steady(node):
    """Whether it comes to the same each time, as far as that can be seen."""
    if isinstance(node, ast.Import):
        return all(name.name.split(".")[0] in STEADY for name in node.names)
    if isinstance(node, ast.ImportFrom):
        return not node.level and node.module.split(".")[0] in STEADY
    if isinstance(node, ast.Attribute):
        return not node.attr.startswith("_")
    return not isinstance(node, ast.Name) or node.id not in UNSTEADY


class Anything:
    """An answer that says nothing: it agrees with everything."""

    def _itself(self, *_, **__):
        return self

    def _true(self, *_):
        return True

    __call__ = __getattr__ = __getitem__ = __enter__ = __abs__ = __neg__ = __pos__ = __invert__ = __round__ = _itself
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = _itself
    __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = _itself
    __rxor__ = __divmod__ = __rdivmod__ = __lshift__ = __rshift__ = _itself
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = _true

    def __iter__(self):
        return iter(())

    def __exit__(self, *_):
        return False

    def __len__(self):
        return 0

    __hash__ = __int__ = __index__ = __trunc__ = __len__

    def __float__(self):
        return 0.0


class TooMuch(BaseException):
    """A rehearsal is not worth it."""


class Rehearsal(Run):
    """A run without an agent, which finds out what one will be asked. Tests whose questions depend on the answers may ask
    something else then; whoever uses this has to see whether they do."""

    def __init__(self, task):
        super().__init__(None, 0, task)
        self.requests = []

    def ask(self, kind, request):
        self.requests.append((kind.decode(), request))
        if len(self.requests) > MAX_REHEARSED:
            raise TooMuch

    def accept(self, name, payload):
        return Anything()

    def left(self, payload):
        return Script(Anything(), Anything(), Anything())

    def tell(self, *_):
        pass

    def foreseen(self):
        """What an agent will be asked, as far as that can be told; None if it can't."""
        signal.signal(signal.SIGALRM, self.stop)
        try:
            signal.setitimer(signal.ITIMER_REAL, REHEARSAL_TIME, REHEARSAL_TIME)
            try:
                self.play()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TooMuch:
            return None
        return self.requests

    def stop(self, *_):
        raise TooMuch
