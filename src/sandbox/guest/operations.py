"""Operations on objects that stay on the other side, by names that are Python's own where it has one
(this text is put behind raised.py).
"""


def special(it, name):
    """A method as Python itself finds it: in the class alone, and bound if it can be, which a mock's can't."""
    kind = type(it)
    for base in kind.__mro__:
        if name in base.__dict__:
            method = base.__dict__[name]
            bind = getattr(type(method), "__get__", None)
            return bind(method, it, kind) if bind else method
    raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")


def block_end(kind=None, error=None, trace=None):
    """The end of a `with` block. An exception that comes home is of its own class, for which another stood on the way; and no traceback
    travels, but a generator takes nothing else."""
    if error is None or kind is None:
        return kind, error, trace
    trace = error.__traceback__ or TRACEBACK(None, sys._getframe(), 0, 1)
    return kind if isinstance(error, kind) else type(error), error, trace


def traceback_class():
    try:
        raise ValueError
    except ValueError as error:
        return type(error.__traceback__)


TRACEBACK = traceback_class()


UNARY = {
    "__len__": len, "__iter__": iter, "__next__": next, "__reversed__": reversed, "__str__": str, "__repr__": repr,
    "__int__": int, "__float__": float, "__complex__": complex, "__bytes__": bytes, "__index__": operator.index,
    "__abs__": abs, "__neg__": operator.neg, "__pos__": operator.pos, "__invert__": operator.invert, "__dir__": dir,
    "__bool__": bool, "__hash__": hash, "__trunc__": lambda it: it.__trunc__(), "__floor__": lambda it: it.__floor__(),
    "__ceil__": lambda it: it.__ceil__(), "__length_hint__": lambda it: it.__length_hint__(), "__enter__": lambda it: special(it, "__enter__")(), "__fspath__": lambda it: it.__fspath__(),
}  # fmt: skip
BINARY = "add sub mul matmul truediv floordiv mod pow lshift rshift and or xor".split()
COMPARISONS = {f"__{name}__": getattr(operator, name) for name in "eq ne lt le gt ge".split()}


def mirrored(function):
    return lambda it, other: function(other, it)


def arithmetic():
    yield "__divmod__", divmod
    yield "__rdivmod__", mirrored(divmod)
    for name in BINARY:
        function = pow if name == "pow" else getattr(operator, {"and": "and_", "or": "or_"}.get(name, name))  # which may have a modulus
        yield f"__{name}__", function
        yield f"__r{name}__", mirrored(function)
        yield f"__i{name}__", getattr(operator, f"i{name}")


ARITHMETIC = dict(arithmetic())
GIVEN = {
    "__call__": lambda it, /, *args, **named: it(*args, **named), "__getitem__": operator.getitem, "__setitem__": operator.setitem,
    "__delitem__": operator.delitem, "__contains__": operator.contains, "__format__": format, "__round__": round,
    "__exit__": lambda it, *args: special(it, "__exit__")(*block_end(*args)),
}  # fmt: skip
# Those of a descriptor, by which an object decides on an attribute of a class that holds it.
DESCRIBING = {
    "__set_name__": lambda it, kind, name: special(it, "__set_name__")(kind, name),
    "__get__": lambda it, holder, kind=None: special(it, "__get__")(holder, kind),
    "__set__": lambda it, holder, value: special(it, "__set__")(holder, value),
    "__delete__": lambda it, holder: special(it, "__delete__")(holder),
}
# Operations that a proxy offers only if the class of its object does.
OPTIONAL = [*UNARY, *GIVEN, *ARITHMETIC, *DESCRIBING, "__await__", "__aiter__", "__anext__", "__aenter__", "__aexit__"]
PERFORM = {
    **UNARY, **GIVEN, **ARITHMETIC, **COMPARISONS, **DESCRIBING, "get": getattr, "set": setattr, "del": delattr,
    "put": lambda it, name, value: vars(it).__setitem__(name, value),
    "method": lambda it, name, /, *args, **named: getattr(it, name)(*args, **named),
    "isinstance": isinstance, "issubclass": issubclass, "data": lambda it: next(copy(it) for base, copy in COPIES if isinstance(it, base)),
}  # fmt: skip


# Those by which a class of the program's own may differ from its builtin base. `enum` and `namedtuple` have theirs.
DIFFERING = frozenset((*UNARY, *GIVEN, *ARITHMETIC, *COMPARISONS)) - {"__hash__", "__dir__"}
LIBRARIES = frozenset(("enum", "collections", "typing", "builtins", None))
OVERRIDDEN = {}


def overridden(kind, base):
    """The operations that a class defines in place of those of its builtin base."""
    if kind not in OVERRIDDEN:
        pairs = ((name, getattr(kind, name, None)) for name in DIFFERING)
        OVERRIDDEN[kind] = [name for name, own in pairs if own is not getattr(base, name, None) and getattr(own, "__module__", None) not in LIBRARIES]
    return OVERRIDDEN[kind]


