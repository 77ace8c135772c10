"""Pasts: what names and methods of the other side stood for before this side gave them another meaning (this text is put before proxies.py).

A name that a test has, or a method that it keeps, is looked up when it is used. Once `agent.helper` is replaced, as by `patch`, it would be the
replacement; who has held it from before holds what it was then, as in one process.
"""

NOTHING = object()


class Pasts:
    def __init__(self, peer):
        self.peer, self.now, self.held, self.values = peer, 0, set(), {}

    def hold(self, owner, name):
        """Notes that something holds such a name from now on; the moment."""
        self.held.add(self.key(owner, name))
        return self.now

    def keep(self, owner, name):
        """Keeps what a name stands for, if anything holds it: it is about to stand for something else."""
        key = self.key(owner, name)
        if key not in self.held:
            return
        try:
            value = self.peer.attribute(owner, name)
        except self.peer.ending:
            raise
        except BaseException:
            return  # it has stood for nothing
        self.now += 1
        self.values.setdefault(key, []).append((self.now, value))

    def since(self, moment, owner, name):
        """The value that a name had at that moment; NOTHING if it still has it."""
        return next((value for end, value in self.values.get(self.key(owner, name), ()) if end > moment), NOTHING)

    def key(self, owner, name):
        return (None if owner is None else link_of(owner).number, name)
