"""Values and frames, shared by the cell and the judge (this text is put before both).

A frame is a big-endian u32 length, one kind byte, and that many bytes of payload.
A value is JSON in which everything JSON lacks wears a tag, so that it comes back in exactly the builtin
type it had: {"t": [...]} tuple, {"s": [...]} set, {"z": [...]} frozenset, {"d": [[k, v], ...]} dict,
{"b": hex} bytes, {"i": hex} an int beyond 64 bits, {"f": "nan" | "inf" | "-inf"} float.
Decoding builds nothing but these types, whatever the bytes say.
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

MAX_VALUE = 1 << 20  # bytes of one encoded value
MAX_DEPTH = 100  # containers within containers
ATOMS = frozenset((str, bool, type(None)))


class NotPlain(Exception):
    """A value that is no plain data, or too large or too deep to send."""


def encode(value):
    """The JSON text of a value; subclasses of builtins are sent as the builtin."""
    try:
        text = dumps(_tagged(value, 0))
    except RecursionError:
        raise NotPlain("is nested too deeply") from None
    if len(text) > MAX_VALUE:
        raise NotPlain(f"is larger than {MAX_VALUE} bytes")
    return text


def _tagged(value, depth):
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is int:
        return value if -(1 << 63) <= value < (1 << 63) else {"i": hex(value)}
    if kind is float:
        return value if value - value == 0.0 else {"f": float.__repr__(value)}
    if depth >= MAX_DEPTH:
        raise NotPlain(f"is nested more than {MAX_DEPTH} deep")
    deeper = depth + 1
    if kind is list:
        return [_tagged(item, deeper) for item in value]
    if kind is tuple:
        return {"t": [_tagged(item, deeper) for item in value]}
    if kind is dict:
        return {"d": [[_tagged(k, deeper), _tagged(v, deeper)] for k, v in value.items()]}
    if kind is set:
        return {"s": [_tagged(item, deeper) for item in value]}
    if kind is frozenset:
        return {"z": [_tagged(item, deeper) for item in value]}
    if kind is bytes:
        return {"b": value.hex()}
    return _tagged(_as_builtin(value), depth)


def _as_builtin(value):
    # A namedtuple, Counter or IntEnum is sent as the data it is made of.
    for base, copy in _COPIES:
        if isinstance(value, base):
            return copy(value)
    raise NotPlain(f"is a {type(value).__name__}, not plain data")


_COPIES = (
    (bytearray, bytes),
    (str, lambda v: str.__str__(v)[:]),
    (int, int.__int__),
    (float, float.__float__),
    (dict, lambda v: dict(dict.items(v))),
    (list, lambda v: list(list.__iter__(v))),
    (tuple, lambda v: tuple(tuple.__iter__(v))),
    (frozenset, lambda v: frozenset(frozenset.__iter__(v))),
    (set, lambda v: set(set.__iter__(v))),
    (bytes, lambda v: bytes.__getitem__(v, slice(None))),
)


def decode(parsed, depth=0):
    """The value of parsed JSON, strictly; raises NotPlain for anything `encode` would not write."""
    kind = type(parsed)
    if kind in ATOMS or kind is int or kind is float:
        return parsed
    if depth > MAX_DEPTH:
        raise NotPlain("is nested too deeply")
    if kind is list:
        return [decode(item, depth + 1) for item in parsed]
    if kind is not dict or len(parsed) != 1:
        raise NotPlain("is no encoded value")
    [(tag, body)] = parsed.items()
    try:
        return _DECODERS[tag](body, depth + 1)
    except (KeyError, TypeError, ValueError):
        raise NotPlain("is no encoded value") from None


def _items(body, depth):
    if type(body) is not list:
        raise TypeError
    return [decode(item, depth) for item in body]


def _pairs(body, depth):
    return {decode(k, depth): decode(v, depth) for k, v in body}


_DECODERS = {
    "t": lambda body, depth: tuple(_items(body, depth)),
    "s": lambda body, depth: set(_items(body, depth)),
    "z": lambda body, depth: frozenset(_items(body, depth)),
    "d": _pairs,
    "b": lambda body, depth: bytes.fromhex(body),
    "i": lambda body, depth: int(body, 16),
    "f": lambda body, depth: {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}[body],
}


def parse(payload):
    """The JSON of a payload that a cell wrote; raises NotPlain for anything else."""
    import json

    try:
        return json.loads(payload, parse_constant=_no_constant)
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

    def take(self, limit=1 << 26):
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
