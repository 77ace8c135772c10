"""Quiet callables: what stands for one of Python's own callables of the test's, whose text shows what it was bound to, where an agent gives it to
another function of the test's, which might make a text of it (this text is put before test_objects.py).
"""
import functools
import operator
import types

# Python's own kinds of callables whose text shows what no attribute does.
BINDING = (functools.partial, operator.itemgetter, operator.attrgetter, operator.methodcaller, types.MethodType)
# And those that are bound in C, whose effects are told apart from a test's by the stand-in (effects.py).
BOUND = (*BINDING, types.BuiltinMethodType, types.MethodWrapperType)


class Quiet:
    """Does what the callable does, and says of itself that it is one, and no more."""

    def __init__(self, callable_):
        self._callable = callable_

    def __call__(self, /, *args, **named):
        return self._callable(*args, **named)

    def __getattr__(self, name):
        return getattr(self._callable, name)

    def __eq__(self, other):
        return self._callable == unquieted(other)

    def __hash__(self):
        return hash(self._callable)

    __class__ = property(lambda self: type(self._callable))
    __repr__ = object.__repr__


def quieted(value):
    return Quiet(value) if type(value) in BOUND or is_of_others(value) else value


def is_bound_to_library(value):
    """True for a method that no test has written, with the object that it is of."""
    if type(value) is types.MethodType:
        return type(value.__func__) is types.FunctionType and is_of_others(value.__func__)
    return type(value) is types.BuiltinMethodType and not isinstance(value.__self__, (types.ModuleType, type(None)))


def is_of_others(value):
    """True for a function that no test has written, and for a class whose objects may have effects when they are made."""
    if type(value) is types.FunctionType:
        return value.__code__.co_filename != TEST_FILE
    return isinstance(value, type) and has_effects(value)


def unquieted(value):
    return value._callable if type(value) is Quiet else value
