"""Compiler: a task's Python compiled, and what can be seen of it without running it (this text is put before the judge's)."""
import ast
import builtins
import collections
import re
import types
import warnings

PLAIN_NAMES = frozenset(vars(builtins))


class Compiler:
    """Compiles a task's setup and tests; `flaws` says what is wrong with them."""

    def __init__(self, spec):
        self.prompt, self.max_value, self.flaws = spec["prompt"], spec["value"], []
        self.names, self.imports, self.library, self.modules = set(), set(), set(), {}
        self.imported, self.has_objects, self.objects, self.numbers = {"agent"}, False, set(), set()
        self.is_steady = self.is_timeless = self.is_plain = True
        self.asks_model, self.has_files = spec.get("asks_model", False), spec.get("has_files", False)
        self.has_approx = not is_asked_for("approx", self.prompt)
        self.has_raises = not is_asked_for("raises", self.prompt)
        self.words = set()  # in the texts within setup and tests
        self.uses, self.lines = [], [test["line"] for test in spec["tests"]]
        self.changed = []  # names of which setup (None) or a test may change what is meant
        self.shown = "\n".join([spec["prompt"], *(test["text"] for test in spec["tests"] if test["public"])])
        setup = spec["setup"] or {"text": "", "line": 1}
        self.setup_line = setup["line"]
        self.asserting = set()  # functions of setup that can fail a test
        self.silent = set()  # those of them that return nothing
        self.reaching = set()  # names of setup by which an assertion is reached
        self.bound = set()  # names of setup's own
        self.functions = set()  # of setup, and its classes: what fails within is noted there
        self.setup = self.compiled(None, setup, self.note_helpers)
        self.judging, self.rules = spec.get("judging"), {}
        has_scores = any(test.get("score") for test in spec["tests"])
        self.tests = [self.made(i, test) for i, test in enumerate(spec["tests"])]
        self.scores = [i for i, test in enumerate(spec["tests"]) if test.get("score")]
        self.helpers = [name for name in HELPERS if has_scores and not is_asked_for(name, spec["prompt"])]
        if "approx" in self.names - {*self.helpers} and self.has_approx:
            self.helpers.append("approx")  # for assertions, too
        self.evaluated = sorted(self.words) if self.names & EVALUATING else []
        self.names.update(self.evaluated)  # what is evaluated may name what is the agent's
        self.agents_own = {name for name in self.names & PLAIN_NAMES if is_asked_for(name, spec["prompt"])}

    def content(self):
        """All that a Task is made of, as plain data and code: it can go from one process to others."""
        self.library = [] if self.is_plain else sorted(self.library)
        codes = [code for code in (self.setup, *self.tests) if type(code) is types.CodeType]
        self.texts = sorted({text for code in codes for text in texts_of_code(code)})
        self.fills_texts = not FILLING.isdisjoint(self.texts)  # by the name of the method, and not by `text.format(...)` as it stands there
        self.hands_getattr = any("getattr" in names_of_code(code) for code in codes)  # where it is only called, it is asked for in our way
        kept = "prompt has_raises has_objects objects numbers max_value asks_model has_files evaluated texts fills_texts hands_getattr names agents_own is_plain library uses changed shown lines setup_line setup helpers rules tests scores".split()
        return {name: getattr(self, name) for name in kept}

    def made(self, test, source):
        return self.case(test, source) if source.get("case") else self.compiled(test, source, self.check_asserts)

    def case(self, test, source):
        name, place = source["case"]["name"], source["case"]["judging"]
        if is_first := place not in self.rules:
            try:
                self.rules[place] = compiled_rule(self.judging[place])
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                self.rules[place] = None
                return self.flaw(test, source["line"], f"the program that decides: {error}")
        self.is_plain &= not has_program(self.rules[place])
        return {"name": name, "place": place, "is_first": is_first}

    def compiled(self, test, source, check):
        """A code object that keeps the lines of the task's file, so that every message points there."""
        above = source["line"] - 1
        try:
            tree = scored(source["text"]) if source.get("score") else self.parsed(source["text"], source.get("expression", False))
            nodes = list(ast.walk(tree))
            self.words.update(*map(words, nodes))
            check(nodes)
        except SyntaxError as error:
            return self.flaw(test, above + (error.lineno or 1), said_of_syntax(error))
        except (ValueError, RecursionError, MemoryError) as error:
            return self.flaw(test, above + 1, str(error))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        self.names |= {node.id for node in names}
        self.uses += [(test, *use) for use in uses(nodes, above)]
        self.changed += [(test, name) for name in changed_names(nodes)]
        self.is_steady &= all(map(is_steady, nodes))
        self.is_timeless &= all(map(is_timeless, nodes))
        self.is_plain &= is_plain(nodes, self.modules)
        self.imports.update(name for node in nodes for name in imported(node))
        self.imported.update((node.asname or node.name).split(".")[0] for node in nodes if isinstance(node, ast.alias))
        self.has_objects |= deals_with_objects(nodes, self.imported)
        self.objects.update(made_objects(nodes))
        self.numbers.update(made_numbers(nodes))
        self.library.update(name for node in nodes for name in named_of_library(node))
        reaching = reached_by(nodes, self.reaching | {"exec"} if "assert" in self.words else self.reaching)
        self.reaching = reaching if test is None else self.reaching
        functions = self.functions | {node.name for node in nodes if isinstance(node, DEFINITIONS)}
        self.functions = functions if test is None else self.functions
        rewriting = Rewriting(names, lambda node: reaches_assertion(node, reaching), functions)
        rewriting.bound = self.bound | bound_by(nodes)
        self.bound = rewriting.bound if test is None else self.bound
        rewriting.bound |= set() if self.has_raises else {"raises"}
        rewriting.called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        if test is not None:  # setup has Python's
            rewriting.agents_own = {name for name in rewriting.called & PLAIN_NAMES if is_asked_for(name, self.prompt)}
        tree = ast.increment_lineno(ast.fix_missing_locations(rewriting.visit(tree)), above)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SyntaxWarning)
                return compile(tree, "task", "exec", dont_inherit=True)
        except SyntaxError as error:
            return self.flaw(test, error.lineno or above + 1, error.msg)

    def note_helpers(self, nodes):
        functions = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        asserting, known = [], -1
        while known < len(asserting):  # one may leave it to another
            known = len(asserting)
            asserting = [node for node in functions if any(map(self.asserts, ast.walk(node)))]
            self.asserting |= {node.name for node in asserting}
        self.silent |= {node.name for node in asserting if not gives_something(node)}
        self.silent |= {name for node in nodes for name in aliases(node, self.silent)}

    def parsed(self, text, expression_allowed):
        """The statements of a test; the text of an `assert:` field may be a bare expression, which must be true unless it asserts by
        itself and gives nothing."""
        if expression_allowed:
            try:
                value = ast.parse(f"({text}\n)", mode="eval").body
                statement = ast.Expr(value) if self.is_silent(value) else ast.Assert(value, None)
                return ast.Module([ast.copy_location(statement, value)], [])
            except SyntaxError:
                pass
        return ast.parse(text)

    def is_silent(self, node):
        """True for a call of setup's own test, and of a method of unittest's that checks something."""
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name):
            return called.id in self.silent
        if isinstance(called, ast.Attribute) and called.attr in self.silent and root_of(called) in self.bound:
            return True
        is_debug = name_of(called) == "debug" and any(reaches_assertion(part, self.reaching) for part in ast.walk(called))
        return is_debug or isinstance(called, ast.Attribute) and re.match("assert[A-Z]", called.attr) is not None

    def check_asserts(self, nodes):
        for node in nodes:
            if isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple) and node.test.elts:
                raise SyntaxError("assertion is always true, perhaps remove parentheses?", (None, node.lineno, 0, ""))
            if isinstance(node, ast.Compare) and self.has_approx and any(map(is_approx_of_two, [node.left, *node.comparators])):
                raise SyntaxError("approx(got, right) is True or False; write `== approx(right)`", (None, node.lineno, 0, ""))
            if isinstance(node, ast.Expr) and getattr(node.value, "id", "") in self.asserting:
                raise SyntaxError(f"is not called: write {node.value.id}()", (None, node.lineno, 0, ""))
        if not any(self.asserts(node) or reaches_assertion(node, self.reaching) for node in nodes):
            raise SyntaxError("asserts nothing; write `assert ...`", (None, 1, 0, ""))

    def asserts(self, node):
        """True for what can fail a test."""
        return self.is_assertion(node) or isinstance(node, (ast.With, ast.AsyncWith, ast.Raise))

    def is_assertion(self, node):
        """True for an assertion, `raises`, and a call of what asserts something."""
        if isinstance(node, ast.Call):
            called = name_of(node.func)
            return called in self.asserting or called == "@score" or called == "exec" and "assert" in self.words or is_assertion(node)
        return is_assertion(node)

    def flaw(self, test, line, message):
        self.flaws.append({"test": test, "line": line, "message": message})


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def gives_something(function):
    """True of a function that may return anything but None, as seen from its text."""
    if isinstance(function, ast.AsyncFunctionDef):
        return True
    parts, found = [*function.body], False
    for part in parts:
        if isinstance(part, ast.Return):
            found |= part.value is not None and getattr(part.value, "value", 0) is not None
        found |= isinstance(part, (ast.Yield, ast.YieldFrom))
        parts += [] if isinstance(part, (*DEFINITIONS, ast.Lambda)) else ast.iter_child_nodes(part)
    return found


