"""Functions of Python's library that look into what they are given: of objects of the agent's they ask, and of its texts they evaluate
nothing here (this text is put before agent_objects.py).
"""
import _string
import dataclasses
import difflib
import functools
import inspect
import string
import typing

HINTS, ANNOTATIONS, SOURCE, FIELD_OF_TEMPLATE = typing.get_type_hints, inspect.get_annotations, inspect.getsource, string.Formatter.get_field
# Attributes by which a template may say what class an object is of.
SHOWN_BY_TEMPLATES = frozenset("__class__ __name__ __qualname__ __module__ __doc__".split())


def is_agents(it):
    """True for an object of the agent's, and for an answer of a dry run."""
    return issubclass(type(it), (Proxy, Anything))


def asked(it, op, *args, **named):
    return link_of(it).peer.ask(op, it, args, named) if issubclass(type(it), Proxy) else it


def of_dataclasses(name):
    """A function of the module dataclasses."""
    function = getattr(dataclasses, name)

    @functools.wraps(function)
    def asking_or_not(it, *args, **named):
        it = resolved(it)
        if not issubclass(type(it), Proxy):
            return function(it, *args, **named)
        end = asked(it, "dataclass", name, *args, **named)
        return list(map(field_of, end)) if name == "fields" else end

    return asking_or_not


def field_of(told):
    """A field of an agent's dataclass."""
    return types.SimpleNamespace(**{part: value[0] if value else dataclasses.MISSING for part, value in told})


def source_of(it):
    """`inspect.getsource`."""
    it = resolved(it)
    return asked(it, "source") if is_agents(it) else SOURCE(it)


def wrapped(it):
    """The function that speaks for this one: that of the agent's which it wraps, if there is one."""
    it = resolved(it)
    while not is_agents(it) and "__wrapped__" in getattr(it, "__dict__", ()):
        it = resolved(it.__wrapped__)
    return it


def hints_of(it, *spaces, include_extras=False, **named):
    """`typing.get_type_hints`. A hint may be a text: what an agent wrote is evaluated where the agent is, without the test's names."""
    if is_agents(inner := wrapped(it)):
        return asked(inner, "hints", include_extras is True)
    return HINTS(it, *spaces, include_extras=include_extras, **named)


def annotations_of(it, *, eval_str=False, **named):
    """`inspect.get_annotations`, alike."""
    if is_agents(inner := wrapped(it)):
        return asked(inner, "annotations", eval_str is True)
    return ANNOTATIONS(it, eval_str=eval_str, **named)


for _name in ("asdict", "astuple", "replace", "fields", "is_dataclass"):
    setattr(dataclasses, _name, of_dataclasses(_name))
inspect.getsource, inspect.get_annotations, typing.get_type_hints = source_of, annotations_of, hints_of


def taken_once(setter):
    """A setter of a SequenceMatcher's texts. It looks at them again and again, for their length, too, and an object of the agent's
    might have another one each time: as long as finds what is looked for, and then of no length at all."""
    return functools.wraps(setter)(lambda self, it: setter(self, [*it] if issubclass(type(resolved(it)), Proxy) else it))


for _name in ("set_seq1", "set_seq2"):
    setattr(difflib.SequenceMatcher, _name, taken_once(getattr(difflib.SequenceMatcher, _name)))


def formatting(it, name):
    """`format` or `format_map` of what may be a text. The agent may have written it, and what it is filled with leads from there to
    all that the judge knows, so no field of it goes by an attribute that is hidden from agents."""
    it = resolved(it)
    method = getattr(it, name)
    if not issubclass(type(it), str) and it is not str:
        return method

    @functools.wraps(method)
    def filled(*given, **named):
        check_template(given[0] if it is str and given else it)
        return method(*given, **named)

    return filled


def check_template(text):
    if issubclass(type(text), str):
        for _, field, spec, _ in _string.formatter_parser(str.__str__(text)[:]):
            check_field_of_template(field or "")
            check_template(spec)


def check_field_of_template(field):
    for is_attribute, name in _string.formatter_field_name_split(field)[1]:
        if is_attribute and name.startswith(HIDDEN_PREFIXES) and name not in SHOWN_BY_TEMPLATES:
            raise Unusable(f"a text that is filled asks for the attribute {name}")


def field_of_template(formatter, field, args, named):
    """`string.Formatter.get_field`."""
    check_field_of_template(field)
    return FIELD_OF_TEMPLATE(formatter, field, args, named)


string.Formatter.get_field = field_of_template
