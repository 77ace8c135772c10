"""Scores: tests that are worth 0 to 1 of their weight, and what helps to say how much (this text is put before the judge's)."""
import builtins
import functools
import math
import operator


class NoShare(Exception):
    """A score that is no number from 0 to 1. The author's doing only where no answer went into it: else any agent could have the
    task count for nobody."""


class Worth(Exception):
    """A score below 1."""

    def __init__(self, share):
        self.share = share


def check_share(value):
    """Ends a score's code: by an exception, unless it is worth all."""
    if type(value) not in (bool, int, float) or not 0 <= value <= 1:
        raise NoShare(f"the score is {brief(value)}, not a number from 0 to 1{remedy(value)}")
    if value < 1:
        raise Worth(float(value))


def remedy(value):
    """A hint at what the author may write instead of what came to this value."""
    if type(value) is tuple and len(value) == 2 and type(value[1]) is str:
        return "; a score takes no message behind a comma: leave it out"
    if type(value) in (int, float):
        return "; such as min(1, max(0, ...)) keeps it there"
    return ""


def scored(text):
    """The statement of a score's expression."""
    value = ast.parse(f"({text}\n)", mode="eval").body
    statement = ast.copy_location(ast.Expr(calling("@score", value)), value)
    return ast.Module([ast.fix_missing_locations(statement)], [])


# ---- helpers ----


def choosing(choose):
    """`min` or `max` that gives no number up for NaN, nor NaN for a number: `max(0, min(1, nan))` would be worth all."""

    @functools.wraps(choose)
    def chosen(*given, **named):
        items = tuple(given[0]) if len(given) == 1 else given
        unordered = [one for one in items if issubclass(type(one), float) and one != one]
        return unordered[0] if unordered else choose(items, **named)

    return chosen


def approx(got, right, rel=1e-6, abs=1e-12, note=lambda got, right: False):
    """True if a number is nearly the right one, or each of several is; the first that is not is noted."""
    if type(got) in (list, tuple) and type(right) in (list, tuple):
        return len(got) == len(right) and all(approx(*pair, rel, abs, note) for pair in zip(got, right))
    if type(got) is dict and type(right) is dict:
        return got.keys() == right.keys() and all(approx(got[key], right[key], rel, abs, note) for key in right)
    try:
        tolerance = max(rel * builtins.abs(right), abs)
        return bool(got == right or math.isfinite(right) and builtins.abs(got - right) <= tolerance) or note(got, right)
    except (TypeError, ValueError, OverflowError):
        return note(got, right)


class Approx:
    """`approx` of a right value alone, which equals what is nearly so: `assert mean(x) == approx(2.5)`."""

    def __init__(self, right, rel=1e-6, abs=1e-12):
        self.right, self.near = right, functools.partial(approx, right=right, rel=rel, abs=abs)

    def __eq__(self, got):
        return self.near(got)

    def __repr__(self):
        return f"approx({brief(self.right)})"

    __hash__ = None


def same_tokens(got, right):
    """True if two texts have the same words, whatever space is between them."""
    return type(got) is str and got.split() == right.split()


def matches(got, right, same=operator.eq):
    """The most pairs that are the same, of an item of each side, no item in two pairs. A score mostly takes off for the rest of what is
    there, by its `len`, which an object of the agent's says as it likes."""
    if issubclass(type(got), Proxy) and "__len__" in about_of(got).can:
        raise Unusable(f"a {type(got).__name__} of the agent's own stands where a plain list is wanted; its length is not the agent's to decide")
    got, right = list(got), list(right)
    place_of, item_at = {}, {}  # the pairs found, by place in `got` and by place in `right`
    for item in range(len(got)):
        came, queue = {}, [item]
        for one in queue:  # which grows: all that could give up its partner for another
            for place in range(len(right)):
                if place in came or not same(got[one], right[place]):
                    continue
                came[place] = one
                if place in item_at:
                    queue.append(item_at[place])
                    continue
                while place is not None:
                    one = came[place]
                    item_at[place], place_of[one], place = one, place, place_of.get(one)
                queue.clear()
                break
    return len(place_of)


def precision(got, right, same=operator.eq):
    """The share of what is there that is right."""
    got, right = list(got), list(right)
    return matches(got, right, same) / len(got) if got else float(not right)


def recall(got, right, same=operator.eq):
    """The share of what is right that is there."""
    got, right = list(got), list(right)
    return matches(got, right, same) / len(right) if right else float(not got)


def f1(got, right, same=operator.eq):
    """The harmonic mean of both."""
    got, right = list(got), list(right)
    return 2 * matches(got, right, same) / (len(got) + len(right)) if got or right else 1.0


HELPERS = {one.__name__: one for one in (*map(choosing, (min, max)), approx, same_tokens, matches, precision, recall, f1)}
