"""Compiler: a task's Python compiled, and what can be seen of it without running it (this text is put before the judge's)."""
import ast
import builtins
import collections
import re
import warnings

PLAIN_NAMES = frozenset(vars(builtins))


class Compiler:
    """Compiles a task's setup and tests; `flaws` says what is wrong with them."""

    def __init__(self, spec):
        self.prompt, self.max_value, self.flaws = spec["prompt"], spec["value"], []
        self.names, self.imports, self.library, self.modules = set(), set(), set(), {}
        self.imported, self.has_objects, self.objects = {"agent"}, False, set()
        self.is_steady = self.is_timeless = self.is_plain = True
        self.asks_model, self.has_files = spec.get("asks_model", False), spec.get("has_files", False)
        self.has_approx = not re.search(r"\bapprox\b", self.prompt)  # else it may be the agent's
        self.words = set()  # in the texts within setup and tests
        self.uses, self.lines = [], [test["line"] for test in spec["tests"]]
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
        self.helpers = [name for name in HELPERS if has_scores and not is_asked_for(name, spec["prompt"])]
        if "approx" in self.names - {*self.helpers} and self.has_approx:
            self.helpers.append("approx")  # for assertions, too
        self.evaluated = sorted(self.words) if self.names & EVALUATING else []
        self.names.update(self.evaluated)  # what is evaluated may name what is the agent's
        self.agents_own = {name for name in self.names & PLAIN_NAMES if is_asked_for(name, spec["prompt"])}

    def content(self):
        """All that a Task is made of, as plain data and code: it can go from one process to others."""
        self.library = [] if self.is_plain else sorted(self.library)
        kept = "prompt has_objects objects max_value asks_model has_files evaluated names agents_own is_plain library uses shown lines setup_line setup helpers rules tests".split()
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
        self.is_steady &= all(map(is_steady, nodes))
        self.is_timeless &= all(map(is_timeless, nodes))
        self.is_plain &= is_plain(nodes, self.modules)
        self.imports.update(name for node in nodes for name in imported(node))
        self.imported.update((node.asname or node.name).split(".")[0] for node in nodes if isinstance(node, ast.alias))
        self.has_objects |= deals_with_objects(nodes, self.imported)
        self.objects.update(made_objects(nodes))
        self.library.update(name for node in nodes for name in named_of_library(node))
        reaching = reached_by(nodes, self.reaching | {"exec"} if "assert" in self.words else self.reaching)
        self.reaching = reaching if test is None else self.reaching
        functions = self.functions | {node.name for node in nodes if isinstance(node, DEFINITIONS)}
        self.functions = functions if test is None else self.functions
        rewriting = Rewriting(names, lambda node: reaches_assertion(node, reaching), functions)
        rewriting.bound = self.bound | bound_by(nodes)
        self.bound = rewriting.bound if test is None else self.bound
        rewriting.called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        rewriting.defined |= {node.name for node in nodes if isinstance(node, ast.ClassDef)}
        rewriting.defined |= {(node.asname or node.name) for node in nodes if isinstance(node, ast.alias)}
        tree = ast.increment_lineno(ast.fix_missing_locations(rewriting.visit(tree)), above)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SyntaxWarning)
                return compile(tree, "task", "exec", dont_inherit=True)
        except SyntaxError as error:
            return self.flaw(test, error.lineno or above + 1, error.msg)

    def note_helpers(self, nodes):
        functions = [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        asserting = [node for node in functions if any(map(self.asserts, ast.walk(node)))]
        self.asserting |= {node.name for node in asserting}
        self.silent |= {node.name for node in asserting if not gives_something(node)}

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


class Rewriting(ast.NodeTransformer):
    """Rewrites what plain Python leaves to chance or to the other side: `output` is asked for when it is first looked at; a name in
    capitals is a constant of the agent's, and looked up where it stands; `except` takes the agent's classes by name; a `with`
    around an assertion lets no exception pass, and one around what fails by itself takes that for its own; an assertion that fails tells both sides of its comparison, but lets a dry run go on; and what
    fails, and what an `except` or a `with` handles of that, is noted.

    The names that it needs for that no author can write.
    """

    def __init__(self, names, is_assertion, functions):
        self.is_assertion = is_assertion
        self.unwrapped = EVALUATING | functions  # what may look at who calls it; the latter's assertions are rewritten, too
        self.stored = {n.id for n in names if not isinstance(n.ctx, ast.Load)}
        self.called, self.defined, self.alone, self.bound = set(), set(PLAIN_NAMES), set(), set()

    def visit_Name(self, node):
        if node.id in self.stored or not isinstance(node.ctx, ast.Load):
            return node
        if node.id == "output":
            return ast.copy_location(ast.Attribute(ast.Name("agent", ast.Load()), "output", ast.Load()), node)
        return ast.copy_location(calling("@resolved", node), node) if node.id.isupper() else node

    def visit_Call(self, node):
        called = node.func
        node = self.generic_visit(node)
        if isinstance(called, ast.Name):
            node.func = called
            if called.id in ("type", "callable") and len(node.args) == 1:
                return ast.copy_location(calling(f"@{called.id}", *node.args), node)
            if called.id == "issubclass" and len(node.args) == 2:
                return ast.copy_location(calling("@issubclass", *node.args), node)
            if called.id in ("globals", "locals") and not node.args:
                return ast.copy_location(calling("@defined", node), node)
        fails = self.is_assertion(called) or name_of(called) == "fail"
        if fails and name_of(called) not in self.unwrapped:
            check = node.func.args[0] if is_hearing(node.func) else node.func
            node.func = ast.copy_location(calling("@heard", check), check)
        return node

    def visit_Attribute(self, node):
        node = self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        if node.attr == "__class__":
            return ast.copy_location(calling("@type", node.value), node)
        if node.attr in ("format", "format_map") and not isinstance(node.value, ast.Constant):
            return ast.copy_location(calling("@formatting", node.value, ast.Constant(node.attr)), node)
        return ast.copy_location(calling("@hearing", node), node) if node.attr.startswith("assert") else node

    def visit_Compare(self, node):
        node = self.generic_visit(node)
        if all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            sides = [node.left, *node.comparators]
            if not any(isinstance(side, ast.Constant) for side in sides):
                sides = [ast.copy_location(calling("@resolved", side), side) for side in sides]
            node.left, *node.comparators = map(self.resolving, sides)
        return node

    def visit_Assign(self, node):
        node = self.generic_visit(node)
        node.value = self.kept(node.value)
        return node

    def visit_AnnAssign(self, node):
        node = self.generic_visit(node)
        node.value = node.value and self.kept(node.value)
        return node

    visit_NamedExpr = visit_Assign

    def kept(self, node):
        """A value that is given a name: what the agent's has now, unless it is a function."""
        if isinstance(node, (ast.Tuple, ast.List)):
            node.elts = list(map(self.kept, node.elts))
        return self.resolving(node) if getattr(node, "id", "") not in self.called else node

    def resolving(self, node):
        is_free = isinstance(node, ast.Name) and node.id not in self.stored
        return ast.copy_location(calling("@resolved", node), node) if is_free else node

    def visit_MatchClass(self, node):
        node.patterns, node.kwd_patterns = (list(map(self.visit, parts)) for parts in (node.patterns, node.kwd_patterns))
        if isinstance(node.cls, ast.Name) and node.cls.id not in self.stored | self.defined:
            matching = ast.Name("@matching", ast.Load())
            node.cls = ast.copy_location(ast.Attribute(matching, node.cls.id, ast.Load()), node.cls)
        return node

    def visit_With(self, node):
        holds_assertion = any(self.is_assertion(part) for line in node.body for part in ast.walk(line))
        self.alone.update(id(line) for line in node.body if self.stands_alone(line))
        node = self.generic_visit(node)
        for item in node.items:
            manager = item.context_expr
            item.context_expr = ast.copy_location(calling("@asserting" if holds_assertion else "@managed", manager), manager)
        return node

    visit_AsyncWith = visit_With

    def stands_alone(self, line):
        """True for an expression, such as `1 / 0`, that no agent has a part in."""
        return isinstance(line, ast.Expr) and is_alone(line.value, PLAIN_BUILTINS.union(("open",)) - self.bound)

    def visit_Expr(self, node):
        is_alone = id(node) in self.alone
        node = self.generic_visit(node)
        if is_alone:
            work = ast.Lambda(ast.arguments([], [], None, [], [], None, []), node.value)
            node.value = ast.copy_location(calling("@alone", work), node.value)
        return node

    def visit_ExceptHandler(self, node):
        node = self.generic_visit(node)
        if node.type is not None:
            node.type = ast.copy_location(calling("@caught", node.type), node.type)
        node.body = [ast.With([ast.withitem(calling("@handling"))], node.body)]
        return node

    def visit_FunctionDef(self, node):
        for failure in certain_failures(node):
            failure.is_certain = True
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Raise(self, node):
        node = self.generic_visit(node)
        node.exc = node.exc and marked(node, ast.copy_location(calling("@raising", node.exc), node.exc))
        return node

    def visit_Assert(self, node):
        if node.msg is None and (parts := conjuncts(node.test)):
            parts = (ast.copy_location(ast.Assert(part, None), part) for part in parts)
            return [one for part in parts for one in as_list(self.visit(part))]
        node = self.generic_visit(node)
        test, compared = node.test, []
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            symbol = COMPARED[type(test.ops[0]).__name__]
            test.left = kept_as("@left", test.left)
            test.comparators = [kept_as("@right", test.comparators[0])]
            left, right = (ast.Name(name, ast.Load()) for name in ("@left", "@right"))
            compared = [left, ast.Constant(symbol), right]
        if node.msg is None and compared:
            node.msg = ast.copy_location(calling("@told", *compared), test)
        elif node.msg is None and isinstance(test, ast.Call):
            test = kept_as("@left", test)
            node.msg = ast.copy_location(ast.Starred(calling("@none", ast.Name("@left", ast.Load())), ast.Load()), test)
        elif node.msg is not None and not any(isinstance(part, IN_PLACE) for part in ast.walk(node.msg)):
            message = ast.Lambda(ast.arguments([], [], None, [], [], None, []), node.msg)
            node.msg = ast.copy_location(calling("@message", message, *compared), node.msg)
        holds = ast.UnaryOp(ast.Not(), ast.BoolOp(ast.Or(), [test, calling("@goes_on")]))
        failed = ast.Raise(marked(node, calling("@failed", *([node.msg] if node.msg else []))))
        return ast.copy_location(ast.If(holds, [failed], []), node)


# Parts of an expression that is the test's alone.
ALONE = (ast.Constant, ast.Name, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice, ast.BinOp, ast.UnaryOp, ast.Compare)
ALONE += (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop)
# Parts of an expression that mean something else in a function of their own.
IN_PLACE = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


# Statements behind which the next one follows, unless they raise something.
STRAIGHT = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Pass, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom)


