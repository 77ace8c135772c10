"""Types of the standard library that travel by value, each under its own name (this text is put behind codec.py).

Modules are imported when a value of theirs comes by: a cell starts without them.
"""
import builtins
import sys
from abc import ABC


def library_type(name):
    """The class of this dotted name; one without a module is Python's own."""
    module, _, last = name.rpartition(".")
    if not module:
        return getattr(builtins, last)
    return getattr(__import__(module), last)


def known_class(name):
    """The class of this dotted name in a module of Python's library that is imported already; None if there is none."""
    module, _, last = name.rpartition(".")
    is_library = module.split(".")[0] in sys.stdlib_module_names and module in sys.modules
    kind = vars(sys.modules[module]).get(last) if is_library else None
    return kind if isinstance(kind, type) else None


def fields(*names):
    """Writes the attributes of these names."""
    return lambda coder, value, depth: [coder.tagged(getattr(value, name), depth) for name in names]


def text_of(coder, value, depth):
    return str(value)


def built(name, *kinds):
    """Makes a value of the class from the parts that were written, each exactly of one of these kinds: a class may take whatever says
    of itself that it is a number, and ask it for its parts."""

    def make(coder, body, depth):
        parts = coder.many(body, depth)
        if not all(type(part) in kinds for part in parts):
            raise TypeError
        return library_type(name)(*parts)

    return make


def from_text(name):
    def make(coder, body, depth):
        if type(body) is not str:
            raise TypeError
        return library_type(name)(body)

    return make


def empty(name):
    return lambda coder, body, depth: library_type(name)()


def write_time(coder, value, depth):
    """The fields of a time or a datetime, and its zone."""
    parts = "year month day hour minute second microsecond" if hasattr(value, "year") else "hour minute second microsecond"
    return [[getattr(value, part) for part in parts.split()], zone_of(value), value.fold]


def zone_of(value):
    """A zone's offset at this time, its name if it has a name of its own, and its key among the world's zones."""
    zone, offset = value.tzinfo, value.utcoffset()
    if zone is None:
        return None
    name, key = value.tzname(), getattr(zone, "key", None)
    is_named = type(name) is str and not name.startswith("UTC")
    return [offset and offset.total_seconds() or 0, name if is_named else None, key if type(key) is str else None]


def keyed_zone(key):
    """One of the world's zones."""
    try:
        return library_type("zoneinfo.ZoneInfo")(key)
    except (OSError, ImportError):
        raise LookupError from None  # no such zone here


def made_zone(told):
    if told is None:
        return None
    offset, name, key = told
    if type(offset) not in (int, float) or type(name) not in (str, type(None)):
        raise TypeError
    if type(key) is str:
        try:
            return keyed_zone(key)
        except (LookupError, ValueError):
            pass
    zone, delta = library_type("datetime.timezone"), library_type("datetime.timedelta")(seconds=offset)
    return zone(delta, name) if name is not None else zone(delta) if offset else zone.utc


def write_zone(coder, value, depth):
    return zone_of(library_type("datetime.time")(tzinfo=value))


def write_keyed_zone(coder, value, depth):
    if type(value.key) is not str:
        raise NotPlain("is a zone without a key")
    return value.key


def make_time(name):
    def make(coder, body, depth):
        parts, zone, fold = body
        if not all(type(part) is int for part in (*parts, fold)):
            raise TypeError  # a text would be taken for a pickle's
        return library_type(name)(*parts, tzinfo=made_zone(zone), fold=fold)

    return make


def write_deque(coder, value, depth):
    return [items(coder, value, depth), value.maxlen]


def make_deque(coder, body, depth):
    if type(body[1]) not in (int, type(None)):
        raise TypeError
    return library_type("collections.deque")((), body[1])


def refill_deque(coder, value, body, depth):
    members = coder.many(body[0], depth)
    value.clear()
    value.extend(members)


