"""Values and frames, shared by the cell and the judge (this text is put before both, behind the tables of frames.rs).

A frame is a big-endian u32 length, one kind byte, and that many bytes of payload.
A value is JSON in which everything JSON lacks wears a tag, so that it comes back in exactly the type it had: {"t": [...]}
tuple, {"s": [...]} set, {"z": [...]} frozenset, {"d": [[k, v], ...]} dict, {"b": hex} bytes, {"i": hex} an int beyond 64
bits, {"f": "nan" | "inf" | "-inf"} float and {"f": n} another NaN than the first, {"halves": hex} text with halves of characters (surrogates), two of which JSON would
join, the other plain types by their names (library.py). {"m": n} is the n-th list, dict,
set or other container that can change of this exchange, once more. What is no plain data stays where it is and
is told by a handle (peer.py). Decoding builds nothing but these types, whatever the bytes say.
"""
import os

try:
    # The C half of the package json, for text that the other side's own code wrote. The package would bring `re` along,
    # and that is a good part of a cell's start; but without it the C half can't tell what is wrong with other text.
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    class _Reading:
        strict, object_hook, object_pairs_hook = True, None, None
        parse_float, parse_int, parse_constant = float, int, None  # there are no constants

    def _no_such(value):
        raise TypeError(type(value))

    _scan = make_scanner(_Reading)
    _chunks = make_encoder(None, _no_such, encode_basestring_ascii, None, ": ", ", ", False, False, False)

    def dumps(value):
        return "".join(_chunks(value, 0))

    def loads(text):
        try:
            text = text if type(text) is str else text.decode()
            value, end = _scan(text, 0)
        except StopIteration:
            raise ValueError("no JSON") from None
        if end != len(text):
            raise ValueError("more than JSON")
        return value

except (ImportError, TypeError):  # another Python's
    from json import dumps, loads

LONGEST_NAME = 100  # characters of a class's name that are told
ATOMS = frozenset((str, bool, type(None)))
# Of an answer that our side of the cell can't have written alone.
GARBLED = "is garbled: processes that the agent has started, or other code of its own, write there, too"


class NotPlain(Exception):
    """A value that is no plain data, or too large or too deep to send."""


