"""Guises: attributes of proxies' classes by which functions of the library know objects of the test's, such as dataclasses and members of
enumerations (this text is put before agent.py).
"""


class AskedFields:
    """`__dataclass_fields__` of a class of the test's, asked of an object of it."""

    def __init__(self, about):
        self.about = about

    def __get__(self, it, kind=None):
        it = self.about.first if it is None else it
        return fields_of(link_of(it).peer, it)


class AskedAnnotations(dict):
    """`__annotations__` of a class of the test's, asked of an object of it."""

    def __init__(self, about):
        super().__init__()
        self.about = about

    def __get__(self, it, kind=None):
        if it is not None:
            return link_of(it).peer.attribute(it, "__annotations__")
        try:
            return link_of(self.about.first).peer.attribute(self.about.first, "__annotations__")
        except AttributeError:
            return {}

    def __iter__(self):
        return iter(self.__get__(None))

    def __getitem__(self, name):
        return self.__get__(None)[name]

    def keys(self):
        return self.__get__(None).keys()

    def items(self):
        return self.__get__(None).items()


def fields_of(peer, owner):
    """The fields of a dataclass of the test's, as the module dataclasses has them, with `...` for each default."""
    import dataclasses

    try:
        told = peer.ask("fields", owner)
    except TypeError:
        raise AttributeError(f"{type(owner).__name__!r} object has no attribute '__dataclass_fields__'") from None
    return {name: field_seen(dataclasses, name, *parts) for name, *parts in told}


def field_seen(dataclasses, name, kind, has_default, init, shown, compared, is_named):
    field = dataclasses.field(default=... if has_default else dataclasses.MISSING, init=init, repr=shown, compare=compared, kw_only=is_named)
    field.name, field.type, field._field_type = name, kind, dataclasses._FIELD
    return field


def guise_of(about):
    """The attributes that functions of the library look for in such a class of the test's."""
    guise = {"__slots__": ("__weakref__",)}
    if about.builtin is not None or about.is_library:
        return guise
    guise |= {"__annotations__": AskedAnnotations(about), "__class__": property(class_seen)}
    return guise | {"__dataclass_fields__": AskedFields(about)} if about.is_dataclass else guise


def class_seen(proxy):
    """`__class__` of a proxy: one of its class's name that descends from the library's class if there is one; for `dataclasses.replace`,
    which calls it, one that has the test make the object; for `singledispatch`, that of the test's classes for which it has a function."""
    about, caller = about_of(proxy), sys._getframe(1)
    home = caller.f_globals.get("__name__")
    if about.is_dataclass and home == "dataclasses" and caller.f_code.co_name in ("replace", "_replace"):
        return lambda **changes: remade(proxy, changes)
    if home == "functools" and (kind := dispatched_by(proxy, caller.f_locals)) is not None:
        return kind
    known = claimed_class(about.library)
    return type(proxy) if known is None else named_child(known, about.name)


def dispatched_by(proxy, scope):
    """Of the test's classes that a function of `singledispatch` knows, the first that an object is of and none of the others is below; None
    if it is of none. `scope` is that of the function, or method, which looks for what to call."""
    dispatch = scope.get("dispatch") or getattr(getattr(scope.get("self"), "dispatcher", None), "dispatch", None)
    free = getattr(getattr(dispatch, "__code__", None), "co_freevars", ())
    if "registry" not in free:
        return None
    registry = dispatch.__closure__[free.index("registry")].cell_contents
    kinds = [kind for kind in registry if is_stand_in(kind) and isinstance(proxy, kind)]
    return next((kind for kind in kinds if not any(other is not kind and issubclass(other, kind) for other in kinds)), None)


def take_classes():
    """Has abstract classes of the agent's take what stands for a class of the test's: it is below those that its bases are below. Python
    itself takes nothing there but its own classes."""
    import abc

    real = abc._abc_subclasscheck
    if real.__module__ == "_abc":
        abc._abc_subclasscheck = lambda cls, kind: any(real(cls, base) for base in kind.__bases__) if is_stand_in(kind) else real(cls, kind)


NAMED_CHILDREN = {}


def named_child(known, name):
    """A class of this name that descends from one of the library's, or that one if none may."""
    if (known, name) not in NAMED_CHILDREN:
        try:
            meta = type(known)
            NAMED_CHILDREN[known, name] = meta(name, (known,), meta.__prepare__(name, (known,)))
        except Exception:
            NAMED_CHILDREN[known, name] = known
    return NAMED_CHILDREN[known, name]


def remade(proxy, values):
    """A dataclass's object of the test's with other values, made by the test's class from what has changed."""
    none = object()  # of a name that is no field's
    changes = {name: value for name, value in values.items() if not is_unchanged(getattr(proxy, name, none), value)}
    return link_of(proxy).peer.ask("replace", proxy, (), changes)


def is_unchanged(now, value):
    if now is value or type(now) is not type(value):
        return now is value
    plain = plain_kind(type(now))
    return (type(now) in ATOMS or plain is not None and not plain.refill) and now == value