def write_default(coder, value, depth):
    return [coder.tagged(value.default_factory, depth), entries(coder, value, depth)]


def refill_default(coder, value, body, depth):
    value.default_factory = coder.decode(body[0], depth)
    redict(coder, value, body[1], depth)


def write_array(coder, value, depth):
    return [value.typecode, value.tobytes().hex()]


def make_array(coder, body, depth):
    return library_type("array.array")(body[0])


def refill_array(coder, value, body, depth):
    del value[:]
    value.frombytes(bytes.fromhex(body[1]))


LIBRARY = {
    "complex": PlainKind("complex", fields("real", "imag"), built("complex", float)),
    "range": PlainKind("range", fields("start", "stop", "step"), built("range", int)),
    "slice": PlainKind("slice", fields("start", "stop", "step"), built("slice", int, float, str, type(None))),
    "ellipsis": PlainKind("ellipsis", lambda *_: 0, lambda *_: ...),
    "NotImplementedType": PlainKind("NotImplementedType", lambda *_: 0, lambda *_: NotImplemented),
    "decimal.Decimal": PlainKind("Decimal", text_of, from_text("decimal.Decimal")),
    "fractions.Fraction": PlainKind("Fraction", fields("numerator", "denominator"), built("fractions.Fraction", int)),
    "datetime.date": PlainKind("date", fields("year", "month", "day"), built("datetime.date", int)),
    "datetime.time": PlainKind("time", write_time, make_time("datetime.time")),
    "datetime.datetime": PlainKind("datetime", write_time, make_time("datetime.datetime")),
    "datetime.timedelta": PlainKind("timedelta", fields("days", "seconds", "microseconds"), built("datetime.timedelta", int)),
    "datetime.timezone": PlainKind("timezone", write_zone, lambda coder, body, depth: made_zone(body)),
    "zoneinfo.ZoneInfo": PlainKind("zone", write_keyed_zone, lambda coder, body, depth: keyed_zone(body)),
    "uuid.UUID": PlainKind("UUID", text_of, from_text("uuid.UUID")),
    "pathlib.PosixPath": PlainKind("Path", text_of, from_text("pathlib.PosixPath")),
    "pathlib.PurePosixPath": PlainKind("PurePath", text_of, from_text("pathlib.PurePosixPath")),
    "collections.deque": PlainKind("deque", write_deque, make_deque, refill_deque),
    "collections.Counter": PlainKind("Counter", entries, empty("collections.Counter"), redict),
    "collections.OrderedDict": PlainKind("OrderedDict", entries, empty("collections.OrderedDict"), redict),
    "collections.defaultdict": PlainKind("defaultdict", write_default, empty("collections.defaultdict"), refill_default),
    "array.array": PlainKind("array", write_array, make_array, refill_array),
    "pathlib.PureWindowsPath": PlainKind("WindowsPath", text_of, from_text("pathlib.PureWindowsPath")),
    "dict_keys": PlainKind("keys", items, lambda coder, body, depth: dict.fromkeys(coder.many(body, depth)).keys()),
    "dict_values": PlainKind("values", items, lambda coder, body, depth: dict(enumerate(coder.many(body, depth))).values()),
    "dict_items": PlainKind("items", items, lambda coder, body, depth: dict(coder.many(body, depth)).items()),
}
for _name in ("Address", "Network", "Interface"):
    for _version in ("4", "6"):
        _kind = f"ipaddress.IPv{_version}{_name}"
        LIBRARY[_kind] = PlainKind(_kind, text_of, from_text(_kind))
BY_TAG |= {plain.tag: plain for plain in LIBRARY.values()}


def dotted(kind):
    """A class's name, with its module unless it is Python's own."""
    module, name = kind.__module__, kind.__qualname__
    if type(module) is not str:
        return f"?.{name}"
    return name if module == "builtins" else f"{module}.{name}"


