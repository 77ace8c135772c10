"""Exceptions on their way to the other side: as data there, and made anew (this text is put behind library.py).

What is told of one is what it says of itself, so names of classes are claims, too: those made anew are Python's own, those
of library modules that are imported already, and for the rest a class that has nothing but the name.
"""

MAX_GROUP_DEPTH = 3
MAX_HELD = 4000  # bytes of what an exception holds
MAX_EXTRAS = 20  # attributes that a log record has beside those of all
MAX_KINDS = 20  # classes that it descends from
OURS_ON_IT = frozenset(("agents_kinds", "agents_handle", "agents_ticket"))
# Fields of Python's own exceptions beside their `args`.
FIELDS = "code errno strerror filename name value msg lineno offset text path".split()
EXCEPTIONS = {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}


class Harmless(RuntimeError):
    """An exception of the other side that Python's own machinery obeys. As itself it would end an assertion's `map`, loop or
    task early, and `all` of nothing holds."""

    value = None


def harmless(name):
    """The class that stands for one of these, and that has its name."""
    module, _, last = name.rpartition(".")
    return type(last, (Harmless,), {"stands_for": name, "__module__": module or "builtins"})


OBEYED = ("StopIteration", "StopAsyncIteration", "GeneratorExit", "asyncio.exceptions.CancelledError")
HARMLESS = {name: harmless(name) for name in OBEYED}
Stopped, StoppedAsync = HARMLESS["StopIteration"], HARMLESS["StopAsyncIteration"]


def raised(peer, error, depth=0):
    """An exception as data: its own name, the classes that it descends from, its text and line, and what it holds."""
    content = {"name": type(error).__name__[:LONGEST_NAME], "kinds": [], "text": "", "line": None}
    try:
        content["kinds"] = [dotted(kind)[:200] for kind in type(error).__mro__[:MAX_KINDS]]
        if not peer.may_tell(error):
            return content
        content |= {"text": exact(text_of_error(error)) if tells_all(peer, error) else "", "line": peer.line(error)}
        content["args"] = held(peer, error.args)
        names = [name for name in FIELDS if hasattr(type(error), name)] + [name for name in vars(error) if name not in OURS_ON_IT]
        fields = ((name, held(peer, value)) for name in names[:20] for value in had(error, name))
        content["fields"] = [[name, value] for name, value in fields if value is not None]
        if isinstance(error, BaseExceptionGroup) and depth < MAX_GROUP_DEPTH:
            content["message"] = held(peer, error.message)
            content["group"] = [raised(peer, one, depth + 1) for one in error.exceptions[:20]]
        for name, other in (("cause", error.__cause__), ("context", error.__context__)):
            if other is not None and depth < MAX_GROUP_DEPTH:
                content[name] = raised(peer, other, depth + 1)
        content["suppress"] = error.__suppress_context__
        content["notes"] = held(peer, vars(error).get("__notes__"))
        if (ticket := vars(error).get("agents_ticket")) is not None:
            content["ticket"] = ticket
        elif (number := getattr(type(error), "agents_class", None)) is not None:
            content["made"] = number  # by the agent, of a class of the test's
        elif type(error).__module__ != "builtins":
            content["handle"] = peer.handle(error)
    except BaseException:
        pass  # an exception that does not let itself be looked at
    return content


def had(error, name):
    """The value of an attribute in a list; an empty one where there is none. Some fail otherwise than by an AttributeError, such as an HTTPError without a file."""
    try:
        return [getattr(error, name)]
    except Exception:
        return []


def tells_all(peer, error, depth=0):
    """False if its text holds that of one which may not be told, as that of `ValueError(error)` does."""
    inner = [one for one in error.args if isinstance(one, BaseException)]
    return peer.may_tell(error) and depth < MAX_DEPTH and all(tells_all(peer, one, depth + 1) for one in inner)


def text_of_error(error):
    try:
        return str(error)[:1000]
    except BaseException:
        return "?"