def aliases(node, silent):
    """The other names that a statement gives one of these functions, or such with some of its arguments."""
    value = getattr(node, "value", None) if isinstance(node, ast.Assign) else None
    if isinstance(value, ast.Call) and name_of(value.func) == "partial" and value.args:
        value = value.args[0]
    if isinstance(value, ast.Name) and value.id in silent:
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def root_of(node):
    """The name that a chain of attributes and calls begins with."""
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, "id", None)


def name_of(node):
    return getattr(node, "attr", getattr(node, "id", ""))


def is_assertion(node):
    """True for an assertion, `raises`, and what asserts something by its name."""
    called = name_of(node.func) if isinstance(node, ast.Call) else ""
    return isinstance(node, ast.Assert) or called.startswith("assert") or called == "raises"


def reaches_assertion(node, names):
    name = name_of(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    return is_assertion(node) or name.startswith("assert") or name in names


def reached_by(nodes, known):
    """The names by which an assertion is reached: those known before, of functions and classes that hold one or such a name, and
    of what these are given another name by."""
    homes = [(names, parts) for names, parts in map(home_of, nodes) if names]
    found, before = {*known}, -1
    while before < len(found):
        before = len(found)
        for names, parts in homes:
            if not names <= found and any(reaches_assertion(part, found) or type(part) is Checking for part in parts):
                found |= names
    return found


class Checking:
    """A `raise` that is up to what its function is given, as that of an assertion is."""


def home_of(node):
    """The names that a statement binds, and those of its parts by which they may stand for an assertion."""
    if isinstance(node, DEFINITIONS):
        parts = [*ast.walk(node)]
        return {node.name}, parts + [Checking()] * (not isinstance(node, ast.ClassDef) and is_checking(node, parts))
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = [*ast.walk(node.value)]
        called = {id(part.func) for part in parts if isinstance(part, ast.Call)}
        if not any(isinstance(part, ast.Lambda) for part in parts):  # what is called now is not kept
            parts = [part for part in parts if isinstance(part, (ast.Name, ast.Attribute)) and id(part) not in called]
        return {target.id for target in targets if isinstance(target, ast.Name)}, parts
    return (), ()


def is_checking(function, parts):
    args = function.args
    named = [arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg) if arg and arg.arg not in ("self", "cls")]
    conditions = (part for part in parts if isinstance(part, (ast.If, ast.Match)))
    has_raise = any(isinstance(inner, ast.Raise) for part in conditions for inner in ast.walk(part))
    return has_raise and bool(named)


