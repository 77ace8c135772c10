"""The surroundings of a call: what a test has put in the place of parts of Python's library, as the agent is to find it there
(this text is put before the judge's).
"""
import builtins
import io
import json
import random
import re
import reprlib
import sys
import types

# Names that may stand for something else under any agent, whatever the task names.
REPLACEABLE = {"builtins": ("input", "print", "open"), "sys": ("stdin", "stdout", "stderr")}
REAL = {home: {name: getattr(sys.modules[home], name) for name in names} for home, names in REPLACEABLE.items()}
# Parts that the agent's process itself rests on, which stay there as they are: all that can be called of these modules, and these by their names.
KEPT_MODULES = frozenset("inspect operator types typing".split())
KEPT_NAMES = frozenset("os.read os.write os._exit builtins.__import__ builtins.__build_class__".split())
# Of `sys`, what that process does not rest on.
OF_SYS = frozenset("""breakpointhook displayhook excepthook exit getallocatedblocks getdefaultencoding getfilesystemencoding getrecursionlimit getsizeof
    getswitchinterval gettrace getprofile intern is_finalizing setprofile setrecursionlimit setswitchinterval settrace unraisablehook""".split())
# Modules of the library that the judge itself works with while a test may have a builtin of its own.
OUR_MODULES = frozenset("collections enum functools json json.decoder json.encoder re re._compiler re._parser reprlib sre_compile sre_parse".split())
# Names of what is told in other ways, or is the test's own affair.
NOT_PLACES = frozenset("""os.environ sys.argv sys.meta_path sys.modules sys.path sys.path_hooks sys.path_importer_cache sys.stdlib_module_names
    warnings.filters warnings.formatwarning warnings.showwarning""".split())


def keep_builtins(scope):
    """Has a module keep Python's own builtins, whatever a test puts in their place: it would be called by us, who are no agent."""
    for name, value in vars(builtins).items():
        if name[:1] != "_":
            scope.setdefault(name, value)


keep_builtins(globals())
for _module in OUR_MODULES & sys.modules.keys():
    keep_builtins(vars(sys.modules[_module]))


class Chance:
    """`random.seed`, `getstate` and `setstate` as tests call them: the agent is told, and draws the same again. It draws from a stream of its
    own, whose states stay with it: where a test sets one that it has got itself, the agent sets its own of that moment."""

    MOST = 50  # states that are known again

    def __init__(self):
        self.steps, self.states, self.count = [], [], 0
        self.seed_real, self.get_real, self.set_real = random.seed, random.getstate, random.setstate

    def begin(self, key):
        """Chance as it is whenever a run of this task begins: all agents are asked the same, and asked again the same. The key is made
        of the tests, so who doesn't know them can't foresee what they draw."""
        self.seed_real(key)
        self.steps, self.states = [], []

    def seed(self, *args, **named):
        self.seed_real(*args, **named)
        self.begin_anew(["seed", *args, *named.values()])

    def getstate(self):
        state = self.get_real()
        if not self.is_kept_now():
            self.count += 1
            self.steps.append(["keep", self.count])
        self.states = [*self.states[1 - self.MOST :], (state, self.count)]
        return state

    def setstate(self, state):
        self.set_real(state)
        number = next((number for known, number in self.states if known is state), None)
        self.begin_anew(["set", state] if number is None else ["return", number])

    def begin_anew(self, step):
        """A step that leaves nothing of the last one, unless that one's state is kept."""
        if self.steps and not self.is_kept_now():
            self.steps.pop()
        self.steps.append(step)

    def is_kept_now(self):
        return bool(self.steps) and self.steps[-1][0] == "keep"

    def told(self):
        """The steps since the last call; None if there are none."""
        steps, self.steps = self.steps, []
        return steps or None


CHANCE = Chance()
random.seed, random.getstate, random.setstate = CHANCE.seed, CHANCE.getstate, CHANCE.setstate


def modules_of(name):
    """The modules on the way to a dotted name, such as `os.path.exists`; none of unittest's, by which the test itself goes."""
    parts = name.split(".") if name.partition(".")[0] != "unittest" else []
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
    for name, value in vars(module).items() if module is not builtins else ():
        if isinstance(value, type) and value.__module__ == module.__name__ and name[:1] != "_":
            yield name, value


def places_of(home, part):
    """All that may be replaced in a module or class, by its name."""
    told = {name: value for name, value in vars(part).items() if is_place(f"{home}.{name}", name, value)}
    return {name: value for name, value in told.items() if name not in REPLACEABLE.get(home, ())}


def is_place(dotted_name, name, value):
    is_shown = name[:1] != "_" or dotted_name in KEPT_NAMES
    return is_shown and dotted_name not in NOT_PLACES and not isinstance(value, types.ModuleType)


def stays(home, name, real):
    """True for what is the same where the agent is, whatever a test puts in its place."""
    is_kept = home in KEPT_MODULES or home == "sys" and name not in OF_SYS
    return is_kept and is_routine(real) or f"{home}.{name}" in KEPT_NAMES


STAYS = (
    "stays as it is where the agent is, whose process rests on it: what the test has put in its place does not reach the agent; replace a function of the agent's "
    "(`patch(\"agent.helper\")`), or look at what comes of it. To forbid a name, say `validate: {forbid: [...]}`"
)


class Library:
    """Those parts of Python's library that a task names, as they were before its tests."""

    def __init__(self, names):
        import os

        self.environ, self.bytes, self.argv = os.environ, dict(os.environ._data), [*sys.argv]
        modules = dict(found for name in names for found in modules_of(name))
        if "os" in modules:
            modules["os.path"] = os.path
        self.parts = [(module, name, part, places_of(module, part)) for module, home in modules.items() for name, part in contents(home)]

    def replaced(self, refuse):
        """(module, class there or "", name, value) of all that a test has put something else in the place of. What can't be replaced where
        the agent is, is refused: else the test would go on as if the agent had not used it."""
        for home, names in REAL.items():
            now = vars(sys.modules[home])
            yield from ((home, "", name, now.get(name)) for name, real in names.items() if now.get(name) is not real)
        for module, kind, part, before in self.parts:
            now = vars(part)
            for name, real in before.items():
                if (value := now.get(name, real)) is not real:
                    if stays(module, name, real):
                        refuse(".".join(filter(None, (module, kind, name))))
                    yield module, kind, name, value
        yield from replaced_of_objects()

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


def replaced_of_objects():
    """Methods that a test has replaced in a stream, the environment or a logger alone; in the place of a class stands where the object is found."""
    for place, it in objects_of_both():
        for name, value in vars(it).items() if hasattr(it, "__dict__") else ():
            if name[:1] != "_" and callable(getattr(type(it), name, None)):
                yield *place, name, value


def objects_of_both():
    """The objects of Python's library that either side has: (module, `=` and a name there, or `@` and a logger's name), object."""
    for name, real in REAL["sys"].items():
        yield ("sys", f"={name}"), real
    yield ("os", "=environ"), sys.modules["os"].environ
    if logging := sys.modules.get("logging"):
        for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
            yield ("logging", f"@{logger.name}" if isinstance(logger, logging.Logger) else ""), logger


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
