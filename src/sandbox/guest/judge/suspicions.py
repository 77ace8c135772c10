"""Suspicions of a dry run: what tests ask of objects that they make by a class's name, and that only the agent's word could answer
(this text is put behind answers.py).
"""


class Made(Anything):
    """An object that a test makes by a class's name. Whatever is done with it is told to `suspect`, if it is the class's to decide."""

    then = property(lambda self: Anything())

    def __init__(self, name, suspect):
        self.__name, self.__suspect = name, suspect  # no names of the agent's

    def _compared(symbol):
        def compare(self, other):
            self._itself()
            if other is not self and other is not None:  # which Python decides
                self.__suspect(symbol, self.__name)
            return True

        return compare

    def _decided(symbol, value):
        def decide(self):
            self._itself()
            self.__suspect(symbol, self.__name)
            return value(self)

        return decide

    __eq__, __ne__, __lt__ = map(_compared, ("==", "!=", "<"))
    __le__, __gt__, __ge__ = map(_compared, ("<=", ">", ">="))
    __hash__ = _decided("hash", object.__hash__)
    __bool__ = _decided("truth", lambda _: True)
    __len__ = _decided("len", lambda _: 0)


class Suspicions:
    """Questions of tests whose answer would be the agent's word about its own object: they pass for no agent whose class answers them."""

    def __init__(self, prompt):
        self.found, self.sized, self.last = {}, set(), None
        self.is_told = re.search(r"__(?:eq|hash|bool|len)__", prompt) is not None
        self.is_plain = re.search(r"(?i)\benum|\bnamed ?tuple|\bsingleton|\bsubclass", prompt) is not None

    def note(self, test, line, symbol, name):
        if symbol == "len":
            return self.sized.add(name)
        self.last = Anything.touched, (test, symbol)
        self.found.setdefault((test, symbol), Suspicion(test, line, symbol, name))

    def end(self, error):
        """Ends a test. Where nothing is looked at after an object, and what is asserted then does not hold, it rests on that one."""
        if isinstance(error, (AssertionError, KeyError)) and self.last and self.last[0] == Anything.touched:
            self.found[self.last[1]].is_certain = True
        self.last = None

    def flaws(self):
        return [] if self.is_plain else [it.flaw() for it in self.found.values() if self.is_due(it)]

    def is_due(self, it):
        """A class seldom has a hash or a truth of its own, and each test may use Python's."""
        return it.symbol not in ("hash", "truth") or it.is_certain or self.is_told or it.symbol == "truth" and it.name in self.sized


class Suspicion:
    def __init__(self, test, line, symbol, name):
        self.test, self.line, self.symbol, self.name, self.is_certain = test, line, symbol, name, False

    def flaw(self):
        asked = f"the {self.symbol}" if self.symbol.isalpha() else f"`{self.symbol}`"
        message = (
            f"{asked} of what {self.name}(...) makes is not the agent's to decide, so no agent passes whose class defines it; "
            "compare plain parts, such as its attributes, list(...) or str(...)"
        )
        return {"test": self.test, "line": self.line, "message": message}
