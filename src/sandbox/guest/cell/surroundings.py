"""The surroundings that a test has made for a call, around the agent's side of it (this text is put before agent.py).

The test's replacements of parts of Python's library stand there for as long as the call lasts, and what the agent warns of or logs meanwhile is
told with its answer, where the test listens.
"""
ABSENT = object()
OF_PROCESS = frozenset(("input", "print", "open"))  # builtins that are replaced for Python's library, too
LAYERS = {}  # values that calls under way have put into a place, above the one that was there


class Surroundings:
    """Puts things in their places for a call, and puts back what was there."""

    def __init__(self, peer, told):
        self.peer, self.told, self.undo = peer, told, []
        self.records = self.warned = None
        self.room = 1 << 20  # bytes for what is told of records beside their texts

    def __enter__(self):
        decode = lambda value: Coder(self.peer).decode(value)
        for step in decode(self.told.get("chance", [])):
            set_chance(*step)
        if "argv" in self.told:
            self.put(sys, "argv", *self.told["argv"])
        for name, value in self.told.get("environ", ()):
            self.lay((None, name), value, os.environ.get(name), lambda value, name=name: set_variable(name, value))
        if "decimal" in self.told:
            self.count_as(self.told["decimal"])
        if "logs" in self.told:
            self.listen_to_logs(self.told["logs"])
        if "warnings" in self.told:
            self.listen_to_warnings()
        for module, kind, name, value in self.told.get("places", ()):  # last: what has been done above may rest on them
            value = decode(value)
            for home in self.homes(module, kind, name):
                self.put(home, name, value)
        return self

    def homes(self, module, kind, name):
        """All that something is replaced in. Most builtins are what this process works with, too, so they are other ones in the agent's
        own modules alone, as far as these have nothing of that name."""
        if module != "builtins" or name in OF_PROCESS:
            return [self.home(module, kind)]
        return [home for home in agents_modules(self.peer.module) if name not in vars(home) or (id(home), name) in LAYERS]

    def home(self, module, kind):
        """The module, the class or object in it, or the logger that something is replaced in."""
        home = module_named(module)
        kind = kind.removeprefix("=")
        if kind.startswith("@"):
            return home.root.manager.getLogger(kind[1:]) if kind != "@root" else home.root
        return getattr(home, kind) if kind else home

    def __exit__(self, *_):
        for step in reversed(self.undo):
            step()

    def put(self, home, name, value):
        set_it = lambda value: delattr(home, name) if value is ABSENT else setattr(home, name, value)
        self.lay((id(home), name), value, vars(home).get(name, ABSENT), set_it)

    def lay(self, place, value, before, set_it):
        """Has a value in a place for as long as the call lasts. Calls of several threads may end in any order."""
        layer, layers = [value], LAYERS.setdefault(place, [[before]])
        layers.append(layer)
        set_it(value)
        self.undo.append(lambda: lift(place, layer, set_it))

    def count_as(self, settings):
        """Has decimal numbers be as the test has set them."""
        import decimal

        before = decimal.getcontext()
        context = before.copy()
        for name, value in settings.items():
            if name == "traps":
                context.traps = {signal: int(signal.__name__ in value) for signal in before.traps}
            else:
                setattr(context, name, value)
        decimal.setcontext(context)
        self.undo.append(lambda: decimal.setcontext(before))

    def listen_to_warnings(self):
        import warnings

        listening = warnings.catch_warnings(record=True)
        self.warned = listening.__enter__()
        warnings.simplefilter("always")
        self.undo.append(lambda: listening.__exit__(None, None, None))

    def listen_to_logs(self, levels):
        import logging

        self.records, passed_on = [], logging.Logger.callHandlers
        self.of_all_records = vars(logging.makeLogRecord({})).keys()

        def call_handlers(logger, record):
            self.records.append(record)
            if logger.hasHandlers():
                passed_on(logger, record)

        self.put(logging.Logger, "callHandlers", call_handlers)
        self.put_level(logging.root.manager, "disable", levels.pop("\0"))
        for name, level in levels.items():
            self.put_level(logging.getLogger(name), "level", level)
        logging.root.manager._clear_cache()
        self.undo.insert(0, logging.root.manager._clear_cache)

    def put_level(self, home, name, level):
        self.lay((id(home), name), level, getattr(home, name), lambda level: setattr(home, name, level))

    def overheard(self):
        """The part of an answer that tells what was warned of and logged."""
        told = {}
        if self.warned:
            told["warnings"] = [raised(self.peer, it.message) | {"line": it.lineno} for it in self.warned[:MAX_OVERHEARD]]
        if self.records:
            told["logs"] = [self.logged(record) for record in self.records[:MAX_OVERHEARD]]
        return f', "overheard": {dumps(told)}' if told else ""

    def logged(self, record):
        told = {"name": record.name[:200], "level": record.levelno, "text": exact(text_of_record(record)[:4000])}
        told |= {"line": record.lineno, "function": record.funcName}
        told |= self.parts_of(record)
        if record.exc_info and record.exc_info[1] is not None:
            import logging

            trace = logging.Formatter().formatException(record.exc_info)
            told |= {"error": raised(self.peer, record.exc_info[1]), "trace": exact(trace[-4000:])}
        return told


    def parts_of(self, record):
        """The parts that a record's text is put together of, and the attributes that it has been given (`extra`); nothing once all are too large."""
        if self.room <= 0:
            return {}
        told = {}
        if record.args or type(record.msg) is not str:
            told |= {"msg": held(self.peer, record.msg), "args": held(self.peer, record.args or ())}
        extra = [name for name in vars(record) if type(name) is str and name[:1] != "_" and name not in self.of_all_records]
        if extra:
            told["extra"] = {name: held(self.peer, vars(record)[name]) for name in extra[:MAX_EXTRAS] if len(name) <= LONGEST_NAME}
        self.room -= len(dumps(told))
        return told


def text_of_record(record):
    try:
        return record.getMessage()
    except Exception:
        return str(record.msg)  # its arguments do not fit, of which Python tells on stderr


def lift(place, layer, set_it):
    layers = LAYERS[place]
    is_top = layers[-1] is layer
    layers[:] = [other for other in layers if other is not layer]
    if is_top:
        set_it(layers[-1][0])
    if len(layers) == 1:
        del LAYERS[place]


def agents_modules(first):
    """The agent's module, and those beside it that it has imported."""
    others = [it for it in sys.modules.values() if type(it) is type(sys) and it is not first]
    return [first, *(it for it in others if str(getattr(it, "__file__", None)).startswith(f"{HOME}/"))]


def set_chance(step, *told):
    """Has the module random be seeded, or be in a state of the test's, or in one of its own that was kept when the test got one."""
    import random

    if step == "keep":
        KEPT_STATES[told[0]] = random.getstate()
        KEPT_STATES.pop(told[0] - MAX_STATES, None)
    elif step == "seed":
        random.seed(*told)
    elif step == "set" or told[0] in KEPT_STATES:
        random.setstate(told[0] if step == "set" else KEPT_STATES[told[0]])


KEPT_STATES, MAX_STATES = {}, 100


def module_named(name):
    __import__(name)
    return sys.modules[name]


def set_variable(name, value):
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
