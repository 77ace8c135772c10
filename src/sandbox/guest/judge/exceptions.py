"""`raises`, and how a run ends that no test can catch (this text is put before the judge's)."""


# Not Exceptions: an assertion that catches `Exception`, or `raises(Exception)`, must not take these for its own.
class Ended(BaseException):
    """The agent's process ended, or was ended, in the middle of a call."""


class Unusable(BaseException):
    """The agent gave nothing that an assertion could look at: no such function, no plain data."""


class Unasked(BaseException):
    """A question of a message, which decides nothing: it is not put to the agent."""


class raises:
    """`with raises(ValueError): ...` holds if the block raises that exception. An exception of the agent's own is named as
    it is named there: `raises(Overdrawn)`. With `match`, a pattern must be found in its text, too."""

    def __init__(self, *kinds, match=None):
        self.kinds, self.own, self.pattern = [], [], re.compile("" if match is None else match)
        for kind in kinds:
            self.add(kind)
        if not self.kinds and not self.own:
            raise TypeError("raises takes exception types")

    def add(self, kind):
        if type(kind) is Member:
            self.own.append(member_of(kind)[2])
        elif issubclass(type(kind), Proxy):
            self.own.append(link_of(kind).name)
        elif isinstance(kind, tuple):
            for one in kind:
                self.add(one)
        elif isinstance(kind, type) and issubclass(kind, BaseException):
            self.kinds.append(kind)
        else:
            raise TypeError("raises takes exception types")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind is None:
            names = [k.__name__ for k in self.kinds] + self.own
            raise AssertionError(f"{' or '.join(names)} was not raised")
        self.value, self.type = value, type_of(value)
        if issubclass(kind, (Ended, Unusable)):
            return False
        is_wanted = issubclass(stood_for(kind), tuple(self.kinds)) or not vars(value).get("agents_kinds", frozenset()).isdisjoint(self.own)
        return is_wanted and self.match(self.pattern)

    def match(self, pattern):
        """True if the pattern is found in the exception's text; else a failed assertion, as of pytest's method."""
        pattern = re.compile(pattern)
        if pattern.pattern and not pattern.search(text := str(self.value)):
            raise FAILURES.failed(f"the text of the {type(self.value).__name__}, {brief(text)}, has no match for {brief(pattern.pattern)}")
        return True


def raised_by(expecting):
    """`raises` where it is no block's: `raises(KeyError, pop, "a")` calls what follows the exception, as pytest's does. Other exceptions may
    follow as well; then it is to be a block's later."""

    def expected(kind, *rest, **named):
        if not rest or all(isinstance(one, type) and issubclass(one, BaseException) for one in rest):
            return expecting(kind, *rest, **named)
        block = expecting(kind)
        with Managed(block):
            rest[0](*rest[1:], **named)
        return block

    return expected


def stood_for(kind):
    """The class that an exception of the agent's has there."""
    return library_type(kind.stands_for) if issubclass(kind, Harmless) else kind