class Coder:
    """The values of one exchange, both ways. Containers that can change are numbered as they are come upon, on either side
    alike: so one that comes twice is one, one that was given and is returned is the same, and what is done to it can be told. So it
    is with those of the exchanges within which this one is (`outer`), as where a callback gets a list that the call was given.
    """

    is_for_call = False  # what is decoded is given to a function of this side, at the other's wish

    def __init__(self, peer=None, outer=()):
        self.peer, self.outer, self.mutables, self.places = peer, outer, [], {}
        self.seen, self.is_followed = [], False  # what the containers held when the other side heard of them last, while the call is under way
        self.carriers = []  # tuples and their like with such containers in them: who keeps one keeps these
        self.nans, self.told_nans = {}, {}  # each of an exchange by what is told of it, and that by its id: containers know a NaN by identity

    def encode(self, value):
        """The JSON text of a value."""
        try:
            text = dumps(self.tagged(value, 0))
        except RecursionError:
            raise NotPlain("is nested too deeply") from None
        most = self.peer.max_value if self.peer else MAX_VALUE
        if len(text) > most:
            raise NotPlain(f"is larger than {most} bytes, which `value` of the task, or of the pipeline's sandbox, may raise")
        return text

    def tagged(self, value, depth):
        kind = type(value)
        if kind in ATOMS:
            return value if kind is not str or value.isascii() else exact(value)
        if kind is int:
            return value if -(1 << 63) <= value < (1 << 63) else {"i": hex(value)}
        if kind is float:
            return value if value - value == 0.0 else {"f": float.__repr__(value) if value == value else self.told_nan(value)}
        if depth >= MAX_DEPTH:
            raise NotPlain(f"is nested more than {MAX_DEPTH} deep")
        if (plain := plain_kind(kind)) is None:
            return self.strange(value, depth)
        if plain.refill:
            if (place := self.places.get(id(value))) is not None:
                return {"m": place}
            if self.peer and (key := self.peer.keys.get(id(value))) is not None:
                return {"shared": key}
            self.number(value)
        count = len(self.mutables)
        body = plain.write(self, value, depth + 1)
        if not plain.refill and len(self.mutables) > count:
            self.carriers.append(value)
        told = {plain.tag: body} if plain.tag else body
        if plain.refill and self.outer and (place := self.place_outside(value)) is not None:
            return {"outer": [place, told]}
        return told

    def told_nan(self, value):
        """The first NaN of an exchange is told as such, and each other one by its number."""
        if (told := self.told_nans.get(id(value))) is None:
            told = len(self.nans) or "nan"
            self.nans[told], self.told_nans[id(value)] = value, told
        return told

    def nan_told(self, told):
        if told not in self.nans:
            value = self.nans[told] = float("nan")
            self.told_nans[id(value)] = told
        return self.nans[told]

    def place_outside(self, container):
        """The exchange that the container is of, and its number there."""
        for level, coder in enumerate(self.outer):
            if (place := coder.places.get(id(container))) is not None:
                return [level, place]

    def strange(self, value, depth):
        """A value of no plain type: what it is made of where that is all it is, else a handle."""
        if is_stand_in(value):
            return self.peer.shown(self, value, depth)
        if (known := write_known(value) or write_slot(value)) is not None:
            return known
        if (hint := write_hint(self, value, depth)) is not None:
            return hint
        if (data := as_plain(value)) is not None:
            return self.tagged(data, depth)
        if is_record(value) and not (self.peer and adds_methods(value)):
            return record(self, value, depth)
        if self.peer is None:
            raise NotPlain(f"is a {type(value).__name__}, not plain data")
        return self.peer.shown(self, value, depth)

    def number(self, value):
        self.places[id(value)] = len(self.mutables)
        self.mutables.append(value)

    def decode(self, parsed, depth=0):
        """The value of parsed JSON, strictly; raises NotPlain for anything `encode` would not write."""
        kind = type(parsed)
        if kind in ATOMS or kind is int or kind is float:
            return parsed
        if depth > MAX_DEPTH:
            raise NotPlain("is nested too deeply")
        if kind is list:
            return self.filled([], "", parsed, depth)
        if kind is not dict or len(parsed) != 1:
            raise NotPlain(GARBLED)
        [(tag, body)] = parsed.items()
        try:
            if tag == "m":
                return self.mutables[body] if type(body) is int and body >= 0 else None
            if tag == "outer":
                return self.renewed(*body, depth)
            if plain := BY_TAG.get(tag):
                if plain.refill:
                    return self.filled(plain.make(self, body, depth + 1), tag, body, depth)
                return self.carrying(plain, body, depth + 1)
            if self.peer is not None and tag in self.peer.tags:
                return self.peer.seen(self, tag, body, depth + 1)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
            pass
        raise NotPlain(GARBLED)

    def carrying(self, plain, body, depth):
        count = len(self.mutables)
        value = plain.make(self, body, depth)
        if len(self.mutables) > count:
            self.carriers.append(value)
        return value

    def filled(self, container, tag, body, depth):
        self.number(container)  # before what it holds, which it may be part of
        BY_TAG[tag].refill(self, container, body, depth + 1)
        return container

    def renewed(self, place, content, depth):
        """A container of an exchange within which this one is, with what it holds by now."""
        level, number = place
        if not (type(level) is type(number) is int and level >= 0 <= number):
            raise TypeError
        container = self.outer[level].mutables[number]
        self.number(container)
        self.refill(container, content, depth)
        return container

    def many(self, body, depth):
        if type(body) is not list:
            raise TypeError
        return [self.decode(item, depth) for item in body]

    def pairs(self, body, depth):
        return {self.decode(k, depth): self.decode(v, depth) for k, v in body}

    # -- what was done to the containers that were given --

    def changes(self, given, before, count):
        """JSON of what the first so many containers, those in the given values, hold now, if that is no more what `before` says."""
        fresh, known = Coder(self.peer, self.outer), len(self.peer.kinds)
        now = "[" + ", ".join(map(fresh.encode, given)) + "]"
        self.peer.forget_kinds(known)
        if now == before:
            return None
        told = [[place, self.content(value)] for place, value in enumerate(self.mutables[:count])]
        return dumps(told)

    def content(self, container):
        plain = plain_kind(type(container))
        body = plain.write(self, container, 1)
        return {plain.tag: body} if plain.tag else body

    def apply(self, changes, count):
        """Does to the first so many containers of this side what was done to their copies on the other."""
        for place, content in changes:
            if not 0 <= place < count:
                raise NotPlain("changes what was not given")
            self.refill(self.mutables[place], content)

    def refill(self, container, content, depth=0):
        tag, body = ("", content) if type(content) is list else [*content.items()][0]
        if plain_kind(type(container)) is not BY_TAG[tag]:
            raise NotPlain("changes what was given to something else")
        if self.peer:
            self.peer.has_given = True
        BY_TAG[tag].refill(self, container, body, depth + 1)


