"""Functions of Python's library that look into what they are given: of objects of the agent's they ask, and of its texts they evaluate
nothing here. Their modules take long to import, and most tests need none of them: what is put in the functions' places is put there when a
module is imported (this text is put before agent_objects.py).
"""
import _string
import functools
import sys
from _frozen_importlib_external import PathFinder

# Attributes by which a template may say what class an object is of.
SHOWN_BY_TEMPLATES = frozenset("__class__ __name__ __qualname__ __module__ __doc__".split())


def is_agents(it):
    """True for an object of the agent's, and for an answer of a dry run."""
    return issubclass(type(it), (Proxy, Anything))


def asked(it, op, *args, **named):
    return link_of(it).peer.ask(op, it, args, named) if issubclass(type(it), Proxy) else it


def of_dataclasses(function):
    """A function of the module dataclasses."""

    @functools.wraps(function)
    def asking_or_not(it, *args, **named):
        it = resolved(it)
        if not issubclass(type(it), Proxy):
            return function(it, *args, **named)
        end = asked(it, "dataclass", function.__name__, *args, **named)
        return list(map(field_of, end)) if function.__name__ == "fields" else end

    return asking_or_not


def field_of(told):
    """A field of an agent's dataclass."""
    missing = sys.modules["dataclasses"].MISSING
    return types.SimpleNamespace(**{part: value[0] if value else missing for part, value in told})


def source_of(function):
    """`inspect.getsource`."""

    @functools.wraps(function)
    def source(it):
        it = resolved(it)
        return asked(it, "source") if is_agents(it) else function(it)

    return source


def wrapped(it):
    """The function that speaks for this one: that of the agent's which it wraps, if there is one."""
    it = resolved(it)
    while not is_agents(it) and "__wrapped__" in getattr(it, "__dict__", ()):
        it = resolved(it.__wrapped__)
    return it


def static_of(function):
    """`inspect.getattr_static`."""

    @functools.wraps(function)
    def static(it, name, *default):
        it = resolved(it)
        return asked(it, "static", name, *default) if is_agents(it) else function(it, name, *default)

    return static


def hints_of(function):
    """`typing.get_type_hints`. A hint may be a text: what an agent wrote is evaluated where the agent is, without the test's names."""

    @functools.wraps(function)
    def hints(it, *spaces, include_extras=False, **named):
        if is_agents(inner := wrapped(it)):
            return asked(inner, "hints", include_extras is True)
        return function(it, *spaces, include_extras=include_extras, **named)

    return hints


def parts_of_hint(function):
    """`typing.get_args` and `get_origin`: of a hint that is made of an agent's generic class, too."""
    part = {"get_args": "__args__", "get_origin": "__origin__"}[function.__name__]

    @functools.wraps(function)
    def parts(it):
        it = resolved(it)
        is_hint = issubclass(type(it), Proxy) and about_of(it).name == "_GenericAlias"
        return getattr(it, part) if is_hint else function(it)

    return parts


def annotations_of(function):
    """`inspect.get_annotations`, alike."""

    @functools.wraps(function)
    def annotations(it, *, eval_str=False, **named):
        if is_agents(inner := wrapped(it)):
            return asked(inner, "annotations", eval_str is True)
        return function(it, eval_str=eval_str, **named)

    return annotations


def taken_once(setter):
    """A setter of a SequenceMatcher's texts. It looks at them again and again, for their length, too, and an object of the agent's
    might have another one each time: as long as finds what is looked for, and then of no length at all."""
    return functools.wraps(setter)(lambda self, it: setter(self, [*it] if issubclass(type(resolved(it)), Proxy) else it))


def formatting(it, is_map):
    """`format` or `format_map` of what may be a text, or lead to one's. The agent may have written it, and what it is filled with leads from
    there to all that the judge knows, so no field of it goes by an attribute that is hidden from agents."""
    it = resolved(it)
    method = getattr(it, "format_map" if is_map else "format")
    text = getattr(method, "__self__", None) if type(method) is types.BuiltinMethodType else it
    is_class = isinstance(it, type) and issubclass(it, str)
    if not issubclass(type(text), str) and not is_class:
        return method

    @functools.wraps(method)
    def filled(*given, **named):
        check_template(given[0] if is_class and given else text)
        return method(*given, **named)

    return filled


