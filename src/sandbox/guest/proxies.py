"""Proxies: what stands on one side for an object of the other (this text is put behind peer.py)."""


def is_stand_in(value):
    """True for what stands for an object of the other side. `isinstance` might ask that object."""
    return issubclass(type(value), (Proxy, Member))


class About:
    """A class of the other side as far as it is known: its claim, in known types."""

    def __init__(self, told):
        words = lambda key: frozenset(word for word in told[key] if type(word) is str)
        self.name = told["name"][:LONGEST_NAME] if type(told["name"]) is str else "object"
        self.can, self.own, self.methods, self.builtin = words("can"), words("own"), words("methods"), told["builtin"]
        self.changed, self.of_enum = words("changed"), words("of_enum")
        self.library, self.is_library = told["library"] if type(told["library"]) is str else "", told["is_library"] is True
        self.is_dataclass = told.get("is_dataclass") is True
        self.abstract = [kind for kind in map(abstract_class, words("abstract")) if kind is not None]


class Reference:
    """The object that a proxy stands for."""

    def __init__(self, peer, number, name):
        self.peer, self.number, self.name = peer, number, name
        self.made = False  # by the test itself, from a class that it names
        self.is_kin = False  # of such an object: what a method of its class has given, of that class
        self.query = None  # the name by which the test got it, where plain data has a method of that name


def link_of(proxy):
    return object.__getattribute__(proxy, "_agentmill")


def about_of(proxy):
    """The claims about its object's class; under a name that no object's attribute has."""
    return type(proxy)._agentmill_about


class OfClass:
    """A method that the class has for `copy`. `itertools.tee` asks the object, and what its own class lacks, it must not find there."""

    def __init__(self, method):
        self.method = method

    def __get__(self, it, kind=None):
        if it is not None:
            raise AttributeError
        return self.method


class Proxy:
    """An object of the other side."""

    __slots__ = ("_agentmill",)

    def __getattr__(self, name):
        if name in about_of(self).methods:
            return Member(link_of(self).peer, self, name)
        return link_of(self).peer.attribute(self, name)

    def __setattr__(self, name, value):
        link_of(self).peer.pasts.keep(self, name)
        link_of(self).peer.ask("set", self, (name, value))

    def __delattr__(self, name):
        link_of(self).peer.pasts.keep(self, name)
        link_of(self).peer.ask("del", self, (name,))

    def __instancecheck__(self, value):
        return link_of(self).peer.is_instance(value, self)

    def __subclasscheck__(self, kind):
        return link_of(self).peer.is_subclass(kind, self)

    def __mro_entries__(self, bases):
        return link_of(self).peer.refuse_descent(link_of(self).name or type(self).__name__)

    __copy__ = OfClass(lambda self: link_of(self).peer.ask("copy", self, (False,)))

    def __deepcopy__(self, memo):
        return link_of(self).peer.ask("copy", self, (True,))

    def __reduce_ex__(self, protocol):
        raise TypeError(f"can't pickle {type(self).__name__}, which is not here")

    def __bool__(self):
        return link_of(self).peer.truth(self)

    def __hash__(self):
        return link_of(self).peer.hash(self)

    __dict__ = property(lambda self: attributes_of(self, link_of(self).peer.attribute(self, "__dict__")))


class Attributes(dict):
    """The attributes of an object of the other side, which gets what is put among them."""

    def __setitem__(self, name, value):
        link_of(self.proxy).peer.pasts.keep(self.proxy, name)
        link_of(self.proxy).peer.ask("put", self.proxy, (name, value))
        super().__setitem__(name, value)

    def __reduce_ex__(self, protocol):  # a copy is the copier's own
        return dict, (dict(self),)

    __setitem__.__module__ = "builtins"  # it is plain data to whom it is given


def attributes_of(proxy, held):
    if type(held) is not dict:
        return held
    attributes = Attributes(held)
    attributes.proxy = proxy
    return attributes


def asking(op):
    return lambda self, /, *args, **named: link_of(self).peer.ask(op, self, args, named)


def comparing(op):
    return lambda self, other: link_of(self).peer.compare(op, self, other)


def proxied_next(self):
    try:
        return link_of(self).peer.ask("__next__", self)
    except Stopped as error:
        raise StopIteration(*error.args) from None


def proxied_await(self):
    return link_of(self).peer.ask("await", self)
    yield


def proxied_send(self, _):
    raise StopIteration(link_of(self).peer.ask("await", self))


def proxied_throw(self, kind, *_):
    raise kind


def awaiting(name):
    async def method(self, *args):
        try:
            return link_of(self).peer.ask("await", self, (name, *args))
        except StoppedAsync as error:
            if name != "__anext__":
                raise
            raise StopAsyncIteration(*error.args) from None

    return method


def asking_for(name):
    return property(lambda self: link_of(self).peer.attribute(self, name))


OFFERED = {name: asking(name) for name in (*UNARY, *GIVEN, *ARITHMETIC)}
OFFERED |= {name: awaiting(name) for name in ("__anext__", "__aenter__", "__aexit__")}
OFFERED |= {"__next__": proxied_next, "__await__": proxied_await, "__aiter__": lambda self: link_of(self).peer.ask("aiter", self)}
PERFORM["aiter"] = lambda it: type(it).__aiter__(it)
# Of a coroutine, what Python itself looks at to name it.
COROUTINE = dict.fromkeys(("cr_code", "cr_frame", "cr_await", "cr_running", "gi_code", "gi_frame", "gi_running"))
COROUTINE |= {"send": proxied_send, "throw": proxied_throw, "close": lambda self: None}


