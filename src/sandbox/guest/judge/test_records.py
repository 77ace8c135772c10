"""Records of the test's as an agent sees them: fields of dataclasses and new objects with other values, and named tuples, which travel by value
and are of the test's class when they come home (this text is put before test_objects.py)."""
import sys

# Of a field, what is told beside its name and type. Its default and metadata may be what a test expects.
TOLD_OF_FIELDS = ("init", "repr", "compare", "kw_only")


def is_dataclass_of_test(target):
    """True for a dataclass that a test has made, and for an object of one."""
    kind = target if isinstance(target, type) else type(target)
    return is_of_test(kind) and bool(in_class(kind, "__dataclass_fields__"))


@performing("fields")
def fields_told(it):
    """The fields of a dataclass whose names begin with no underscore."""
    shown = [field for field in sys.modules["dataclasses"].fields(it) if field.name[:1] != "_"]
    return [[field.name, field.type, has_default(field), *(getattr(field, part) is True for part in TOLD_OF_FIELDS)] for field in shown]


def has_default(field):
    missing = sys.modules["dataclasses"].MISSING
    return field.default is not missing or field.default_factory is not missing


@performing("replace")
def with_replaced(it, **changes):
    return sys.modules["dataclasses"].replace(it, **changes)


def may_be_remade(target, args, named):
    """True for an object of a dataclass that agents may make objects of, where each field is one whose value they may change."""
    if args or isinstance(target, type) or not may_be_made(type(target), args, named):
        return False
    fields = getattr(type(target), "__dataclass_fields__")
    return all(name[:1] != "_" and (name not in fields or may_change(target, name, value)) for name, value in named.items())


# Names that a class of named tuples may have of itself and be nothing but its fields, and those that it has from `namedtuple`.
BARE_CLASS = frozenset("__module__ __doc__ __slots__ __dict__ __weakref__ __annotations__ __orig_bases__ __firstlineno__ __static_attributes__".split())
MADE_OF_FIELDS = BARE_CLASS | frozenset("_fields _field_defaults __new__ _make _replace __replace__ __repr__ _asdict __getnewargs__ __match_args__".split())


def is_record_of_test(kind):
    """True for a class of named tuples of the test's that any tuple with so many items may be one of: it has nothing but fields, and its objects
    are made in no way of its own."""
    *own, made = kind.__mro__[:-2]
    is_bare = type(kind) is type and made.__bases__ == (tuple,) and all(vars(one).keys() <= BARE_CLASS for one in own)
    is_made_by_library = getattr(made.__new__, "__module__", None) == f"namedtuple_{made.__name__}"
    return is_of_test(kind) and is_bare and is_made_by_library and vars(made).keys() <= MADE_OF_FIELDS | {*kind._fields}