def filled_text(function):
    """`collections.UserString.format` and `format_map`."""

    @functools.wraps(function)
    def filled(it, *given, **named):
        check_template(it.data)
        return function(it, *given, **named)

    return filled


def check_template(text):
    if issubclass(type(text), str):
        for _, field, spec, _ in _string.formatter_parser(str.__str__(text)[:]):
            check_field_of_template(field or "")
            check_template(spec)


HIDDEN_FROM_TEMPLATES = ("_", *OF_GENERATORS, "f_", "tb_", "co_")


def check_field_of_template(field):
    for is_attribute, name in _string.formatter_field_name_split(field)[1]:
        if is_attribute and name.startswith(HIDDEN_FROM_TEMPLATES) and name not in SHOWN_BY_TEMPLATES:
            raise Unusable(f"a text that is filled asks for the attribute {name}")


def field_of_template(function):
    """`string.Formatter.get_field`."""

    @functools.wraps(function)
    def get_field(formatter, field, args, named):
        check_field_of_template(field)
        return function(formatter, field, args, named)

    return get_field


def getting(function):
    """`operator.attrgetter` and `methodcaller`, by names that may be an agent's."""

    of_method = function.__name__ == "methodcaller"  # whose other arguments are those of the call

    @functools.wraps(function, updated=())
    def getter(*given, **named):
        names, args = (given[:1], given[1:]) if of_method else (given, ())
        names = [*map(exactly_named, names)]
        if is_own_doing(sys._getframe(1)):
            return function(*names, *args, **named)
        for part in [part for name in names if type(name) is str for part in name.split(".")]:
            check_name(None, part)
        if of_method and names and names[0] in FILLING:
            return lambda it: formatting(it, names[0] == "format_map")(*args, **named)
        return function(*names, *args, **named)

    return getter


def is_own_doing(frame):
    """True in the body of a module or class of the library's, whose names are its own."""
    return frame.f_code.co_filename.startswith(LIBRARY_FOLDER) and not frame.f_code.co_flags & OPTIMIZED


OPTIMIZED = 1  # of the flags of a code object: a function's


def check_dotted(name, own):
    """Refuses a dotted name that may be an agent's word, unless it is of this module."""
    name = exactly_named(name)
    home = re.split("[.:]", name)[0] if type(name) is str else own
    if home == "__main__" or home != own and not stands_in_task(name):
        raise Unusable(f"the agent's word may be used for {name}, which is none of its own")


def resolving_setting(function):
    """`logging.config.BaseConfigurator.resolve`, which finds what a configuration names, be it an agent's."""

    @functools.wraps(function)
    def resolve(configurator, name):
        check_dotted(name, "logging")
        return function(configurator, name)

    return resolve


def resolving_name(function):
    """`pkgutil.resolve_name`, and `unittest.mock._get_target`, by which `patch` tells from the rest of a name what it is to replace."""

    @functools.wraps(function)
    def resolve(name):
        check_dotted(name, "agent")
        return function(name)

    return resolve


def telling_less(process):
    """`dataclasses._process_class`. The text that a class gets by it has no fields whose names begin with an underscore, where the library makes
    one for an agent, as a `Template` does."""

    @functools.wraps(process)
    def processed(kind, *args, **named):
        check_fields(vars(kind))
        had = vars(kind).get("__repr__")
        made = process(kind, *args, **named)
        if had is None and "__repr__" in vars(made) and any(name[:1] == "_" for name in made.__dataclass_fields__):
            made.__repr__ = without_private(made.__repr__)
        return made

    return processed


def check_fields(held):
    """Refuses fields whose names the library might come to know otherwise than they were when it looked at them: it writes a program with them."""
    for name in held.get("__annotations__", ()):
        if type(name) is not str or not name.isidentifier():
            raise TypeError("fields of a dataclass are names, and plain texts")
        if is_agents(resolved(held.get(name))) and isinstance(held[name], sys.modules["dataclasses"].Field):
            raise TypeError(f"the field {name} of a dataclass of the test's is the agent's")


def without_private(text):
    @functools.wraps(text)
    def told(it):
        if not is_asked_by_an_agent():
            return text(it)
        fields = [field.name for field in it.__dataclass_fields__.values() if field.repr and field.name[:1] != "_"]
        return f"{type(it).__qualname__}({', '.join(f'{name}={getattr(it, name)!r}' for name in fields)})"

    return told


