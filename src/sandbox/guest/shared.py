"""Containers that both sides hold on to: a list that a constructor keeps, or one that a method gives out. Each side has its own,
and with each word that it says it tells what has become of it. So it is with those that a call was given which is under way, where what
is called within it may look at them (this text is put behind library.py).
"""
import _operator as operator

MAX_SHARED = 1000  # containers
MAX_FOLLOWED = 100_000  # items of one; a larger one is not followed
MAX_LOOKS = 20_000_000  # in a run, at items of containers that calls under way were given: half a second's work
TELLING_COSTS = 20  # times what a look at an item costs
# References to a container that its keeper has let go of: the exchange's list, a loop's variable, and the count itself.
UNHELD = 3


def snapshot(container):
    """The content of a container, to see later whether it holds it still."""
    if type(container) is bytearray or hasattr(container, "tobytes"):
        return [bytes(container)]
    return [*container, *container.values()] if isinstance(container, dict) else [*container]


def is_same(one, other):
    return len(one) == len(other) and (all(map(operator.is_, one, other)) or type(one[0]) is bytes and one == other)


class Shares:
    """The containers that a side shares with the other, by keys that either side may give out."""

    def __init__(self, first_key):
        self.next_key, self.containers, self.keys, self.snapshots = first_key, {}, {}, {}
        self.looks, self.is_telling = 0, False

    def add(self, key, container):
        if len(self.containers) < MAX_SHARED and len(container) <= MAX_FOLLOWED and id(container) not in self.keys:
            self.containers[key], self.keys[id(container)] = container, key
            self.snapshots[key] = snapshot(container)

    def give_keys(self, coder, tops):
        """Begins to share an exchange's containers where one of them is held on to, or what one is in; their keys and places."""
        mutables, carriers = coder.mutables, coder.carriers
        held = any(sys.getrefcount(it) > UNHELD + (id(it) not in tops) for it in carriers)
        carriers.clear()  # what is in them is held by these
        held = held or any(sys.getrefcount(it) > UNHELD + (id(it) not in tops) for it in mutables)
        return self.begun(mutables) if held else []

    def begun(self, mutables):
        """Begins to share those containers that are not shared; their keys and places."""
        told = []
        for place, container in enumerate(mutables):
            if id(container) not in self.keys and len(container) <= MAX_FOLLOWED and len(self.containers) < MAX_SHARED:
                told.append([self.next_key, place])
                self.add(self.next_key, container)
                self.next_key += 2
        return told

    def take_keys(self, mutables, told):
        for key, place in told:
            if type(key) is not int or (key - self.next_key) % 2 == 0 or key in self.containers:
                raise TypeError
            self.add(key, mutables[place])

    def news(self, peer):
        """The containers that have changed since they were told or heard of last, with what they hold, and the keys of what is new in them."""
        return self.told(lambda: self.changed(peer))

    def told(self, telling):
        """The end of some telling; nothing within a question that it takes itself, as where a container holds a method of the other side's."""
        if self.is_telling:
            return []
        self.is_telling = True
        try:
            return telling()
        finally:
            self.is_telling = False

    def changed(self, peer):
        told = []
        for key, container in [*self.containers.items()]:
            now = snapshot(container)
            if not is_same(now, self.snapshots[key]):
                coder = Coder(peer)
                told.append([key, coder.content(container), self.begun(coder.mutables)])
                self.snapshots[key] = now
        return told

    def hear(self, peer, told):
        for key, content, begun in told:
            coder = Coder(peer)
            coder.refill(self.containers[key], content)
            self.snapshots[key] = snapshot(self.containers[key])
            self.take_keys(coder.mutables, begun)

    def around(self, coders):
        """The containers of calls under way that have changed since they were told or heard of last."""
        return self.told(lambda: self.changed_around(coders))

    def changed_around(self, coders):
        told = []
        for level, coder in enumerate(coders):
            for place, before in enumerate(coder.seen):
                container = coder.mutables[place]
                self.looks += 1 + len(container)
                is_changed = self.looks < MAX_LOOKS and not is_same(snapshot(container), before)
                self.looks += TELLING_COSTS * is_changed * len(container)
                if is_changed and (content := content_now(coder, container)) is not None:
                    told.append([level, place, content])
                    note_content(coder, place)
        return told

    def hear_around(self, coders, told):
        for level, place, content in told:
            if not (type(level) is type(place) is int and level >= 0 <= place):
                raise TypeError
            coder = coders[level]
            coder.refill(coder.mutables[place], content)
            note_content(coder, place)


def content_now(coder, container):
    """The content of a container, as its call tells it; None of one that can't be told, with which the call's end has to do."""
    count, known = len(coder.mutables), len(coder.peer.kinds)
    try:
        return coder.content(container)
    except NotPlain:
        coder.peer.forget_kinds(known)
        for new in coder.mutables[count:]:
            del coder.places[id(new)]
        del coder.mutables[count:]
        return None


def note_content(coder, place):
    """Notes what a container holds, and all others that it brought along."""
    coder.is_followed, new = True, coder.mutables[len(coder.seen) :]
    coder.seen[place] = snapshot(coder.mutables[place])
    coder.seen += map(snapshot, new)
