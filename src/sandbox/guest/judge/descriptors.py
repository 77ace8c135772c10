"""The agent's descriptors in classes of the test's (this text is put behind agent_objects.py)."""


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