def careful(_):
    """`pickle.Unpickler`. A pickle makes objects, and changes no class."""
    base = sys.modules["pickle"]._Unpickler

    def load_build(unpickler):
        if isinstance(unpickler.stack[-2], type):
            raise Unusable("a pickle sets attributes of a class")
        base.load_build(unpickler)

    return type("Unpickler", (base,), {"dispatch": {**base.dispatch, ord("b"): load_build}, "__module__": "pickle"})


def unpickling(function):
    """`pickle.load` and `loads`, by such an Unpickler."""

    @functools.wraps(function)
    def load(it, /, **named):
        file = it if function.__name__ == "load" else sys.modules["io"].BytesIO(it)
        try:
            return sys.modules["pickle"].Unpickler(file, **named).load()
        except KeyError as error:  # of an opcode that there is none; Python's own, which is written in C, says so
            raise sys.modules["pickle"].UnpicklingError(f"invalid load key, {error.args[0]!r}") from None

    return load


def filled_by_style(function):
    """`logging.StrFormatStyle._format`."""

    @functools.wraps(function)
    def filled(style, record):
        check_template(style._fmt)
        return function(style, record)

    return filled


def into_a_namespace(function):
    """`argparse.ArgumentParser.parse_known_args`, which sets attributes of whatever it is given, by names that an agent may have added."""

    @functools.wraps(function)
    def parse(parser, args=None, namespace=None):
        kind = type(namespace)
        if namespace is not None and not (kind is sys.modules["argparse"].Namespace or is_of_test(kind)):
            raise Unusable(f"a parser of the test's sets no attributes of a {kind.__name__}")
        return function(parser, args, namespace)

    return parse


def authorized(kind):
    """`sqlite3.Connection`, whose statements are authorized."""

    def __init__(self, *args, **named):
        kind.__init__(self, *args, **named)
        self.set_authorizer(authorize)

    return type(kind.__name__, (kind,), {"__init__": __init__, "__module__": kind.__module__, "__doc__": kind.__doc__})


def connecting(connect):
    """`sqlite3.connect`, which makes such connections."""

    @functools.wraps(connect)
    def connected(*args, **named):
        if len(args) < 6:
            named.setdefault("factory", sys.modules["sqlite3.dbapi2"].Connection)
        return connect(*args, **named)

    return connected


ATTACH, CREATE_TABLE_BY_MODULE, PRAGMA, FUNCTION = 24, 29, 19, 31  # SQLite's own numbers of actions
# Its ways to memory and other programs, which are nobody's: a text that an agent returns may be a statement of a test's.
DENIED_FUNCTIONS = frozenset("fts3_tokenizer load_extension readfile writefile edit".split())
DENIED_PRAGMAS = frozenset("hard_heap_limit soft_heap_limit trusted_schema writable_schema".split())
TABLE_MODULES = frozenset("fts3 fts4 fts5 rtree".split())
# Those of agents.
PRAGMAS = frozenset("""application_id auto_vacuum busy_timeout cache_size case_sensitive_like collation_list compile_options data_version database_list
    defer_foreign_keys encoding foreign_key_check foreign_key_list foreign_keys function_list incremental_vacuum index_info index_list index_xinfo
    integrity_check journal_mode journal_size_limit locking_mode module_list optimize page_count page_size pragma_list query_only quick_check
    read_uncommitted recursive_triggers secure_delete synchronous table_info table_list table_xinfo temp_store user_version""".split())


def authorize(action, first, second, *_):
    """SQLite's question whether a statement may do something: 0 for yes, 1 for no."""
    name, of = str(first).lower(), str(second).lower()
    if action == FUNCTION:
        return int(of in DENIED_FUNCTIONS)
    if action == CREATE_TABLE_BY_MODULE:
        return int(of not in TABLE_MODULES)
    if action == PRAGMA:
        return int(name in DENIED_PRAGMAS or name not in PRAGMAS and is_asked_by_an_agent())
    return int(action == ATTACH and name not in ("", ":memory:") and is_asked_by_an_agent())