class PlainKind:
    """A type that travels by value: its tag, how its value is written, made anew, and refilled if it can change."""

    def __init__(self, tag, write, make, refill=None):
        self.tag, self.write, self.make, self.refill = tag, write, make, refill


def items(coder, value, depth):
    return [coder.tagged(item, depth) for item in value]


def entries(coder, value, depth):
    return [[coder.tagged(k, depth), coder.tagged(v, depth)] for k, v in value.items()]


def relist(coder, value, body, depth):
    value[:] = coder.many(body, depth)


def redict(coder, value, body, depth):
    pairs = coder.pairs(body, depth)
    value.clear()
    value.update(pairs)


def reset(coder, value, body, depth):
    members = coder.many(body, depth)
    value.clear()
    value.update(members)


def rebytes(coder, value, body, depth):
    value[:] = bytes.fromhex(body)


def exact(text):
    """A text as JSON, or what stands for one with halves of characters."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return {"halves": text.encode("utf-8", "surrogatepass").hex()}


def whole(told):
    """The text that `exact` gave; None for anything else."""
    if type(told) is dict and told.keys() == {"halves"}:
        try:
            return BY_TAG["halves"].make(None, told["halves"], 0)
        except (TypeError, ValueError):
            return None
    return told if type(told) is str else None


def make_float(coder, body, depth):
    if body == "nan" or type(body) is int and body > 0:
        return coder.nan_told(body)
    if body not in ("inf", "-inf"):
        raise ValueError
    return float(body)


KINDS = {
    list: PlainKind("", items, None, relist),
    tuple: PlainKind("t", items, lambda coder, body, depth: tuple(coder.many(body, depth))),
    dict: PlainKind("d", entries, lambda *_: {}, redict),
    set: PlainKind("s", items, lambda *_: set(), reset),
    frozenset: PlainKind("z", items, lambda coder, body, depth: frozenset(coder.many(body, depth))),
    bytes: PlainKind("b", lambda coder, value, depth: value.hex(), lambda coder, body, depth: bytes.fromhex(body)),
    bytearray: PlainKind("bytearray", lambda coder, value, depth: value.hex(), lambda *_: bytearray(), rebytes),
    int: PlainKind("i", None, lambda coder, body, depth: int(body, 16)),
    float: PlainKind("f", None, make_float),
}
BY_TAG = {plain.tag: plain for plain in KINDS.values()}
BY_TAG["halves"] = PlainKind("halves", None, lambda coder, body, depth: bytes.fromhex(body).decode("utf-8", "surrogatepass"))


def as_plain(value):
    """A value of a subclass of a builtin that adds nothing to it, as the builtin; else None."""
    for base, copy in COPIES:
        if issubclass(type(value), base):  # `isinstance` would ask the object
            return None if is_record(value) or adds_to(type(value), base) else copy(value)
    return None


def adds_to(kind, base):
    """True if a class has something to offer that its builtin base has not."""
    if overridden(kind, base):
        return True
    names = (name for each in kind.__mro__[: kind.__mro__.index(base)] for name in vars(each))
    return any(not name.startswith("__") or name not in vars(base) and name in BEHAVIOUR for name in names)


# Methods that a subclass of a builtin may add, by which it is more than data.
BEHAVIOUR = frozenset(("__missing__", "__call__", "__enter__", "__getattr__", "__getattribute__", "__await__"))
COPIES = (
    (str, lambda v: str.__str__(v)[:]),
    (int, int.__int__),
    (float, float.__float__),
    (dict, lambda v: dict(dict.items(v))),
    (list, lambda v: list(list.__iter__(v))),
    (tuple, lambda v: tuple(tuple.__iter__(v))),
    (frozenset, lambda v: frozenset(frozenset.__iter__(v))),
    (set, lambda v: set(set.__iter__(v))),
    (bytes, lambda v: bytes.__getitem__(v, slice(None))),
    (bytearray, lambda v: bytearray(bytearray.__getitem__(v, slice(None)))),
)


def record(coder, value, depth):
    """A named tuple: its name, the names of its fields, what they hold, and the place of the test's class if it is of one."""
    kind = type(value)
    place = coder.peer.place_of_record(kind) if coder.peer else None
    told = [kind.__name__[:LONGEST_NAME], list(value._fields), [coder.tagged(item, depth + 1) for item in value]]
    return {"record": told if place is None else [*told, place]}


