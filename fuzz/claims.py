"""Throws claims at the decoder that the judge has, which is put before this text:

    cat src/sandbox/codec.py fuzz/claims.py | python3 - [SECONDS [SEED]]

Whatever a claim says, it decodes to exact builtin types that survive being sent again, or is refused as not plain.
"""
import random
import sys
import time

EXACT = {type(None), bool, int, float, str, bytes, list, tuple, dict, set, frozenset}
ATOMIC = [None, True, False, 0, -1, 2**63, -(2**200), 0.0, -0.0, 1e308, float("nan"), float("inf"), "", "a\ud800\0", b"", b"\xff"]
PIECES = [b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\u", b"1", b"-", b"e9", b"null", b"NaN", b"\xff\xfe", b"\0", b"0x"]
PIECES += [b'{"%c":' % tag for tag in b"tszdbif?"] + [b'{"i":"', b'{"b":"', b'{"f":"inf"}', b"[[1,2]]", b'"0x1_0"', b"9" * 5000]


def random_value(chance, depth=0):
    kind = chance.choice([list, tuple, dict, set, frozenset]) if chance.random() < 0.6 and depth < 6 else None
    if kind is None:
        return chance.choice(ATOMIC)
    parts = [random_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    hashable = [part for part in parts if part.__hash__ and type(part) is not tuple]
    if kind is dict:
        return dict.fromkeys(hashable, parts)
    return kind(parts if kind in (list, tuple) else hashable)


def random_claim(chance):
    if chance.random() < 0.2:
        return b"".join(chance.choices(PIECES, k=chance.randrange(1, 30)))
    if chance.random() < 0.002:
        piece = chance.choice(PIECES)
        return piece * chance.randrange(1, MAX_VALUE // len(piece))
    claim = bytearray(encode(random_value(chance)).encode())
    for _ in range(chance.randrange(4)):
        start = chance.randrange(len(claim) + 1)
        claim[start : start + chance.randrange(3)] = chance.choice(PIECES + [b"", bytes([chance.randrange(256)])])
    return bytes(claim)


def shape(value):
    """The value with every type in it told; sets in some order that does not depend on how they came to be."""
    kind = type(value)
    assert kind in EXACT, kind
    if kind is dict:
        return "dict", [(shape(key), shape(item)) for key, item in value.items()]
    if kind in (list, tuple):
        return kind.__name__, [shape(item) for item in value]
    if kind in (set, frozenset):
        return kind.__name__, sorted(repr(shape(item)) for item in value)
    return kind.__name__, hex(value) if kind is int else repr(value)


def take(claim):
    """Whether it was decoded."""
    try:
        value = decode(parse(claim))
    except NotPlain:
        return False
    told = shape(value)
    try:
        again = encode(value)
    except NotPlain:
        return True  # one level deeper, or a few bytes longer, than what a cell would send
    assert shape(decode(parse(again))) == told
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
