"""Marks: attributes that the agent gives to objects of the test's (this text is put before test_objects.py)."""
import types


class Marks:
    """Attributes of the test's functions, classes and instances that the agent has made there, as decorators and descriptors do. Nothing may have had
    the name before: what the test has put there, or works out by it, would speak for the test. And they are the agent's only as long as its value
    stands there: what the test puts in its place is the test's."""

    def __init__(self):
        self.made = {}  # by the ids of objects, which are kept with them, values by their names

    def has(self, target, name):
        _, values = self.made.get(id(target), (None, {}))
        return name in values and attributes_held(target).get(name, self) is values[name]

    def note(self, target, name, value):
        self.made.setdefault(id(target), (target, {}))[1][name] = value

    def allow(self, op, target, name, value=None):
        """True if the agent may do this to an attribute."""
        if type(name) is not str or name.startswith("__") or op == "put" and type(attributes_held(target)) is not dict:
            return False
        if self.has(target, name):
            return True
        if op == "del":
            return False
        if isinstance(target, types.FunctionType):
            return target.__code__.co_filename == TEST_FILE and not hasattr(target, name)
        of_class = in_class(type(target), name)
        if isinstance(target, type):  # what is called would have to be bound
            return target.__module__ == "task" and not callable(value) and not of_class and not in_class(target, name)
        is_new = type(attributes_held(target)) is dict and name not in attributes_held(target)
        return is_new and type(target).__module__ == "task" and is_fixed(target) and all(map(is_stand_in, of_class[:1]))


# Of a record of the module logging, what handlers, formatters and filters write anew. All of it is text.
WRITTEN_OF_RECORDS = frozenset("message asctime exc_text msg levelname".split())


def is_log_record(target):
    return dotted(type(target)) == "logging.LogRecord"


def untraced(target, name, value):
    """The value of an attribute; of the exception that a log record tells, no traceback, which can't be given to an agent."""
    is_told = name == "exc_info" and is_log_record(target) and type(value) is tuple
    return (*value[:2], None) if is_told else value


def may_write_of_record(target, name, value):
    """True for a text among these of a log record, its arguments where they are done with, and a new attribute, as a filter adds it, with plain
    data that can't change."""
    if name == "args":
        return value is None or type(value) is tuple and not value
    if name in WRITTEN_OF_RECORDS:
        return value is None or type(value) is str
    return not hasattr(target, name) and type(value) in (str, int, float, bool)


def attributes_held(target):
    return getattr(target, "__dict__", {})


def is_fixed(target):
    """True for an object whose class works out no attributes by `__getattr__`: what it lacks, nobody finds there."""
    return not in_class(type(target), "__getattr__")


def held_as(target, name):
    """The value that an object holds by this name, in its `__dict__` or in a slot; None if there is none."""
    slot = lying_in(type(target), name)
    if type(slot) is not types.MemberDescriptorType:
        return attributes_held(target).get(name)
    try:
        return slot.__get__(target)
    except AttributeError:
        return None


def in_class(kind, name):
    """The values of this name in a class and those that it descends from, as they lie there."""
    return [vars(base)[name] for base in kind.__mro__ if name in vars(base)]