def adds_methods(value):
    """True for a named tuple whose class has more than its fields."""
    kind = type(value)
    own = (name for each in kind.__mro__[: kind.__mro__.index(tuple)] for name in vars(each))
    return bool(overridden(kind, tuple)) or any(name[:1] != "_" and name not in value._fields for name in own)


def is_record(value):
    """True for a named tuple."""
    names = getattr(type(value), "_fields", None)
    return issubclass(type(value), tuple) and type(names) is tuple and len(names) == tuple.__len__(value)


def parse(payload):
    """The JSON of a payload that a cell wrote; raises NotPlain for anything else."""
    from json.decoder import JSONDecoder  # `json.loads` may be a test's

    try:
        return JSONDecoder(parse_constant=_no_constant).decode(payload.decode())
    except (ValueError, RecursionError):
        raise NotPlain("is no JSON") from None


def _no_constant(name):
    raise ValueError(name)


class Wire:
    """Frames over a pair of descriptors; what is written waits until `flush`."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.inbox, self.outbox = bytearray(), bytearray()

    def put(self, kind, payload=b""):
        self.outbox += len(payload).to_bytes(4, "big") + kind + payload
        if len(self.outbox) > 1 << 16:
            self.flush()

    def flush(self):
        while self.outbox:
            del self.outbox[: os.write(self.writer, self.outbox)]

    def fill(self):
        """Reads what has come; False at the end of the stream."""
        chunk = os.read(self.reader, 1 << 16)
        self.inbox += chunk
        return bool(chunk)

    def take(self, limit=MAX_FRAME):
        """One whole frame that has come, or None; OverflowError if it says it is above the limit."""
        if len(self.inbox) < 5:
            return None
        length = int.from_bytes(self.inbox[:4], "big")
        if length > limit:
            raise OverflowError(length)
        if len(self.inbox) < 5 + length:
            return None
        kind, payload = bytes(self.inbox[4:5]), bytes(self.inbox[5 : 5 + length])
        del self.inbox[: 5 + length]
        return kind, payload

    def wait(self):
        """The next frame, or None at the end of the stream; flushes only when it has to wait."""
        while (frame := self.take()) is None:
            self.flush()
            if not self.fill():
                return None
        return frame
