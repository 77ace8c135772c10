"""The surroundings of a call: `input`, `print`, the standard streams and the seed of `random`, as a test has
them (this text is put before the judge's).
"""
import builtins
import io
import random
import sys

# Where each of them is, and Python's own.
PLACES = [(builtins, name) for name in ("input", "print")] + [(sys, name) for name in ("stdin", "stdout", "stderr")]
REAL = [getattr(home, name) for home, name in PLACES]


class Seed:
    """`random.seed` as tests call it: the agent's is to draw the same."""

    def __init__(self):
        self.waiting, self.real = None, random.seed

    def __call__(self, *args, **named):
        self.real(*args, **named)
        self.waiting = [*args, *named.values()]


random.seed = SEED = Seed()


def replaced():
    """The names of what a test has put something else in the place of, with what stands there now."""
    now = ((name, getattr(home, name, None)) for home, name in PLACES)
    return [(name, value) for (name, value), real in zip(now, REAL) if value is not real]


def output_of(function, *args, **named):
    """All that the agent prints while a function of it works."""
    from contextlib import redirect_stdout

    with redirect_stdout(io.StringIO()) as printed:
        function(*args, **named)
    return printed.getvalue()
