"""The surroundings of a call: what a test has put in the place of parts of Python's library, as the agent is to find it there
(this text is put before the judge's).
"""
import builtins
import io
import random
import sys

# Of these, nothing else can be replaced under an agent; and in all other modules nothing that its process itself rests on.
REPLACEABLE = {"builtins": ("input", "print", "open"), "sys": ("stdin", "stdout", "stderr")}
REAL = {home: {name: getattr(sys.modules[home], name) for name in names} for home, names in REPLACEABLE.items()}
UNTOUCHED = frozenset("contextlib functools gc importlib inspect logging operator signal threading types typing unittest warnings".split())
UNREPLACED = frozenset(("os.read", "os.write"))


class Seed:
    """`random.seed` as tests call it: the agent's is to draw the same."""

    def __init__(self):
        self.waiting, self.real = None, random.seed

    def __call__(self, *args, **named):
        self.real(*args, **named)
        self.waiting = [*args, *named.values()]

    def begin(self, key):
        """Chance as it is whenever a run of this task begins: all agents are asked the same, and asked again the same. The key is made
        of the tests, so who doesn't know them can't foresee what they draw."""
        self.real(key)
        self.waiting = None


random.seed = SEED = Seed()


def modules_of(name):
    """The modules on the way to a dotted name, such as `os.path.exists`."""
    parts = name.split(".") if name.partition(".")[0] not in UNTOUCHED | REPLACEABLE.keys() else []
    for last in range(len(parts)):
        module = ".".join(parts[: last + 1])
        try:
            __import__(module)
        except ImportError:
            return
        yield module, sys.modules[module]


def contents(module):
    """A module, and the classes that it defines, each with the name by which it is found there."""
    yield "", module
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module.__name__ and name[:1] != "_":
            yield name, value


class Library:
    """Those parts of Python's library that a task names, as they were before its tests."""

    def __init__(self, names):
        import os

        self.environ, self.bytes, self.argv = os.environ, dict(os.environ._data), [*sys.argv]
        modules = dict(found for name in names for found in modules_of(name))
        if "os" in modules:
            modules["os.path"] = os.path
        self.parts = [
            (module, name, part, {key: value for key, value in vars(part).items() if key[:1] != "_" and is_routine(value)})
            for module, home in modules.items()
            for name, part in contents(home)
        ]

    def replaced(self):
        """(module, class there or "", name, value) of all that a test has put something else in the place of."""
        for home, names in REAL.items():
            now = vars(sys.modules[home])
            yield from ((home, "", name, now.get(name)) for name, real in names.items() if now.get(name) is not real)
        for module, kind, part, before in self.parts:
            now = vars(part)
            for name, real in before.items():
                if (value := now.get(name, real)) is not real and f"{module}.{name}" not in UNREPLACED:
                    yield module, kind, name, value

    def arguments(self):
        """The arguments of the command line, if they are a test's."""
        return [[*sys.argv]] if sys.argv != self.argv else None

    def environment(self):
        """The variables of the environment that a test has set, or deleted (None)."""
        now = sys.modules["os"].environ
        if now is self.environ and now._data == self.bytes:
            return None
        before = {self.environ.decodekey(name): self.environ.decodevalue(value) for name, value in self.bytes.items()}
        names = [name for name in {*now, *before} if now.get(name) != before.get(name)]
        return [[name, now.get(name)] for name in sorted(names)]


# Settings of decimal numbers, as a process has them to begin with.
DECIMALS = {"prec": 28, "rounding": "ROUND_HALF_EVEN", "Emin": -999999, "Emax": 999999, "capitals": 1, "clamp": 0}
TRAPS = frozenset(("DivisionByZero", "InvalidOperation", "Overflow"))


def decimal_settings():
    """The settings of decimal numbers that a test has changed, and the names of the signals that are raised if these are other ones."""
    if (module := sys.modules.get("decimal")) is None:
        return {}
    context = module.getcontext()
    told = {name: now for name, usual in DECIMALS.items() if (now := getattr(context, name)) != usual}
    traps = {signal.__name__ for signal, is_raised in context.traps.items() if is_raised}
    return told if traps == TRAPS else told | {"traps": sorted(traps)}


def is_routine(value):
    return callable(value) or isinstance(value, (staticmethod, classmethod))


def output_of(function, *args, **named):
    """All that the agent prints while a function of it works."""
    from contextlib import redirect_stdout

    if not callable(function):
        raise TypeError("output_of calls a function itself: output_of(f, 2), not output_of(f(2))")
    with redirect_stdout(io.StringIO()) as printed:
        function(*args, **named)
    return printed.getvalue()
