"""Texts that come from an agent, or from a model that it may have talked to, are not run in the judge, whatever a test hands them to:
`eval`, a type hint, a doctest, `timeit`, a shell, a pickle. Python tells of each text that it compiles, each class that a pickle names and each program that is
started. What shares some characters with what the agent has said, and is nowhere in the task, is looked at here: arithmetic and what `repr` writes
is harmless (this text is put behind effects.py).
"""
import ast
import types

SHARED = 5  # characters in a row, blanks and capitals left out, that make a text the agent's: the shortest that does harm, `exec(x)`, has more
MAX_HEARD = 1 << 18  # bytes that are kept of what it says; behind more, all that is not in the task is its own
# Modules that compile a text of their own, in which names stand that they are given.
WRITERS = frozenset("collections dataclasses unittest.mock".split())
LOADERS = frozenset(("importlib._bootstrap_external", "_frozen_importlib_external"))
HINTS = frozenset("typing inspect functools".split())
PURE = (abs, bool, bytes, complex, dict, divmod, float, frozenset, int, len, list, max, min, pow, range, round, set, slice, sorted, str, sum, tuple)
HARMLESS_NODES = (
    ast.Expression, ast.Module, ast.Expr, ast.Pass, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple, ast.List, ast.Dict, ast.Set,
    ast.Subscript, ast.Slice, ast.Lambda, ast.arguments, ast.arg, ast.keyword, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
PLACES_OF_THE_MACHINE = ("/proc", "/dev", "/sys")
REBUILDING = frozenset(("copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__", "_codecs.encode"))


class Heard:
    """The texts that an agent has said in a run."""

    def __init__(self, task):
        self.task, self.payloads, self.size = task, [], 0

    def note(self, payload):
        self.payloads.append(payload)
        self.size += len(payload)
        if self.size > MAX_HEARD:
            self.payloads.clear()
        hear_texts(self)

    def texts(self):
        return [text for payload in self.payloads for text in texts_in(payload)]

    def shares(self, text):
        """True for a text that may be the agent's, or made of one."""
        text = squeezed(text)
        if not text or any(text in squeezed(own) for own in self.task.texts()):
            return False
        said = squeezed("".join(self.texts()))
        if len(text) < SHARED:
            return text in said
        return self.is_over() or any(text[at : at + SHARED] in said for at in range(len(text) - SHARED + 1))

    def stands_in(self, text):
        """True for a text in which one of the agent's stands that is no name."""
        said = [squeezed(part) for part in self.texts() if not part.isidentifier()]
        text = squeezed(text)
        return self.is_over() or any(len(part) >= SHARED and part in text for part in said)

    def knows(self, name):
        return self.is_over() or any(name in text for text in self.texts())

    def is_over(self):
        return self.size > MAX_HEARD


def squeezed(text):
    return "".join(text.split()).casefold()


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
    return texts_of([bytes_told(body) if tag == "b" else body for tag, body in claim.items()])


def bytes_told(body):
    try:
        return bytes.fromhex(body).decode("latin-1")
    except (TypeError, ValueError):
        return body


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


def is_heard(name):
    """True for a name that an agent has said, and that does not stand in the task."""
    return bool(LISTENING) and LISTENING[0].knows(name) and not any(name in own for own in LISTENING[0].task.texts())


def hear_texts(heard):
    """Listens for this run from now on: nothing takes an ear away again."""
    if not LISTENING:
        sys.addaudithook(hear_text)
    LISTENING[:] = [heard]


def hear_text(event, arguments):
    if (check := OF_TEXTS.get(event)) is None:
        return
    frame = sys._getframe(1)
    test = outward(frame, is_no_tests)
    if frame.f_code.co_filename != OUR_FILE and test is not None:
        check(LISTENING[0], frame, test, *arguments)


def is_no_tests(frame):
    return frame.f_code.co_filename != TEST_FILE


def not_run(what):
    return Unusable(f"a text of the agent's would run in the judge, by {what}: look at it by `ast`, compare it, or call a function of the agent's that evaluates it")


def compiled_text(heard, frame, test, source, filename):
    module = frame.f_globals.get("__name__")
    if module == "ast" and frame.f_code.co_name == "parse" or module in LOADERS and str(filename).startswith(LIBRARY_FOLDER):
        return
    scope = {} if module in HINTS else {**vars(builtins), **test.f_globals, **test.f_locals}
    if isinstance(source, ast.AST):
        return check_harmless(source, scope) if heard.shares(ast.unparse(source)) else None
    text = source.decode("latin-1") if type(source) is bytes else source
    if module == "timeit":
        for part in filter(heard.shares, put_into(frame.f_globals["template"], text)):
            check_harmless(parsed_text(part.strip(), is_whole=False), scope)
    elif heard.stands_in(text) if module in WRITERS else heard.shares(text):
        check_harmless(parsed_text(source.strip(), is_whole=True), scope)


def parsed_text(text, is_whole):
    """The tree of a text; of one that is none, an empty one where it is whole, as it does not compile then."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if is_whole and isinstance(error, SyntaxError):
            return ast.Module([], [])
        raise not_run("what can't be parsed") from None


def check_harmless(tree, scope):
    for node in ast.walk(tree):
        if not is_harmless(node, scope):
            raise not_run(f"`{ast.unparse(node)[:60]}`")


def put_into(template, text):
    """The parts of a text that stand where its template has fields."""
    for piece, *_ in _string.formatter_parser(template):
        part, _, text = text.partition(piece)
        yield part
    yield text


def is_harmless(node, scope):
    """True for what does nothing in the judge by itself."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, (ast.Name, ast.Attribute)) and is_harmless_function(found(node.func, scope))
    if isinstance(node, ast.Attribute):
        return node.attr[:1] != "_" and (not scope or is_harmless_function(found(node, scope)))
    if isinstance(node, ast.Name):
        it = found(node, scope)
        return node.id[:1] != "_" and (not callable(it) or is_harmless_function(it))
    return isinstance(node, HARMLESS_NODES)


def found(node, scope):
    """The object that a name stands for, or a dotted name of a module's; None for any other attribute."""
    if isinstance(node, ast.Name):
        return unquieted(scope.get(node.id))
    home = found(node.value, scope) if isinstance(node, ast.Attribute) else None
    return vars(home).get(node.attr) if type(home) is types.ModuleType else None


def is_harmless_function(it):
    """True for one of the agent's, which runs where the agent is, and for Python's own that make or look at plain data."""
    is_computing = type(it) is types.BuiltinFunctionType and it.__module__ in ("math", "cmath")
    return is_stand_in(it) or is_computing or any(it is pure for pure in PURE) or isinstance(it, type) and plain_kind(it) is not None


def named_class(heard, frame, test, module, name):
    """A class or function that a pickle names."""
    it = vars(sys.modules.get(module, types)).get(name)
    is_data = isinstance(it, type) and (it is object or plain_kind(it) is not None or is_of_test(it))
    if not is_data and f"{module}.{name}" not in REBUILDING and heard.knows(name):
        raise not_run(f"{module}.{name} in a pickle")


def started_program(heard, frame, test, *arguments):
    words = [*words_of(arguments)]
    if any(len(word) >= SHARED and heard.shares(word) for word in (*words, "".join(words))):
        raise not_run("a program that is started")


def words_of(arguments):
    for argument in arguments:
        if type(argument) in (str, bytes):
            yield argument if type(argument) is str else argument.decode("latin-1")
        elif type(argument) in (list, tuple):
            yield from words_of(argument)


def opened_place(heard, frame, test, path, mode, flags):
    path = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
    if path.startswith(PLACES_OF_THE_MACHINE) and heard.shares(path):
        raise not_run(f"a file of the machine's, {path}")


def loaded_code(heard, frame, test, *arguments):
    if frame.f_globals.get("__name__") not in LOADERS:
        raise not_run("`marshal`")


OF_TEXTS = {
    "compile": compiled_text, "pickle.find_class": named_class, "marshal.loads": loaded_code, "marshal.load": loaded_code, "open": opened_place,
    "subprocess.Popen": started_program, "os.system": started_program, "os.exec": started_program, "os.posix_spawn": started_program,
}  # fmt: skip
