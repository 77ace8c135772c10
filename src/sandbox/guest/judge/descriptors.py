"""The agent's descriptors in classes of the test's, and the test's in classes of the agent's (this text is put behind agent_objects.py)."""


def describing(op):
    """A question to an object of the agent's that a class of the test's holds. It gets to see that class, and its instances, only where the test has made it
    by its own class's name: in the place of plain data it would look for what the test expects."""

    def method(self, *args):
        if link_of(self).made:
            return link_of(self).peer.ask(op, self, args)
        if op == "__get__":
            return self
        if op != "__set_name__":
            raise Unusable(f"{link_of(self).name or type(self).__name__}, in a class of the test's, is a descriptor that the test has not made by its name")

    return method


OFFERED |= {op: describing(op) for op in DESCRIBING}


def described_anew(value):
    """The kind and the functions of a descriptor of the test's, of which one is made where the agent's class is; None for other values."""
    if isinstance(value, property):
        return ("property", value.fget, value.fset, value.fdel)
    if isinstance(value, classmethod):
        return ("classmethod", value.__func__)
    if "unittest.mock" in sys.modules and isinstance(value, sys.modules["unittest.mock"].PropertyMock):
        return ("property", lambda it: value(), lambda it, new: value(new), None)
    return None
