"""Builtins that an agent gives. Python's own classes and functions come from it by their names, and are the judge's then: what a test calls
is genuine, and so is what it gets. So none of them makes anything but data, or ends a loop: of `type` it is one that tells classes and
makes none, as a class's objects would be here and decide what the agent wants, and of `next` one whose end is an exception like others
(this text is put before agent_objects.py).
"""


class Telling(type):
    """The class of `type` where an agent has given it: equal to Python's own, and all that it does is to tell a class."""

    def __call__(cls, *args, **named):
        if len(args) != 1 or named:
            raise Unusable("`type`, which the agent gave, tells of what class something is, and makes no class here")
        kind = type_of(*args)
        if isinstance(kind, type) and not is_of_test(kind) and write_known(kind) is None and not issubclass(kind, BaseException):
            raise Unusable("`type`, which the agent gave, tells classes of plain data and of the task alone")
        return kind

    def __eq__(cls, other):
        return other is cls or other is type

    def __hash__(cls):
        return hash(type)

    def __instancecheck__(cls, it):
        return isinstance(it, type)

    def __subclasscheck__(cls, kind):
        return issubclass(kind, type)


GIVEN_TYPE = Telling("type", (type,), {"__module__": "builtins"})


class Advancing:
    """`next`, where an agent has given it."""

    __name__ = __qualname__ = "next"

    def __call__(self, iterator, /, *default):
        try:
            return next(iterator, *default)
        except StopIteration as error:
            raise Stopped(*error.args) from None

    def __eq__(self, other):
        return other is self or other is next

    def __hash__(self):
        return hash(next)

    def __repr__(self):
        return repr(next)


GIVEN_NEXT = Advancing()


class GivenSlot:
    """An attribute that classes have from `object`, where an agent has given it: it is that when it is compared, and does nothing."""

    def __init__(self, slot):
        self.slot = slot


GIVEN_BUILTINS = {type: GIVEN_TYPE, next: GIVEN_NEXT} | {slot: GivenSlot(slot) for slot in vars(object).values() if type(slot) in SLOTS}


def resolved(value):
    """The object that a name of the agent's stands for, and the builtin that it has given."""
    if type(value) is Member:
        return value.resolved()
    if type(value) is GivenSlot:
        return value.slot
    return type if value is GIVEN_TYPE else next if value is GIVEN_NEXT else value
