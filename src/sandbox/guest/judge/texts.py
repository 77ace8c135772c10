"""Texts that do not stand in the task are not run in the judge once the agent has answered, whatever a test hands them to: `eval`, a type hint, a
doctest, `timeit`, a pickle, a shell. They may be the agent's, or made of what it has said in ways that nobody can follow (`json.loads`, `%`, base64).
Python tells of each text that it compiles, each class that a pickle names and each program that is started. What only computes, and what `repr`
writes, is harmless (this text is put behind effects.py).
"""
import ast
import functools
import types

# Modules that compile texts of their own, with names in them that they have looked at.
WRITERS = frozenset("collections dataclasses unittest.mock".split())
OF_TIMEIT = frozenset(("pass", "_stmt()", "_setup()", ", _stmt=_stmt", ", _setup=_setup", ", _setup=_setup, _stmt=_stmt", ", _stmt=_stmt, _setup=_setup"))
LOADERS = frozenset(("importlib._bootstrap_external", "_frozen_importlib_external"))
HINTS = frozenset("typing inspect functools".split())
PURE = (abs, bool, bytes, complex, dict, divmod, float, frozenset, int, len, list, max, min, pow, range, round, set, slice, sorted, str, sum, tuple)
HARMLESS_NODES = (
    ast.Expression, ast.Interactive, ast.Module, ast.Expr, ast.Pass, ast.Assert, ast.Assign, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Subscript, ast.Slice, ast.Lambda, ast.arguments, ast.arg, ast.keyword, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
    ast.expr_context,
)  # fmt: skip
MODES = ("exec", "eval", "single")
REBUILDING = frozenset(("copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__", "_codecs.encode", "types.SimpleNamespace", "array._array_reconstructor"))


class Heard:
    """The run that is under way, as far as an agent has answered in it."""

    def __init__(self, task):
        self.task = task

    def note(self):
        """Notes that the agent has answered."""
        hear_texts(self)

    def is_of_task(self, text):
        """True for a part of a text that stands in the task. Blanks are none, as they are cut off."""
        text = squeezed(text)
        return any(text in own for own in self.squeezed)

    @functools.cached_property
    def squeezed(self):
        return [*map(squeezed, self.task.texts)]

    def is_told(self, name):
        """True for a name that the prompt has, or a text of the tests'."""
        return has_word(name, (self.task.prompt, *self.task.texts))


def has_word(name, texts):
    """True if a name stands in one of these texts, and not within another word."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for text in texts)


def squeezed(text):
    return "".join(text.split())


def texts_in(payload):
    """The texts in what an agent has said: those of a claim, whatever they are tagged with, or what a program has printed."""
    try:
        return texts_of(loads(payload))
    except (ValueError, RecursionError):
        return [payload.decode("utf-8", "replace")]


def texts_of(claim):
    if type(claim) is str:
        return [claim]
    if type(claim) is list:
        return [text for body in claim for text in texts_of(body)]
    if type(claim) is not dict:
        return []
    return [text for body in claim.values() for text in (*texts_of(body), *texts_in_bytes(body))]


def texts_in_bytes(body):
    """The text that such a body stands for where it is one in hexadecimal digits, as those of bytes are, and of texts that have half characters."""
    try:
        return [bytes.fromhex(body).decode("latin-1")]
    except (TypeError, ValueError):
        return []


def check_templates(payload):
    """Refuses a template that asks for what is hidden from agents, for tasks that may fill one in some way that nobody sees."""
    for text in texts_in(payload):
        try:
            check_template(text)
        except ValueError:
            pass  # it is no template
        except Unusable as error:
            raise NotPlain(f"has a part that can't be given: {error}") from None


LISTENING = []  # to the run that is under way


def stands_in_task(name):
    """True for a dotted name whose parts stand in the task, and as long as the agent has not answered."""
    return not any(map(is_foreign, name.replace(":", ".").split(".")))


def is_foreign(name):
    """True for a name that does not stand in the task, once the agent has answered."""
    return bool(LISTENING) and not has_word(name, LISTENING[0].task.texts)


def hear_texts(heard):
    """Listens for this run from now on: nothing takes an ear away again."""
    if not LISTENING:
        sys.addaudithook(hear_text)
    LISTENING[:] = [heard]


def hear_text(event, arguments):
    if (check := OF_TEXTS.get(event)) is None:
        return
    frame = sys._getframe(1)
    if frame.f_code.co_filename != OUR_FILE:
        check(LISTENING[0], frame, *arguments)


def is_no_tests(frame):
    return frame.f_code.co_filename != TEST_FILE


def not_run(what):
    return Unusable(
        f"a text that does not stand in the task would run in the judge, by {what}: once the agent has answered, it may be the agent's; look at it by `ast`, "
        "compare it, or call a function of the agent's that evaluates it"
    )


def compiled_text(heard, frame, source, filename):
    module = frame.f_globals.get("__name__")
    if module in WRITERS or module == "ast" and frame.f_code.co_name == "parse" or module in LOADERS and str(filename).startswith(LIBRARY_FOLDER):
        return
    if isinstance(source, ast.AST):
        return check_harmless(source, heard, frame)
    text = source_text(source)
    if module == "timeit":
        for part in put_into(frame.f_globals["template"], text):
            if part not in OF_TIMEIT and not heard.is_of_task(part):
                check_part(part.strip(), heard, frame)
    elif not heard.is_of_task(text):
        for tree in trees_of(text, source):
            check_harmless(tree, heard, frame)


def source_text(source):
    """The text that is compiled, as Python's own. Of a class of the agent's it is the content that counts."""
    if issubclass(type(source), str):
        return str.__str__(source)[:]
    return bytes(source).decode("utf-8", "surrogateescape")


def trees_of(text, source):
    """The programs that a text may be, by the way it is compiled in. Where there is none, it does not compile: that is for Python to say."""
    ways = [(text, mode) for mode in MODES]
    if not issubclass(type(source), str):
        ways += [(bytes(source), mode) for mode in MODES]  # which may tell their own encoding
    for way in ways:
        try:
            yield compile(way[0], OUR_FILE, way[1], ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError:
            pass
        except (ValueError, RecursionError, MemoryError):
            raise not_run("what can't be parsed") from None


def check_part(text, heard, frame):
    """Refuses a part of a text that is no text by itself, or does more than to compute."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise not_run("what can't be parsed") from None
    check_harmless(tree, heard, frame)


