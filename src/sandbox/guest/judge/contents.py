"""Contents: what an object of the agent's holds whose class is made of a builtin one, such as a `class Found(list)`.

Where a test expects plain data, it is that content which decides: it has a length, items and an order, whatever the methods of the class say, or do
when they are asked. An object that the test has made by a class's name, and what the methods of its class make of it, have their own ways (this text is
put before agent_objects.py).
"""

NO_CONTENT = object()
# Operations that look at the content, and which a class may have in its own way.
OF_CONTENT = frozenset("__len__ __iter__ __reversed__ __getitem__ __contains__".split())
# Methods of a dict and a list that look at the content.
LOOKING = frozenset("keys values items get copy".split())
# Questions that only look: what was seen of a content before them holds behind them.
LOOKS = frozenset((*OF_CONTENT, "data", "get", "isinstance", "__str__", "__repr__", "__format__"))
# Methods by which something is taken away. They are given what is there, so silence says that it was.
TAKING_AWAY = frozenset("__delitem__ remove discard pop subtract difference_update intersection_update symmetric_difference_update".split())


class Contents:
    """The part of the test's side that knows contents."""

    def data(self, value):
        """The content of an object whose class is made of a builtin one, as that."""
        if not issubclass(type(value), Proxy) or (kind := DATA_KINDS.get(about_of(value).builtin)) is None:
            return value
        link = link_of(value)
        at, data = self.contents.get(link.number, (None, None))
        if at != self.questions and (at is None or link.made or link.is_kin):
            data = self.ask("data", value)
            if type(data) is not kind:
                raise Unusable(f"what a {type(value).__name__} holds is no {kind.__name__}")
            # Until something of the agent's is at work that does more than to look; where the object has its own ways, until anything is.
            self.contents[link.number] = self.questions, data
        return data

    def content(self, target):
        """The content that stands for this object; NO_CONTENT if there is none, or the object has its own ways."""
        about, link = about_of(target), link_of(target)
        if link.made or link.is_kin:
            return NO_CONTENT
        if about.builtin in DATA_KINDS:
            return self.data(target)
        value = self.subclassed_values.get(link.number, NO_CONTENT)
        return plainly(value) if isinstance(value, (str, bytes, tuple, frozenset)) and type(value) in self.subclasses.values() else NO_CONTENT

    def note_kin(self, owner, value):
        """Notes an object that a method of a class, or of an object of it, has given, if it is of this class and that has its own ways."""
        if issubclass(type(owner), Proxy) and (link := link_of(owner)).made | link.is_kin and (it := self.inner(value)) is not None:
            link_of(it).is_kin |= type(it) is type(owner) or link.name == type(it).__name__

    def told_by_content(self, op, target, args, content):
        """The end of such an operation. A class that has its own may say it in another form, but nothing else."""
        is_own = op in about_of(target).changed
        if op == "__contains__":
            is_there = args[0] in content if isinstance(content, (str, bytes)) else any(item is args[0] or item == args[0] for item in content)
            return is_there or is_own and self.refuse_own(op, target, content)
        try:
            plain = PERFORM[op](content, *map(self.data, args))
        except (LookupError, TypeError):
            self.contents.clear()  # a dict may make what it lacks
            return self.asked_of(op, target, args)
        if not is_own:
            return plain
        said = self.asked_of(op, target, args)
        if op in ("__iter__", "__reversed__"):
            plain = list(plain)
            said = [item for item, _ in zip(said, range(len(plain) + 1))]
        if not self.is_same(said, plain):
            self.refuse_own(op, target, content)
        return iter(said) if op in ("__iter__", "__reversed__") else said

    def by_content(self, op, target, args, named):
        """The end, in a list, of an operation or a method that the content has a say in; an empty one where it has none."""
        end = None if named else self.end_by_content(op, target, args)
        return [] if end is None or (content := self.content(target)) is NO_CONTENT else [end(op, target, args, content)]

    def end_by_content(self, op, target, args):
        """The way in which the content has its say; None if it has none. Most operations are of any value, not of an agent's object alone."""
        if op in OF_CONTENT:
            return self.told_by_content
        if op not in LOOKING and op not in TAKING_AWAY and op not in QUERIES and op not in ARITHMETIC:
            return None
        kind = DATA_KINDS.get(about_of(target).builtin)
        if op in LOOKING and hasattr(kind, op):
            return self.look
        if self.may_learn(target, args):
            return None
        if op in TAKING_AWAY and (op == "__delitem__" or hasattr(kind, op)):
            return self.take_away
        is_inherited = op in QUERIES and hasattr(kind, op) or op in ARITHMETIC and op[:3] != "__i" and op not in about_of(target).changed
        return self.told_alone if kind is not None and is_inherited else None

    def told_alone(self, op, target, args, content):
        """The word of the content alone, where asking would hand a value of the test's to the agent."""
        args = map(self.data, args)
        return PERFORM[op](content, *args) if op in ARITHMETIC else getattr(content, op)(*args)

    def look(self, name, target, args, content):
        """The end of a method that looks at the content: the agent's word, if it says what the content does."""
        plain = getattr(content, name)(*args)
        said = self.asked_of("method", target, (name, *args))
        listed = list if name in ("keys", "values", "items") else plainly
        if not self.is_same(listed(said), listed(plain)):
            self.refuse_own(name, target, content)
        return said

    def refuse_own(self, op, target, content):
        name = type(target).__name__
        raise Unusable(
            f"{op} of an object of the agent's ({name}) says something else than what it holds as {type(content).__name__}: it is not the agent's to decide; have the prompt ask for "
            f"a class, and make the object by its name"
        )

    def take_away(self, op, target, args, content):
        """Has something taken out of an object, and sees to it that it is out of what that holds. What was not there raises as the builtin does, and
        nobody is asked."""
        left = type(content)(content)
        end = operator.delitem(left, *args) if op == "__delitem__" else getattr(left, op)(*args)
        said = self.asked_of(op, target, args) if op == "__delitem__" else self.asked_of("method", target, (op, *args))
        if not (self.is_same(said, end) and self.is_same(target, left)):
            raise Unusable(f"{op} of an object of the agent's ({type(target).__name__}) does something else than that of the {type(content).__name__} that it holds{self.unsaid(target)}")
        return said

    def is_same(self, one, other):
        """True for values that hold the same: what stays with the agent is the same where it is one object."""
        one, other = self.data(plainly(resolved(one))), self.data(plainly(resolved(other)))
        if one is other:
            return True
        if type(one) is not type(other) or is_stand_in(one):
            return False
        if type(one) in (list, tuple):
            return len(one) == len(other) and all(map(self.is_same, one, other))
        if type(one) is dict:
            return one.keys() == other.keys() and all(self.is_same(value, other[key]) for key, value in one.items())
        return one == other or one != one and other != other


def plainly(value):
    """The plain value that an agent's one of a class of its own is made of; any other value itself."""
    kind = vars(type(value)).get("agents_base")
    return next(copy(value) for base, copy in IMMUTABLE if issubclass(kind, base)) if kind else value
