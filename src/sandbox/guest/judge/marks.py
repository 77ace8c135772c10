"""Marks: attributes that the agent gives to objects of the test's (this text is put before test_objects.py)."""
import types


class Marks:
    """Attributes of the test's functions, classes and instances that the agent has made there, as decorators and descriptors do. Nothing may have had
    the name before: what the test has put there, or works out by it, would speak for the test."""

    def __init__(self):
        self.made = {}

    def has(self, target, name):
        return name in self.made.get(id(target), ((), ()))[1]

    def note(self, target, name):
        self.made.setdefault(id(target), (target, set()))[1].add(name)

    def allow(self, op, target, name, value=None):
        """True if the agent may do this to an attribute."""
        if type(name) is not str or name.startswith("__") or op == "put" and not has_names(target):
            return False
        if self.has(target, name):
            return True
        if op == "del":
            return False
        if isinstance(target, types.FunctionType):
            return target.__code__.co_filename == TEST_FILE and not hasattr(target, name)
        if isinstance(target, type):  # what is called would have to be bound
            return target.__module__ == "task" and not callable(value) and not class_has(target, name) and not class_has(type(target), name)
        is_own = type(target).__module__ == "task" and has_names(target) and name not in vars(target)
        return is_own and (not class_has(type(target), name) or is_stand_in(defined_as(type(target), name)))


def has_names(target):
    return type(getattr(target, "__dict__", None)) is dict


def class_has(kind, name):
    return any(name in vars(base) for base in kind.__mro__)


def defined_as(kind, name):
    """The value in a class, as it lies there; None if there is none."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