def plain_kind(kind):
    """How values of exactly this class travel; None if they don't by value."""
    if (plain := KINDS.get(kind)) is None and (plain := LIBRARY.get(dotted(kind))) is not None:
        module = sys.modules.get(kind.__module__)
        if getattr(module, kind.__name__, kind) is not kind:
            return None  # another class of the name
        KINDS[kind] = plain
    return plain


# -- classes and functions that both sides have --

TYPES = {kind: name for name, kind in vars(builtins).items() if isinstance(kind, type) and not name.startswith("_")}
TYPES |= {kind: kind.__name__ for kind in map(type, (None, ..., NotImplemented, {}.keys(), {}.values(), {}.items()))}
TYPES[ABC] = "ABC"  # a base of many classes
NAMED = {name: kind for kind, name in TYPES.items()}
FUNCTIONS = frozenset("""abs all any ascii bin bool callable chr divmod enumerate filter format hash hex isinstance iter len
    map max min next oct ord pow repr reversed round sorted sum tuple zip""".split())


# Modules whose functions do nothing but compute, and what is none of those.
COMPUTING, OTHERS = {"math": "math", "_operator": "operator"}, frozenset(("call", "length_hint"))


def write_known(value):
    """A class or function that both sides have, by its name; None if it is none."""
    if isinstance(value, type):
        name = TYPES.get(value) or (dotted(value) if dotted(value) in LIBRARY else None)
        return name and {"type": name}
    name = value.__name__ if type(value) is type(len) else None
    if name in FUNCTIONS and vars(builtins)[name] is value:
        return {"type": name}
    home = name and COMPUTING.get(value.__module__)
    return {"type": f"{home}.{name}"} if home and computing(home, name) is value else None


def make_known(coder, body, depth):
    if body in NAMED or body in LIBRARY or body in FUNCTIONS:
        known = NAMED.get(body) or (vars(builtins)[body] if body in FUNCTIONS else library_type(body))
        return coder.peer.given(known) if coder.peer else known
    home, _, name = body.partition(".")
    if home in COMPUTING.values() and (function := computing(home, name)) is not None:
        return function
    raise TypeError


def computing(home, name):
    """The function of this name of a module that only computes."""
    function = vars(__import__(home)).get(name) if name not in OTHERS else None
    return function if type(function) is type(len) else None


BY_TAG["type"] = PlainKind("type", None, make_known)


def write_slot(value):
    """Of what each class has from `object`, such as `object.__repr__`, the name."""
    name = getattr(value, "__name__", None) if type(value) in SLOTS else None
    return {"slot": name} if type(name) is str and vars(object).get(name) is value else None


def make_slot(coder, body, depth):
    slot = vars(object)[body] if type(body) is str else None
    if type(slot) not in SLOTS:
        raise TypeError
    return coder.peer.given(slot) if coder.peer else slot


SLOTS = frozenset(map(type, (object.__repr__, object.__reduce__, object.__new__)))
BY_TAG["slot"] = PlainKind("slot", None, make_slot)


# -- type hints, as far as they are made of what both sides have --

TYPING = frozenset("""Any AsyncIterable AsyncIterator Awaitable Callable Collection Coroutine Counter DefaultDict Deque Dict FrozenSet
    Generator Hashable Iterable Iterator List Literal Mapping MutableMapping MutableSequence MutableSet Optional OrderedDict Sequence Set
    Sized Tuple Type Union""".split())
ALIASES = dict.fromkeys("_GenericAlias _SpecialGenericAlias _CallableGenericAlias _SpecialForm _TupleType _CallableType".split())
ALIASES |= {"_UnionGenericAlias": "Union", "_LiteralGenericAlias": "Literal", "_AnyMeta": "Any"}


