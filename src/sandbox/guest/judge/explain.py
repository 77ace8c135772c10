"""Explanations of assertions that do not hold: both sides of a comparison and the first place where they differ (this text
is put before the judge's).
"""
MAX_SIDE = 160  # characters of a side
DOES_NOT_HOLD = "does not hold"

COMPARED = {
    "Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "In": "in", "NotIn": "not in", "Is": "is",
    "IsNot": "is not",
}  # fmt: skip


# Values of these kinds are looked into even if one of them is of a subclass, such as a Counter beside a dict.
ALIKE = (str, list, tuple, dict, (set, frozenset, type({}.keys()), type({}.items())))


def comparison(left, symbol, right):
    """The message of `assert left == right`."""
    text = f"{brief(left)} {symbol} {brief(right)} {DOES_NOT_HOLD}"
    try:
        where = difference(left, right) if symbol == "==" else otherness(left, right) if symbol == "is" else None
    except Exception:
        where = None
    return f"{text}: {where}" if where else text


def otherness(left, right):
    """The words for two values of one kind that are equal and not the same."""
    is_plain = not is_stand_in(left) and not is_stand_in(right) and plain_kind(type(left)) is not None
    return "they are equal, but two objects" if is_plain and type(left) is type(right) and left == right else None


def difference(left, right, place=""):
    """The first place where two values differ, in words; None if a look at both says it all."""
    if Approx in (type(left), type(right)):
        return place and f"{place} is {brief(left)}, not {brief(right)}"
    if type(left) is not type(right) and not any(isinstance(left, kind) and isinstance(right, kind) for kind in ALIKE):
        if isinstance(left, (int, float, complex)) and isinstance(right, (int, float, complex)):
            return rounding(left, right) or place and f"{place} is {brief(left)}, not {brief(right)}"
        if left is None:
            return f"{place or 'the left'} is None" + (place and f", not {brief(right)}" or ", as a function without `return` gives")
        if type(left).__name__ == type(right).__name__:
            return None
        return f"{place or 'the left'} is of type {type(left).__name__}, {'not' if place else 'the right of type'} {type(right).__name__}"
    if isinstance(left, str):
        return text_difference(left, right, place)
    if isinstance(left, (list, tuple, collections.deque)):
        return sequence_difference(left, right, place)
    if isinstance(left, dict):
        return mapping_difference(left, right, place)
    if isinstance(left, ALIKE[-1]):
        return set_difference({*left}, {*right}, place)
    return rounding(left, right) or place and f"{place} is {brief(left)}, not {brief(right)}"


def rounding(left, right):
    """The words for two numbers that are equal but for rounding."""
    if type(left) is not float or type(right) not in (int, float) or not abs(left - right) <= 1e-12 * abs(left) < float("inf"):
        return None
    return f"the difference is one of rounding, which approx({right!r}) lets pass"


def sequence_difference(left, right, place):
    for index, (one, other) in enumerate(zip(left, right)):
        if one is not other and not one == other:
            return difference(one, other, f"{place}[{index}]")
    count = f"{len(left)} items, not {len(right)}"
    longer = left if len(left) > len(right) else right
    first = f"; the first {'too many' if longer is left else 'missing'} is {brief(longer[min(len(left), len(right))])}"
    return f"{place} has {count}{first}" if place else f"{count}{first}"


def mapping_difference(left, right, place):
    for key in right:
        if key not in left:
            return f"{place}[{brief(key)}] is missing"
        if not left[key] == right[key]:
            return difference(left[key], right[key], f"{place}[{brief(key)}]")
    for key in left:
        if key not in right:
            return f"{place}[{brief(key)}] is too many"
    return None


def set_difference(left, right, place):
    missing, extra = sorted(map(brief, right - left)), sorted(map(brief, left - right))
    parts = [f"{', '.join(names[:5])} {what}" for names, what in ((missing, "missing"), (extra, "too many")) if names]
    return f"{place} {'; '.join(parts)}".strip()


def text_difference(left, right, place):
    """The first line that differs, or the first character of a long one."""
    if len(left) + len(right) < MAX_SIDE and "\n" not in left + right:
        return place and f"{place} is {left!r}, not {right!r}"
    lines, others = left.split("\n"), right.split("\n")
    for number, (one, other) in enumerate(zip(lines, others), 1):
        if one != other:
            at = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
            start = max(0, at - 30)
            line = f"line {number} " if len(lines) > 1 or len(others) > 1 else ""
            told = f"{line}from character {at + 1} on is {one[start : at + 60]!r}, not {other[start : at + 60]!r}"
            return f"{place} {told}".strip()
    for one, other, has in ((left, right, "ends with a newline that is too many, such as print adds; .strip() takes it off"), (right, left, "lacks the newline at its end")):
        if one == other + "\n":
            return f"{place or 'the left'} {has}"
    return f"{place} has {len(lines)} lines, not {len(others)}".strip()
