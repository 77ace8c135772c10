"""Answers of a dry run, in which no agent answers: they say nothing, and agree with everything (this text is put before dry_run.py).
"""
MARK = "\0an answer\0"  # what an answer that says nothing is as text
MAX_TOUCHED = 20_000  # looks at answers: more is a loop that only an answer ends


class TooMuch(BaseException):
    """A dry run that can't go on: what comes next depends on an answer."""


class Anything:
    """An answer that says nothing: it agrees with everything."""

    touched = 0
    decided = 0  # looks whose answer a test may go by

    then = property(lambda self: self)  # what comes of anything that is done with it

    def _itself(self, *_, **__):
        Anything.touched += 1
        if Anything.touched > MAX_TOUCHED:
            raise TooMuch
        return self.then

    def _true(self, *_):
        self._itself()
        Anything.decided += 1
        return True

    __call__ = __getattr__ = __getitem__ = __enter__ = __abs__ = __neg__ = __pos__ = __invert__ = __round__ = _itself
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = _itself
    __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = _itself
    __rxor__ = __divmod__ = __rdivmod__ = __lshift__ = __rshift__ = _itself
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = _true

    def _nothing(self):
        self._itself()
        Anything.decided += 1
        return 0

    __len__ = __hash__ = __int__ = __index__ = __trunc__ = _nothing

    def __iter__(self):
        return iter(range(self._nothing()))

    def __exit__(self, *_):
        return self._nothing() > 0

    def __float__(self):
        return float(self._nothing())

    def __str__(self):
        return MARK[self._nothing() :]

    __repr__ = __str__

    def __format__(self, _):
        return str(self)


# Methods of a text that give one.
OF_TEXT = set("strip lstrip rstrip lower upper title capitalize swapcase casefold replace removeprefix removesuffix expandtabs".split())


class AnyText(Anything):
    """The output of a program: it says nothing, but is a text whatever the agent does, and has no attribute that texts have not."""

    def __getattr__(self, name):
        if not hasattr(str, name):
            near = next(iter(close_names(name, dir(str))), None)
            raise Misused(f"what a program prints is a text, and a text has no {name}{f'; did you mean {near}?' if near else ''}")
        self._itself()
        return self if name in OF_TEXT else Anything()


def close_names(name, known):
    import difflib

    return difflib.get_close_matches(name, known, 1, 0.7)