def is_alone(value, names):
    """True for an expression of nothing but these names and constants."""
    used = {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
    return all(isinstance(part, ALONE) for part in ast.walk(value)) and used <= names


def certain_failures(function):
    """The AssertionError, and the assertions that no agent has a part in, that every call of a function comes to: there is nothing to guess."""
    for line in function.body:
        if isinstance(line, ast.Raise) and name_of(getattr(line.exc, "func", line.exc)) == "AssertionError":
            yield line
        if isinstance(line, ast.Assert) and is_alone(line.test, frozenset()):
            yield line
        elif not isinstance(line, STRAIGHT):
            return


def marked(node, raised):
    """The exception of a statement, marked if each call of its function comes to it."""
    return ast.copy_location(calling("@certain", raised), node) if getattr(node, "is_certain", False) else raised


def conjuncts(test):
    """The parts of `a and b`, and of `a < b < c`, each of which must hold; none if there is but one."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return test.values
    if not isinstance(test, ast.Compare) or len(test.ops) < 2:
        return []
    parts, left = [], test.left
    for place, (op, right) in enumerate(zip(test.ops, test.comparators)):
        parts.append(ast.copy_location(ast.Compare(left, [op], [kept_as(f"@{place}", right)]), test))
        left = ast.copy_location(ast.Name(f"@{place}", ast.Load()), right)
    return parts


def as_list(nodes):
    return nodes if isinstance(nodes, list) else [nodes]


def kept_as(name, value):
    return ast.copy_location(ast.NamedExpr(ast.Name(name, ast.Store()), value), value)


def is_hearing(node):
    return isinstance(node, ast.Call) and name_of(node.func) == "@hearing"


def calling(name, *args):
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])


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
    """True if the prompt asks for a function of this name: then it is the agent's, though Python has one, too."""
    if re.search(rf"\bdef\s+{name}\s*\(", prompt):
        return True
    named = re.finditer(rf"\bfunction\s+(?:named\s+|called\s+)?`?{name}\s*[`(]|`{name}\(", prompt)
    return any(not PYTHONS_OWN.search(before(one, prompt)) and not PYTHONS_OWN_BEHIND.match(prompt, one.end()) for one in named)


def before(found, prompt):
    """The part of its sentence that stands before it."""
    return END_OF_SENTENCE.split(prompt[: found.start()])[-1]


EVALUATING = frozenset(("eval", "exec", "compile", "globals", "locals"))


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