def held(peer, value):
    """A value as it is sent, within a list, as None may be one; None if it is too large beside an exception."""
    known = len(peer.kinds)
    try:
        tagged = Coder(peer).tagged(value, 0)
        if len(dumps(tagged)) <= MAX_HELD:
            return [tagged]
    except (NotPlain, RecursionError):
        pass
    peer.forget_kinds(known)
    return None


def known_kind(name):
    """The class that a claim names, such as `ValueError` or `json.decoder.JSONDecodeError`; None if it is not known here."""
    if name in HARMLESS:
        return HARMLESS[name]
    if "." not in name:
        return EXCEPTIONS.get(name)
    if (kind := known_class(name)) is None or not issubclass(kind, Exception):
        return None
    if dotted(kind) != name:
        return known_kind(dotted(kind))  # by another of its names
    return None if is_obeyed_kind(kind) else kind


def is_order(module, name):
    """True for an exception by which code steers a library of tests, or a pool of workers: a skip, an end, something given up."""
    return name.startswith("_") or name == "CancelledError" or module.split(".")[0] == "unittest"


def is_obeyed(error):
    """True for an exception that ends a loop, a generator or a test wherever it is raised, as `Harmless` is not."""
    return is_obeyed_kind(type(error))


def is_obeyed_kind(kind):
    for name in (dotted(base) for base in kind.__mro__ if issubclass(base, BaseException)):
        module, _, last = name.rpartition(".")
        if name in HARMLESS or (module.split(".")[0] in sys.stdlib_module_names and is_order(module, last)):
            return True
    return False


def strange_kind(peer, name):
    """The class for all exceptions of the other side whose own classes include one of this name."""
    if name not in peer.strange:
        peer.strange[name] = type(name, (BaseException,), {"__module__": "agent"})
    return peer.strange[name]


def raisable(peer, names, number):
    """The class that stands for an exception class of the other side: for all exceptions from there that descend from it, and to raise."""
    name = names[0].rpartition(".")[2]
    base = next(filter(None, map(peer.known_kind, names)), Exception)
    if name not in peer.strange:
        peer.strange[name] = type(name, (base,), {"__module__": "agent"})
    kind = peer.strange[name]
    kind.agents_class = number  # of the class that had the name last
    if not issubclass(kind, base):
        descend(kind, base)
    return kind


def descend(kind, base):
    """Has a class that an exception has told the name of alone descend from Python's, too."""
    try:
        kind.__bases__ = (base,)
    except TypeError:
        pass  # one whose objects hold more


def rebuilt(peer, content, depth=0):
    """The exception of a claim: of all the classes that it names, as an agent's own may descend from several; with what it
    held, as far as that travels."""
    if (mine := peer.own_error(content)) is not None:
        return mine
    names = content.get("kinds")
    names = [name for name in names[:MAX_KINDS] if type(name) is str] if type(names) is list else []
    kinds = [kind for kind in map(peer.known_kind, dict.fromkeys(names)) if kind] or [Exception]
    leaves = tuple(kind for kind in kinds if not any(issubclass(k, kind) and k is not kind for k in kinds))
    strange = (strange_kind(peer, name.rpartition(".")[2]) for name in names if peer.known_kind(name) is None and not is_known_otherwise(name))
    strange = tuple(dict.fromkeys(strange))
    text = shortened(content.get("text"), 1000)
    error = made(peer, leaves[0], content, text, depth)
    if strange or len(leaves) > 1 or said(error) != text:
        try:
            own = own_operations(error.agents_handle) | {"__str__": lambda self: text, "__getattr__": asked_of_handle, "__module__": "agent"}
            name = shortened(content.get("name")) if strange else leaves[0].__name__
            error = made(peer, type(name, strange + leaves, own), content, text, depth)
        except TypeError:
            pass  # no class can be all of these: a claim that no agent's exception made
    # A test may name these without an import, and whether they are known here depends on what else was imported by then.
    imported = {name.rpartition(".")[2]: peer.known_kind(name) for name in names if "." in name}
    peer.met |= {name: kind for name, kind in imported.items() if kind is not None}
    error.agents_kinds = frozenset((*imported, *(kind.__name__ for kind in strange)))
    return error