def proxy_class(about, guise):
    """A class of proxies that offers what the class of their objects offers."""
    offered = {name: OFFERED[name] for name in OFFERED if name in about.can and name not in ("__bool__", "__hash__")}
    if "__await__" in about.can and "send" in about.methods:
        offered |= COROUTINE
    if about.builtin == "function":
        offered["__get__"] = lambda self, it, kind=None: self if it is None else METHOD(self, it)
    if about.builtin == "type":
        offered.setdefault("__getitem__", asking("__getitem__"))  # of a generic class
        offered.setdefault("__iter__", None)  # else Python would ask for one item after the other
    offered |= {name: comparing(name) for name in COMPARISONS}
    offered |= {"__hash__": Proxy.__hash__ if "__hash__" in about.can else None, "__doc__": asking_for("__doc__"), "__module__": asking_for("__module__")}
    base = known_builtin(about.builtin)
    if base is not None or about.library:
        offered["__class__"] = property(lambda self: claimed_class(about.library) or base or type(self))
    kind = type(about.name, (Proxy,), {**offered, "_agentmill_about": about, "__slots__": (), **guise})
    kind.__slots__ = asking_for("__slots__")  # those of the object's class
    for base in about.abstract:
        if base.__module__ != "numbers":  # numbers of Python's own would ask it for its parts, and take them at their word
            base.register(kind)
    return kind


def claimed_class(name):
    """The class of Python's library that is claimed to be an object's. None if such objects are plain data, or are told in other ways: the claim
    would have one for a number, or a text."""
    kind = known_class(name)
    if kind is None or dotted(kind) != name or issubclass(kind, (*TOLD_OTHERWISE, BaseException)):
        return None
    return kind if not any(dotted(base) in LIBRARY for base in kind.__mro__) else None


TOLD_OTHERWISE = tuple(base for base, _ in COPIES) + (bool, complex)


def known_builtin(name):
    """Of the kinds of objects that only Python itself makes, the one of this name."""
    return BUILTIN_KINDS.get(name) if type(name) is str else None


def a_coroutine():
    async def nothing():
        pass

    coroutine = nothing()
    coroutine.close()
    return type(coroutine)


async def _an_async_generator():
    yield


METHOD = type(Proxy().__hash__)
BUILTIN_KINDS = {kind.__name__: kind for kind in (type(a_coroutine), type(len), type((lambda: (yield))()), a_coroutine())}
BUILTIN_KINDS |= {name: NAMED[name] for name in "property classmethod staticmethod map filter zip enumerate reversed super".split()}
DATA_KINDS = {kind.__name__: kind for kind in (list, dict, set, bytearray)}
BUILTIN_KINDS |= DATA_KINDS | {"memoryview": memoryview, "mappingproxy": VIEWS["mappingproxy"]}
BUILTIN_KINDS |= {kind.__name__: kind for kind in (type(_an_async_generator()), METHOD, type)}


class Member:
    """A name of the other side's module, or a method of an object there, until it is known what it stands for."""

    def __init__(self, peer, owner, name):
        object.__setattr__(self, "_agentmill", (peer, owner, name))
        object.__setattr__(self, "_agentmill_held", peer.pasts.hold(owner, name))

    def resolved(self):
        peer, owner, name = member_of(self)
        return peer.attribute(owner, name) if (past := past_of(self)) is NOTHING else past

    def __call__(self, /, *args, **named):
        peer, owner, name = member_of(self)
        return peer.call(owner, name, args, named) if (past := past_of(self)) is NOTHING else past(*args, **named)

    def __getattr__(self, name):
        return getattr(self.resolved(), name)

    def __setattr__(self, name, value):
        setattr(self.resolved(), name, value)

    def __instancecheck__(self, value):
        peer, owner, name = member_of(self)
        return peer.is_instance(value, self)

    def __subclasscheck__(self, kind):
        return member_of(self)[0].is_subclass(kind, self)

    def __mro_entries__(self, bases):
        return member_of(self)[0].refuse_descent(member_of(self)[2])

    def __deepcopy__(self, memo):
        return __import__("copy").deepcopy(self.resolved(), memo)

    def __reduce_ex__(self, protocol):  # what `copy.copy` looks for, too
        return copy_of, (self.resolved(),)

    __class__ = property(lambda self: self.resolved().__class__)
    __doc__ = property(lambda self: self.resolved().__doc__)
    __dict__ = property(lambda self: self.resolved().__dict__)
    __module__ = property(lambda self: self.resolved().__module__)


def copy_of(it):
    return __import__("copy").copy(it)


def member_of(member):
    return object.__getattribute__(member, "_agentmill")


def past_of(member):
    """The object that the name of a member stood for when that was made; NOTHING if it stands for it still."""
    peer, owner, name = member_of(member)
    return peer.pasts.since(object.__getattribute__(member, "_agentmill_held"), owner, name)


def resolving(operation):
    return lambda self, *args: operation(self.resolved(), *args)


for _name, _operation in {**UNARY, **GIVEN, **ARITHMETIC, **COMPARISONS}.items():
    if _name != "__call__":
        setattr(Member, _name, resolving(_operation))
