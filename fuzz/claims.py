"""Throws claims at the decoder that the judge has, which is put before this text:

    cd src/sandbox/guest
    { echo 'MAX_VALUE, MAX_FRAME, MAX_DEPTH = 1 << 20, 1 << 26, 100'
      cat codec.py library.py shared.py raised.py operations.py lines.py peer.py pasts.py proxies.py ../../../fuzz/claims.py
    } | python3 - [SECONDS [SEED]]

Whatever a claim says, it decodes to plain types that survive being sent again, or to proxies, or is refused as not plain.
"""
import array
import collections
import datetime
import decimal
import fractions
import pathlib
import random
import sys
import time
import typing
import uuid
import zoneinfo

EXACT = {type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset}
LIBRARY_VALUES = [
    1 + 2j, range(3), slice(1, None), ..., bytearray(b"ab"), decimal.Decimal("1.50"), fractions.Fraction(1, 3),
    datetime.date(2026, 1, 2), datetime.time(1, 2, fold=1), datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),
    datetime.timedelta(days=-1), datetime.timezone(datetime.timedelta(hours=1), "A"), zoneinfo.ZoneInfo("UTC"),
    uuid.UUID(int=7), pathlib.Path("/a"), pathlib.PurePosixPath("b"), array.array("i", [1, 2]),
    int, ValueError, len, list[int], int | None, typing.Optional[dict[str, int]], typing.Callable[[int], str], typing.Literal["a"],
    typing.Any, collections.Counter, collections.namedtuple("Pair", "one other")(1, 2),
]  # fmt: skip
ATOMIC = [None, True, False, 0, -1, 2**63, -(2**200), 0.0, -0.0, 1e308, float("nan"), float("inf"), "", "a\ud800\0", b"", b"\xff"]
PIECES = [b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\u", b"1", b"-", b"e9", b"null", b"NaN", b"\xff\xfe", b"\0", b"0x"]
PIECES += [b'{"%c":' % tag for tag in b"tszdbifmhow?"] + [b'{"%s":' % tag.encode() for tag in BY_TAG if len(tag) > 1] + [b'{"i":"', b'{"b":"', b'{"f":"inf"}', b"[[1,2]]", b'"0x1_0"', b"9" * 5000]


def random_value(chance, depth=0):
    kind = chance.choice([list, tuple, dict, set, frozenset]) if chance.random() < 0.6 and depth < 6 else None
    if kind is None:
        return chance.choice(ATOMIC if chance.random() < 0.7 else LIBRARY_VALUES)
    parts = [random_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    hashable = [part for part in parts if part.__hash__ and not isinstance(part, (tuple, slice))]
    if kind is dict:
        return dict.fromkeys(hashable, parts)
    return kind(parts if kind in (list, tuple) else hashable)


def random_claim(chance):
    if chance.random() < 0.2:
        return b"".join(chance.choices(PIECES, k=chance.randrange(1, 30)))
    if chance.random() < 0.002:
        piece = chance.choice(PIECES)
        return piece * chance.randrange(1, MAX_VALUE // len(piece))
    claim = bytearray(Coder().encode(random_value(chance)).encode())
    for _ in range(chance.randrange(4)):
        start = chance.randrange(len(claim) + 1)
        claim[start : start + chance.randrange(3)] = chance.choice(PIECES + [b"", bytes([chance.randrange(256)])])
    return bytes(claim)


def shape(value):
    """The value with every type in it told; sets in some order that does not depend on how they came to be."""
    kind = type(value)
    if isinstance(value, Proxy):
        return "proxy", link_of(value).number
    if isinstance(value, BaseException):
        return "exception", str(value)
    if "_agentmill" in getattr(value, "__dict__", ()):
        return "subclassed", repr(value)
    if kind not in EXACT:
        known = plain_kind(kind) or write_known(value) or is_record(value) or hint_of(value)
        assert known, kind
        return kind.__name__, Coder(Peer(2)).encode(value)
    if kind is dict:
        return "dict", [(shape(key), shape(item)) for key, item in value.items()]
    if kind in (list, tuple):
        return kind.__name__, [shape(item) for item in value]
    if kind in (set, frozenset):
        return kind.__name__, sorted(repr(shape(item)) for item in value)
    return kind.__name__, hex(value) if kind is int else repr(value)


def take(claim):
    """True if it was decoded."""
    try:
        value = Coder(Peer(2)).decode(parse(claim))
    except NotPlain:
        return False
    try:
        told = shape(value)
        again = Coder(Peer(2)).encode(value)
    except (NotPlain, RecursionError):
        return True  # one level deeper, a few bytes longer, or a circle: not what a cell would send
    if "{\"h\"" not in again and "{\"o\"" not in again and "exception" not in again:
        assert shape(Coder(Peer(2)).decode(parse(again.encode()))) == told
    return True


def main(seconds="10", seed="0"):
    chance, start, claims, decoded = random.Random(int(seed)), time.monotonic(), 0, 0
    while time.monotonic() - start < float(seconds):
        claim = random_claim(chance)
        try:
            decoded += take(claim)
        except BaseException:
            print("claim:", claim[:2000], file=sys.stderr)
            raise
        claims += 1
    print(f"{claims} claims, {decoded} decoded, seed {seed}")


main(*sys.argv[1:])