def put_into(template, text):
    """The parts of a text that stand where its template has fields."""
    for piece, *_ in _string.formatter_parser(template):
        part, _, text = text.partition(piece)
        yield part
    yield text


def check_harmless(tree, heard, frame):
    test = outward(frame, is_no_tests)  # none in a thread that a function of the library's begins
    scope = vars(builtins) if test is None else {**vars(builtins), **test.f_globals, **test.f_locals}
    names = Names(heard, scope, frame.f_globals.get("__name__") in HINTS, test is not None)
    try:
        names.check(tree)
    except RecursionError:
        raise not_run("what is nested too deep") from None


class Names:
    """The names that a text may use."""

    def __init__(self, heard, scope, is_hint, is_known):
        self.heard, self.scope, self.is_hint, self.is_known = heard, scope, is_hint, is_known
        self.parameters = frozenset()  # of the lambdas that a node stands within

    def check(self, node):
        """Refuses what does anything in the judge by itself."""
        if not self.is_harmless(node):
            raise not_run(f"`{ast.unparse(node)[:60]}`")
        outer = self.parameters
        for child in ast.iter_child_nodes(node):
            if isinstance(node, ast.Lambda) and child is node.body:
                self.parameters = outer | {one.arg for one in ast.iter_child_nodes(node.args) if isinstance(one, ast.arg)}
            self.check(child)
        self.parameters = outer

    def is_harmless(self, node):
        """True for what does nothing in the judge by itself. Nothing but names gets a value: an item or attribute may be the test's."""
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)) and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, ast.Call):
            return not self.is_hint and isinstance(node.func, (ast.Name, ast.Attribute)) and self.is_harmless_function(self.found(node.func))
        if isinstance(node, ast.Attribute):
            return node.attr[:1] != "_" and (self.is_hint or self.is_harmless_function(self.found(node)))
        if isinstance(node, ast.Name):
            return node.id[:1] != "_" and self.is_harmless_name(node)
        return isinstance(node, HARMLESS_NODES)

    def is_harmless_name(self, node):
        if self.is_hint or node.id in self.parameters:
            return isinstance(node.ctx, ast.Load)
        if isinstance(node.ctx, ast.Store):
            return node.id not in self.scope or is_stand_in(self.scope[node.id])
        it = self.scope.get(node.id)
        if callable(it) or type(it) is types.ModuleType:
            return type(it) is types.ModuleType or self.is_harmless_function(it)
        return self.is_known and (node.id not in self.scope or self.heard.is_told(node.id))

    def found(self, node):
        """The object that a name stands for, or a dotted name of a module's; None for any other attribute, and for a parameter."""
        if isinstance(node, ast.Name):
            return None if node.id in self.parameters else unquieted(self.scope.get(node.id))
        home = self.found(node.value) if isinstance(node, ast.Attribute) else None
        return vars(home).get(node.attr) if type(home) is types.ModuleType else None

    def is_harmless_function(self, it):
        """True for one of the agent's, which runs where the agent is, and for Python's own that make or look at plain data."""
        is_computing = type(it) is types.BuiltinFunctionType and it.__module__ in ("math", "cmath")
        return is_stand_in(it) or is_computing or any(it is pure for pure in PURE) or isinstance(it, type) and plain_kind(it) is not None


def named_now(module, name):
    """The names of today for those of Python 2, by which pickles of old protocols go."""
    import _compat_pickle

    module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def named_class(heard, frame, module, name):
    """A class or function that a pickle names."""
    module, name = named_now(module, name)
    it = vars(sys.modules[module]).get(name) if module in sys.modules else None  # no module is run for it
    is_data = isinstance(it, type) and (it is object or plain_kind(it) is not None or issubclass(it, BaseException) or is_of_test(it) and not issubclass(it, type))
    if not is_data and f"{module}.{name}" not in REBUILDING:
        raise not_run(f"{module}.{name} in a pickle")


def started_program(heard, frame, *arguments):
    raise not_run("a program that is started")


def opened_place(heard, frame, path, mode, flags):
    path = os.path.realpath(os.fsdecode(path)) if isinstance(path, (str, bytes)) else ""
    if path.startswith(("/proc", "/dev", "/sys")) and path != os.devnull and not heard.is_of_task(path) and outward(frame, is_no_tests) is not None:
        raise not_run(f"a file of the machine's, {path}")


def loaded_code(heard, frame, *arguments):
    if frame.f_globals.get("__name__") not in LOADERS:
        raise not_run("`marshal`")


OF_TEXTS = {
    "compile": compiled_text, "pickle.find_class": named_class, "marshal.loads": loaded_code, "marshal.load": loaded_code, "open": opened_place,
    "subprocess.Popen": started_program, "os.system": started_program, "os.exec": started_program, "os.posix_spawn": started_program,
}  # fmt: skip
