"""Rewriting: a task's Python as it runs in a judge (this text is put before the compiler's)."""
import ast


# Special names that what stands for an agent's object has as that does.
SAME_NAMES = frozenset(("__name__", "__qualname__", "__doc__", "__module__", "__dict__", "__file__"))


def is_looked_up(name):
    return name.startswith("__") and name.endswith("__") and name not in SAME_NAMES


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
        self.called, self.alone, self.bound = set(), set(), set()
        self.managers, self.agents_own = set(), set()  # of blocks; functions of the agent's that Python has, too
        self.matched = []  # statements that give names to the classes of a `match`

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
            if called.id in self.agents_own:
                return node
            if called.id in ("type", "callable") and len(node.args) == 1:
                return ast.copy_location(calling(f"@{called.id}", *node.args), node)
            if called.id in ("getattr", "hasattr", "setattr") and called.id not in self.stored and not node.keywords:
                return ast.copy_location(calling(f"@{called.id}", *node.args), node)
            if called.id == "issubclass" and len(node.args) == 2:
                return ast.copy_location(calling("@issubclass", *node.args), node)
            if called.id == "raises" and "raises" not in self.bound and id(node) not in self.managers:
                return ast.copy_location(ast.Call(ast.Name("@raises", ast.Load()), node.args, node.keywords), node)
            if called.id in ("globals", "locals") and not node.args:
                return ast.copy_location(calling("@defined", node), node)
        if name_of(called) in ("assertIs", "assertIsNot"):
            node.args = list(map(self.resolving, node.args))
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
        if is_looked_up(node.attr):
            return ast.copy_location(calling("@attribute", node.value, ast.Constant(node.attr)), node)
        if node.attr in ("format", "format_map") and not isinstance(node.value, ast.Constant):
            return ast.copy_location(calling("@formatting", node.value, ast.Constant(node.attr == "format_map")), node)
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

    def visit_Match(self, node):
        """Before it, its classes get names: a pattern takes nothing but a name, and looks at it when the patterns before it don't fit."""
        outer, self.matched = self.matched, []
        node = self.generic_visit(node)
        named, self.matched = self.matched, outer
        return [*named, node]

    def visit_MatchClass(self, node):
        node.patterns, node.kwd_patterns = (list(map(self.visit, parts)) for parts in (node.patterns, node.kwd_patterns))
        if isinstance(node.cls, ast.Name) and node.cls.id in PLAIN_NAMES - self.agents_own:
            return node
        name = f"@class{len(self.matched)}"
        none = ast.arguments([], [], None, [], [], None, [])
        made = calling("@matching", ast.Lambda(none, node.cls))
        self.matched.append(ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], made), node))
        node.cls = ast.copy_location(ast.Attribute(ast.Name(name, ast.Load()), "kind", ast.Load()), node.cls)
        return node

    def visit_With(self, node):
        holds_assertion = any(self.is_assertion(part) for line in node.body for part in ast.walk(line))
        self.alone.update(id(line) for line in node.body if self.stands_alone(line))
        self.managers.update(id(item.context_expr) for item in node.items)
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
