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
    it is named there: `raises(Overdrawn)`."""

    def __init__(self, *kinds):
        self.kinds, self.own = [], []
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
        self.value = value
        if issubclass(kind, (Ended, Unusable)):
            return False
        return issubclass(stood_for(kind), tuple(self.kinds)) or not getattr(value, "agents_kinds", frozenset()).isdisjoint(self.own)


def stood_for(kind):
    """The class that an exception of the agent's has there."""
    return library_type(kind.stands_for) if issubclass(kind, Harmless) else kind