def is_known_otherwise(name):
    """True for a class of Python's that is no exception, as the stream is that an HTTPError is, too."""
    kind = known_class(name)
    return name == "object" or kind is not None and not issubclass(kind, BaseException)


def asked_of_handle(self, name):
    handle = None if name.startswith("_") or name == "agents_handle" else self.agents_handle
    if handle is None:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    return getattr(handle, name)


# Of what a class of exceptions may define, what is not asked of the other side: the text is there, and what is called, or ends a
# block, would pass for a function or manager of this side's.
NOT_ASKED = frozenset(("__str__", "__call__", "__enter__", "__exit__"))


def own_operations(handle):
    """The operations that an exception's class defines, which are asked of the object itself."""
    if handle is None:
        return {}
    about = about_of(handle)
    own = {name: of_handle(name) for name in about.changed & DIFFERING - NOT_ASKED if getattr(type(handle), name, None)}
    if "__hash__" in about.own or "__eq__" in own:
        own["__hash__"] = of_handle("__hash__") if "__hash__" in about.can else None
    if "__len__" in own:
        own.setdefault("__bool__", of_handle("__bool__"))
    return own


def of_handle(name):
    return lambda self, *args: getattr(type(self.agents_handle), name)(self.agents_handle, *args)


def made(peer, kind, content, text, depth):
    parts = content.get("group")
    if issubclass(kind, BaseExceptionGroup):
        parts = parts if type(parts) is list and depth < MAX_GROUP_DEPTH else []
        parts = [rebuilt(peer, part, depth + 1) for part in parts if type(part) is dict]
        error = kind.__new__(kind, kept(peer, content, "message", str, text), parts or [Exception("?")])
    else:
        error = kind.__new__(kind)
        error.args = kept(peer, content, "args", tuple, (text,))
        if issubclass(kind, (UnicodeDecodeError, UnicodeEncodeError)) and is_place_in_text(*error.args):
            error.__init__(*error.args)
    # Their fields are used as numbers of bytes without a look at them.
    fields = [] if issubclass(kind, UnicodeError) else content.get("fields")
    for name, value in fields if type(fields) is list else []:
        if type(name) is str and not name.startswith("_"):
            try:
                value = Coder(peer).decode(value[0])
                peer.check_field(name, value)
                setattr(error, name, value)
            except Exception:
                pass  # nothing that such an exception holds
    for name in ("cause", "context"):
        if type(content.get(name)) is dict and depth < MAX_GROUP_DEPTH:
            setattr(error, f"__{name}__", rebuilt(peer, content[name], depth + 1))
    error.__suppress_context__ = content.get("suppress") is True
    for note in kept(peer, content, "notes", list, []):
        error.add_note(shortened(note, 1000))
    try:
        error.agents_handle = peer.proxy(content["handle"])
    except (LookupError, TypeError, ValueError, AttributeError):
        error.agents_handle = None
    error.agents_ticket = content.get("ticket")
    return error


def is_place_in_text(encoding=None, text=None, start=None, end=None, reason=None, *more):
    """True if a UnicodeError is about a part of its text that is there: Python takes its word for that."""
    fits = type(encoding) is type(reason) is str and type(start) is type(end) is int and not more
    return fits and type(text) in (str, bytes) and 0 <= start < end <= len(text)


def kept(peer, content, name, kind, default):
    """A part of the exception; the default if that is none."""
    try:
        value = Coder(peer).decode(content[name][0])
    except (LookupError, TypeError, NotPlain):
        return default
    return value if type(value) is kind else default


def said(error):
    """An exception's text, if it has one: `assert x, 1 << 60000` has none, as Python does not print so many digits."""
    try:
        return str(error)
    except Exception:
        return f"{type(error).__name__} without a text that can be shown"


def shortened(text, most=200):
    """The text of a claim, whatever else may stand there."""
    text = whole(text)
    return "?" if text is None else text[:most]