def noting_ends(hook):
    """`threading.excepthook`, which is told of what has ended a thread."""

    @functools.wraps(hook)
    def ended(told):
        FAILURES.ended(told.exc_value, is_threads=True)
        return hook(told)

    return ended


def noting_losses(handler):
    """`BaseEventLoop.call_exception_handler`, which is told of a task's exception that nobody will ask for any more."""

    @functools.wraps(handler)
    def told(loop, context):
        FAILURES.ended(context.get("exception"))
        return handler(loop, context)

    return told


def noting_failures(run):
    """`concurrent.futures.thread._WorkItem.run`: nobody may ask what came of it."""

    @functools.wraps(run)
    def ran(item):
        item.fn = noted_when_it_fails(item.fn)
        return run(item)

    return ran


def noted_when_it_fails(work):
    def noted(*args, **named):
        try:
            return work(*args, **named)
        except BaseException as error:
            FAILURES.ended(error)
            raise

    return noted


def told_exception(exception):
    """`concurrent.futures.Future.exception`: a test that asks for it handles it."""

    @functools.wraps(exception)
    def told(future, timeout=None):
        error = exception(future, timeout)
        if is_left_by_the_test() and error in FAILURES.peer.agents_errors:
            FAILURES.handle(error)
        return error

    return told


def default_of(function):
    """`json.JSONEncoder.default`, which comes upon what its half in C takes for no list and no dict."""

    @functools.wraps(function)
    def default(encoder, it):
        it = resolved(it)
        is_data = issubclass(type(it), Proxy) and about_of(it).builtin in DATA_KINDS
        return asked(it, "data") if is_data else function(encoder, it)

    return default


# Stand-ins for functions of a module, or of a class there.
ASKING_FUNCTIONS = {
    "argparse": [("ArgumentParser", "parse_known_args", into_a_namespace)],
    "asyncio.base_events": [("BaseEventLoop", "call_exception_handler", noting_losses)],
    "collections": [("UserString", "format", filled_text), ("UserString", "format_map", filled_text)],
    "concurrent.futures._base": [("Future", "exception", told_exception)],
    "concurrent.futures.thread": [("_WorkItem", "run", noting_failures)],
    "dataclasses": [("", "_process_class", telling_less), *(("", name, of_dataclasses) for name in ("asdict", "astuple", "replace", "fields", "is_dataclass"))],
    "difflib": [("SequenceMatcher", name, taken_once) for name in ("set_seq1", "set_seq2")],
    "inspect": [("", "getsource", source_of), ("", "get_annotations", annotations_of), ("", "getattr_static", static_of)],
    "json.encoder": [("JSONEncoder", "default", default_of)],
    "logging": [("StrFormatStyle", "_format", filled_by_style)],
    "logging.config": [("BaseConfigurator", "resolve", resolving_setting)],
    "operator": [("", "attrgetter", getting), ("", "methodcaller", getting)],
    "pickle": [("", "Unpickler", careful), ("", "load", unpickling), ("", "loads", unpickling)],
    "pkgutil": [("", "resolve_name", resolving_name)],
    "sqlite3.dbapi2": [("", "Connection", authorized), ("", "connect", connecting)],
    "string": [("Formatter", "get_field", field_of_template)],
    "threading": [("", "excepthook", noting_ends)],
    "typing": [("", "get_type_hints", hints_of), *(("", name, parts_of_hint) for name in ("get_args", "get_origin"))],
    "unittest.mock": [("", "_get_target", resolving_name)],
}


def put_in_place(module):
    for home, name, made_of in ASKING_FUNCTIONS[module.__name__]:
        home = getattr(module, home) if home else module
        setattr(home, name, made_of(getattr(home, name)))


class LibraryFinder:
    """Finds these modules as Python does, and sees to their functions once they are there, however often they are imported."""

    def find_spec(self, name, path=None, target=None):
        if name not in ASKING_FUNCTIONS or (spec := PathFinder.find_spec(name, path)) is None:
            return None
        execute = spec.loader.exec_module

        def execute_all(module):
            execute(module)
            put_in_place(module)

        spec.loader.exec_module = execute_all
        return spec


for _name in ASKING_FUNCTIONS.keys() & sys.modules.keys():
    put_in_place(sys.modules[_name])
sys.meta_path.insert(0, LibraryFinder())