def hint_of(value):
    """The name and the parts of a type hint: "" and (list, int) of `list[int]`, "|" for a union of types, else a name of the module
    typing's. None for what is no hint."""
    home, kind = type(value).__module__, type(value).__name__
    if home == "types" and kind == "GenericAlias":
        return "", (value.__origin__, *value.__args__)
    if home in ("types", "typing") and kind in ("UnionType", "Union"):
        return "|", value.__args__
    if home != "typing" or kind not in ALIASES or (kind == "_AnyMeta" and value is not library_type("typing.Any")):
        return None
    if kind == "_GenericAlias" and not value.__args__:
        return None  # Tuple[()], which is not Tuple
    name = getattr(value, "_name", None) or ALIASES[kind]
    return (name, getattr(value, "__args__", ())) if name in TYPING else None


def are_known(name, parts):
    """True for parts of which a hint of this name may be made."""
    return all(type(part) in (str, int, bytes, bool, type(None)) for part in parts) if name == "Literal" else all(map(is_known_part, parts))


def is_known_part(part):
    if part is ... or is_stand_in(part):
        return part is ...
    hint = hint_of(part)
    return are_known(*hint) if hint else isinstance(part, type) and write_known(part) is not None


def write_hint(coder, value, depth):
    hint = hint_of(value)
    return {"hint": [hint[0], items(coder, hint[1], depth + 1)]} if hint and are_known(*hint) else None


def make_hint(coder, body, depth):
    name, parts = body[0], coder.many(body[1], depth)
    if name not in TYPING | {"", "|"} or not are_known(name, parts) or parts[:1] == [...] and name != "Callable":
        raise TypeError
    if name == "":
        return library_type("types.GenericAlias")(parts[0], tuple(parts[1:]))
    if name == "|":
        return library_type("functools.reduce")(library_type("_operator.or_"), parts)
    form = library_type("typing.Union" if name == "Optional" and parts else f"typing.{name}")
    if not parts:
        return form
    if name == "Callable":
        return form[parts[0] if parts[0] is ... else parts[:-1], parts[-1]]
    return form[tuple(parts) if len(parts) > 1 else parts[0]]


BY_TAG["hint"] = PlainKind("hint", None, make_hint)


# -- named tuples --

MAX_FIELDS = 200


def make_record(coder, body, depth):
    """A tuple with names for its items, as `collections.namedtuple` makes it; in a run one class for each name and set of fields."""
    name, names, values, *place = body
    names, values = tuple(names), coder.many(values, depth)
    if len(names) != len(values) or len(names) > MAX_FIELDS or type(name) is not str or not all(map(may_be_field, names, values)):
        raise TypeError
    for field, value in zip(names, values) if coder.peer else ():
        coder.peer.check_field(field, value)
    if not name.isidentifier() or len(name) > LONGEST_NAME or len({*names}) < len(names):
        raise TypeError
    kind = coder.peer.kind_of_record(name, names, *place) if coder.peer else record_class(name, names)
    return tuple.__new__(kind, values)


def may_be_field(name, value):
    """True for a field's name that Python takes for one. A method of all tuples is none to call the other side by."""
    if type(name) is not str or not name.isidentifier() or __import__("keyword").iskeyword(name) or (hasattr(tuple, name) and callable(value)):
        return False
    return name[0] != "_" or name[1:].isdigit()  # the latter by `rename=True`


def record_class(name, names):
    def shown(self):
        return f"{name}({', '.join(f'{field}={value!r}' for field, value in zip(names, self))})"

    shown.__module__ = "collections"  # as if it were from there: it is no operation of the author's own

    def replaced(self, **others):
        if hasattr(type(self), "agents_base"):
            return self._agentmill._replace(**others)  # the other side's class has more than fields
        return tuple.__new__(type(self), [others.get(field, value) for field, value in zip(names, self)])

    parts = {field: property(lambda self, place=place: tuple.__getitem__(self, place)) for place, field in enumerate(names)}
    own = {"_fields": names, "__repr__": shown, "_replace": replaced, "_asdict": lambda self: dict(zip(names, self)), "__slots__": ()}
    return type(name, (tuple,), parts | own)


BY_TAG["record"] = PlainKind("record", None, make_record)