def performing(name):
    """An operation that needs a module of the library."""

    def put(function):
        PERFORM[name] = function
        return function

    return put


# Kinds of objects that stay where they are, though they hold nothing but data, which is looked at where they are compared.
VIEWS = {"mappingproxy": type(type.__dict__), "memoryview": memoryview, "SimpleNamespace": type(sys.implementation)}


@performing("view")
def viewed(it):
    """The data of an object of such a kind."""
    if type(it) is memoryview:
        return it.tobytes()
    return dict(it) if type(it) is VIEWS["mappingproxy"] else dict(vars(it))


@performing("copy")
def copied(it, deep):
    import copy

    return copy.deepcopy(it) if deep else copy.copy(it)


@performing("source")
def source(it):
    """The text of a function or class."""
    import inspect

    return inspect.getsource(it)


@performing("static")
def static_attribute(it, name, *default):
    """An attribute as it lies in an object or its class."""
    import inspect

    return inspect.getattr_static(it, name, *default)


@performing("signature")
def signature(it):
    """The parameters of a function: name, kind, and its default if it has one."""
    import inspect

    parts = inspect.signature(it).parameters.values()
    empty = inspect.Parameter.empty
    told = lambda it: () if it is empty else (it,)
    returned = inspect.signature(it).return_annotation
    return [(part.name, int(part.kind), told(part.default), told(part.annotation)) for part in parts], told(returned)


@performing("flags")
def code_flags(it):
    """The flags of a function's or method's code by which `inspect` tells coroutines and generators, and its parameters: how many there
    are of which kind, and their names. None of anything else."""
    code = getattr(getattr(it, "__func__", it), "__code__", None)
    flags = getattr(code, "co_flags", None)
    if type(flags) is not int:
        return None
    if not hasattr(type(code), "co_argcount"):
        return flags & OF_FUNCTIONS, 0, 0, 0, ()  # a mock's
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return flags & OF_FUNCTIONS, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, names


OF_FUNCTIONS = 0x20 | 0x80 | 0x100 | 0x200  # of a generator's, a coroutine's, a generator's that may be awaited, an asynchronous generator's


@performing("hints")
def hints(it, include_extras):
    import typing

    return typing.get_type_hints(it, include_extras=include_extras)


@performing("annotations")
def annotations(it, eval_str):
    import inspect

    return inspect.get_annotations(it, eval_str=eval_str)


@performing("instances")
def told_of_instances(it):
    """The names that a protocol wants of its instances; True for another class that says by itself what is an instance."""
    import typing

    if getattr(it, "_is_protocol", False):
        isinstance(None, it)  # is refused by a protocol that is for type hints alone
        return sorted(typing._get_protocol_attrs(it))
    own = (type(it).__instancecheck__, getattr(it.__subclasshook__, "__func__", None))
    return any(getattr(check, "__module__", None) not in (None, "abc", "typing", "collections.abc") for check in own)


@performing("dataclass")
def of_dataclass(it, name, /, *args, **named):
    """The end of a function of the module dataclasses; the fields by what they hold, in a tuple if they hold it."""
    import dataclasses

    end = getattr(dataclasses, name)(it, *args, **named)
    told = lambda value: () if value is dataclasses.MISSING else (value,)
    return [[(part, told(getattr(field, part))) for part in FIELD] for field in end] if name == "fields" else end


FIELD = "name type default default_factory init repr compare kw_only".split()


LOOPS, SPARE_LOOPS = {}, []  # by threads; and of such as have ended


@performing("await")
def awaited(it, name=None, *args):
    """The end of a coroutine, or of what this method of the object gives to be awaited."""
    import asyncio
    from _thread import get_ident

    args = block_end(*args) if name == "__aexit__" else args

    async def wait():
        return await (it if name is None else getattr(type(it), name)(it, *args))

    if asyncio._get_running_loop() is not None:
        loop = SPARE_LOOPS.pop() if SPARE_LOOPS else asyncio.new_event_loop()
        try:
            return Lines.current.lend(lambda: loop.run_until_complete(wait()))
        finally:
            SPARE_LOOPS.append(loop)  # not closed: generators that were begun in it may go on
    if get_ident() not in LOOPS:
        LOOPS[get_ident()] = asyncio.new_event_loop()
        asyncio.set_event_loop(LOOPS[get_ident()])
    return LOOPS[get_ident()].run_until_complete(wait())


def ended(work):
    """The end that some work comes to, to be come to once more elsewhere."""
    try:
        value = work()
        return lambda: value
    except BaseException as error:
        kept = error

        def fail():
            raise kept

        return fail
