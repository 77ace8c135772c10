"""Plain tasks: those whose tests can leave nothing behind in Python, so that one process may run many of them (this text is put
behind observations.py).

A process for each run costs more than most runs do. This is a list of what a plain task may say, not of what it may not: whatever
is missing here costs time, and nothing else. It may bind names, compute, and call, but neither store into an object nor have one
that outlasts it: names of modules stand for functions, classes and constants that nothing can be put into.
"""
import ast

STATEMENTS = (
    ast.Module, ast.Expr, ast.Assert, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.If, ast.Pass, ast.Break,
    ast.Continue, ast.Return, ast.Raise, ast.Try, ast.ExceptHandler, ast.FunctionDef, ast.Import, ast.ImportFrom, ast.alias,
)  # fmt: skip
EXPRESSIONS = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call, ast.keyword, ast.Constant, ast.Name, ast.Attribute,
    ast.Subscript, ast.Slice, ast.Starred, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.Lambda, ast.arguments, ast.arg,
)  # fmt: skip
PLAIN_NODES = frozenset(STATEMENTS + EXPRESSIONS)
PLAIN_KINDS = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)

# Of Python's own names, those that may stand in a plain task; all other names are bound there, or the agent's.
PLAIN_BUILTINS = frozenset("""abs all any ascii bin bool bytearray bytes chr complex dict divmod enumerate filter float format frozenset
    hex int isinstance iter len list map max min next oct ord pow range repr reversed round set slice sorted str sum tuple type zip
    None True False ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError NotImplementedError
    OverflowError RecursionError StopIteration TypeError ValueError ZeroDivisionError""".split())
# Of modules, what can't be changed; chance begins anew with each run (surroundings.py).
PLAIN_NAMES_OF = {
    "math": None, "cmath": None, "itertools": None, "bisect": None, "heapq": None, "typing": "Any Callable Dict Iterable List Optional Set Tuple Union",
    "copy": "copy deepcopy", "collections": "Counter OrderedDict defaultdict deque namedtuple", "fractions": "Fraction",
    "functools": "reduce cmp_to_key", "string": "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation whitespace",
    "re": "findall finditer fullmatch match search split sub", "statistics": "mean median mode pstdev stdev variance",
    "random": "Random betavariate choice choices expovariate gauss getrandbits normalvariate randbytes randint random randrange sample seed shuffle triangular uniform",
    "operator": "add and_ eq floordiv ge gt itemgetter le lt mod mul ne neg or_ sub truediv xor",
}  # fmt: skip
PLAIN_MEMBERS = {module: names and frozenset(names.split()) for module, names in PLAIN_NAMES_OF.items()}


def is_plain(nodes, modules):
    """True for the nodes of setup or a test that leave nothing behind; `modules` are those that setup has names for, and more are
    added."""
    for node in nodes:
        for alias in node.names if isinstance(node, ast.Import) else ():
            if modules.setdefault(alias.asname or alias.name, alias.name) != alias.name:
                return False
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    if bound & modules.keys():
        return False
    uses = {id(node.value): node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return all(is_plain_node(node, modules, uses) for node in nodes)


def is_plain_node(node, modules, uses):
    if type(node) not in PLAIN_NODES and not isinstance(node, PLAIN_KINDS):
        return False
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return isinstance(node.ctx, ast.Load) and not getattr(node, "attr", "").startswith("_")
    if isinstance(node, ast.Import):
        return all(alias.name in PLAIN_MEMBERS for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return not node.level and all(is_plain_member(node.module, alias.name) for alias in node.names)
    if isinstance(node, ast.Name) and node.id in modules:
        return id(node) in uses and is_plain_member(modules[node.id], uses[id(node)])
    if isinstance(node, ast.Name):
        return node.id in PLAIN_BUILTINS or node.id not in PLAIN_NAMES and not node.id.startswith("__")
    return not isinstance(node, ast.FunctionDef) or not node.decorator_list


def is_plain_member(module, name):
    if module not in PLAIN_MEMBERS:
        return False
    names = PLAIN_MEMBERS[module]
    return not name.startswith("_") and (name in names if names is not None else name not in ELSEWHERE)