# Words before a function's name, or behind it, by which a prompt only speaks of Python's: "`sorted()` must not be used".
PYTHONS_OWN = re.compile(r"(?i)\b(?:not|never|no|without|avoid|instead|than|like|as|use|uses|using|used|built-?ins?|python's)\b|n't\b")
PYTHONS_OWN_BEHIND = re.compile(
    r"(?i)[^`)\n]*\)?`?\s+(?:function\s+)?(?:cannot|(?:is|are|must|may|can|should)\s*(?:not|never|n't|forbidden|banned)\b)"
)
END_OF_SENTENCE = re.compile(r"[.!?;]\s|\n\s*\n|\n\s*[-*]\s")


def said_of_syntax(error):
    """Python's word; and where a line of YAML may have lost its end, that it may have."""
    if not error.msg.startswith("unterminated string"):
        return error.msg
    return f"{error.msg.split(' (')[0]}; of a line without quotes YAML takes what follows ` #` for a comment: write it below a `|`"


def is_approx_of_two(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "approx" and len(node.args) > 1


def is_asked_for(name, prompt):
    """True if the prompt asks for a function of this name: then it is the agent's, though Python has one, too. It is not enough that some
    code in it calls one (`len(pick(xs, n))` is n), or that a function does what is called so (the function raises `ValueError`)."""
    if re.search(rf"\bdef\s+{name}\s*\(|\bclass\s+{name}\(|`class\s+{name}\b", prompt):
        return True
    of_function = rf"\b(?i:functions?):?\s+(?:(?:named|called)\s+`?{name}\b|(?:{OTHER_CODE})*(?:`{name}\s*[`(]|{name}\())"
    signature = rf"`?{name}\([^()`]*(?:\([^()`]*\)[^()`]*)*\)(?:\s*->[^`.]*)?`?"
    asked = rf"\b(?i:{ASKING_VERBS}):?\s+(?:(?i:{FILLERS}):?\s+)*(?:{OTHER_CODE})*{signature}"
    listed = rf"\b(?i:functions):\s*\n(?:\s*[-*]\s.*\n)*?\s*[-*]\s+`?{name}\("
    gives = GIVING_VERBS if name in PLAIN_NAMES else f"{GIVING_VERBS}|is"  # of Python's own much else may be said
    described = rf"(?m:^\s*(?:[-*]\s+)?|[.!?:]\s+)`?{name}\([\w\s,:=*|\[\]]*\)`?,?\s+(?:which\s+)?(?:{gives})\b"
    if name in OF_OBJECTS and re.search(r"(?i)\bclass\b", EVERYDAY.sub("", prompt)):
        patterns = (of_function, listed)  # else it is spoken of what such a function makes of the class's objects
    else:
        patterns = (of_function, listed, asked) if re.search(ASKS_FOR_ANOTHER, prompt) else (of_function, listed, asked, described)
    named = (one for pattern in patterns for one in re.finditer(pattern, prompt))
    return any(not PYTHONS_OWN.search(clause(one, prompt)) and not PYTHONS_OWN_BEHIND.match(prompt, one.end()) for one in named)


def clause(found, prompt):
    """The part of its sentence that stands before it, as far as it belongs to what is asked for."""
    said = before(found, prompt)
    last = said.rpartition(",")[2]
    return last if re.search(rf"\b(?i:{ASKING_VERBS})\b", last + found[0]) else said


ASKING_VERBS = "write|define|implement|reimplement|develop|complete|program|provide|create"
FILLERS = "an?|the|these|your|own|python|new|two|three|four|functions?|methods?|recursive|generators?|versions?|of|named|called"
GIVING_VERBS = "returns?|gives?|computes?|calculates?|counts?|finds?|takes|yields?|adds?|multiplies|turns|(?:should|must)\\s+return"
OTHER_CODE = r"(?:`[^`\n]*`|\w+\([^()\n]*\))(?:\s*,\s*(?:and\s+)?|\s+and\s+)"  # of a list of functions that are asked for together
ASKS_FOR_ANOTHER = rf"\b(?i:{ASKING_VERBS}):?\s+(?:(?i:{FILLERS}):?\s+)*`?\w+\("
# Functions of Python's that ask an object for a method of its class.
OF_OBJECTS = frozenset("abs bool bytes complex dir divmod float format hash int iter len next repr reversed round str".split())


def before(found, prompt):
    """The part of its sentence that stands before it."""
    return END_OF_SENTENCE.split(prompt[: found.start()])[-1]


EVALUATING = frozenset(("eval", "exec", "compile", "globals", "locals"))


FILLING = frozenset(("format", "format_map"))


def texts_of_code(code):
    """The texts that stand in code."""
    for value in code.co_consts:
        if type(value) is types.CodeType:
            yield from texts_of_code(value)
        else:
            yield from (text for text in (value if type(value) is tuple else [value]) if type(text) is str)


def names_of_code(code):
    yield from code.co_names
    for value in code.co_consts:
        if type(value) is types.CodeType:
            yield from names_of_code(value)


def words(node):
    """The names that a text holds, which may be Python's."""
    return re.findall(r"\b[^\W\d]\w*", node.value) if isinstance(node, ast.Constant) and type(node.value) is str else ()


NO_CALLS = (ast.Attribute, ast.Subscript, ast.Compare, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.FormattedValue)


def bound_by(nodes):
    """The names that statements and arguments among the nodes give a value."""
    bound = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif not isinstance(node, ast.keyword):
            bound.update(getattr(node, field, None) for field in ("arg", "name", "rest"))
    return bound


def uses(nodes, above):
    """(name, line, whether a function may be meant) of each name that is read and bound nowhere among the nodes."""
    bound = {*PLAIN_NAMES, "output"} | bound_by(nodes)
    for parent in nodes:
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.Name) and node.id not in bound:
                yield node.id, above + node.lineno, not isinstance(parent, NO_CALLS)
