"""Remains: what a test may find that those before it have left in setup's data (this text is put before that of the dry run).

Setup's own code that fails before a test has asked the agent anything is the author's fault, unless a test before it may keep that away:
then agents have a part in it. So what these tests reach is taken for changed wherever that can't be told.
"""
import types

# Values of setup that nothing can be put into. Functions and classes can be given attributes, if they are its own.
CONSTANT = (type(None), bool, int, float, complex, str, bytes, tuple, frozenset, range, type(sys), Member, Agent)
# Modules of which what a test does leaves nothing there.
QUIET_MODULES = frozenset(PLAIN_NAMES_OF) - {"random"} | {__name__, *"agent builtins unittest unittest.case unittest.async_case abc dataclasses enum json numbers".split()}
QUIET_BUILTINS = PLAIN_BUILTINS | EXCEPTIONS.keys() | frozenset("callable classmethod getattr hasattr hash id issubclass object print property staticmethod super".split())
# Methods that unittest calls where it runs more than a case; and names by which it is told to.
OF_CLASS = frozenset(("setUpClass", "tearDownClass"))
STIRRING = re.compile(r"__(?:setattr|delattr|dict|globals)__|patch|mock|.*(?:Suite|Loader|Runner|ClassCleanups?)|setUpClass|tearDownClass|main")


def may_hold(value):
    """True if a test may leave something in this value of setup for the next one to find."""
    if type(value) is Member:
        return False
    imported = getattr(value, "__module__", "task") != "task"
    return not isinstance(value, CONSTANT) and not (callable(value) and imported)


def changed_names(nodes):
    """The attributes, but for those of `self`, and the names of outer functions and of all that the nodes give something else."""
    passed_over = {id(part) for node in nodes if getattr(node, "name", "") in OF_CLASS for part in ast.walk(node)}
    for node in nodes:
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and id(node) not in passed_over:
            if getattr(node.value, "id", "") != "self":
                yield node.attr


def may_find_remains(task, scope, test):
    """True if what this test reaches may be changed by those before it."""
    if any(type(code) is Case for code in task.tests[:test]):
        return True
    before, here = Reached(scope, task.tests[:test]), Reached(scope, task.tests[test : test + 1])
    changed = {name for at, name in task.changed if at is None or at < test}
    return before.is_stirring or not before.holders.keys().isdisjoint(here.holders) or not changed.isdisjoint(here.names)


def names_in(code):
    """The names and words of some code, attributes among them."""
    found = {*code.co_names, *code.co_freevars}
    for part in code.co_consts:
        if type(part) is type(code):
            found |= names_in(part)
        elif type(part) is str and part.isidentifier():
            found.add(part)
    return found


class Reached:
    """All that some code comes upon by the names in it: values that can hold something, and whether it may stir what lies elsewhere."""

    def __init__(self, scope, codes):
        self.scope, self.names, self.holders, self.is_stirring = scope, set(), {}, False
        self.known, self.due = {}, []
        for code in codes:
            self.read(code)
        while self.due:
            value = self.due.pop()
            if id(value) not in self.known:
                self.known[id(value)] = value
                self.meet(value)

    def read(self, code):
        for name in names_in(code) - self.names:
            self.names.add(name)
            if name in self.scope:
                self.due.append(None if name.startswith("@") else self.scope[name])
            else:
                is_other = name in sys.stdlib_module_names - QUIET_MODULES or name in PLAIN_NAMES - QUIET_BUILTINS
                self.is_stirring |= is_other or STIRRING.fullmatch(name) is not None

    def meet(self, value):
        kind = type(value)
        if kind in (tuple, frozenset):
            self.due += value
        elif kind is Member or isinstance(value, CONSTANT) and not isinstance(value, types.ModuleType):
            return
        elif getattr(value, "__module__", None) == "task" and (kind is types.FunctionType or isinstance(value, type)):
            self.look_into(value)
        elif isinstance(value, (types.ModuleType, type)) or callable(value) and getattr(value, "__module__", None) not in ("task", None):
            self.is_stirring |= (value.__name__ if isinstance(value, types.ModuleType) else value.__module__) not in QUIET_MODULES
        elif (parts := parts_of(value)) is not None:
            self.due += parts
        else:
            self.hold(value, kind)

    def hold(self, value, kind):
        self.holders[id(value)] = value
        self.is_stirring |= kind is Watched or kind.__module__ not in QUIET_MODULES | {"task"}
        self.due += [kind, *vars(value).values()] if hasattr(value, "__dict__") else []
        self.due += [*value.keys(), *value.values()] if isinstance(value, dict) else []
        self.due += value if isinstance(value, (list, set)) else []

    def look_into(self, value):
        """Looks into a function or class of the task's own."""
        if isinstance(value, type):
            own = {name: one for name, one in vars(value).items() if name != "_class_cleanups"}
            self.due += [one for name, one in own.items() if name[:2] != "__" or type(one) is types.FunctionType]
            self.due += value.__bases__
        else:
            self.read(value.__code__)
            self.due += [*(cell.cell_contents for cell in value.__closure__ or () if cell != types.CellType()), *(value.__defaults__ or ())]
            self.due += [*(value.__kwdefaults__ or {}).values(), *vars(value).values()]


def parts_of(value):
    """The parts of a method, or of a wrapper that can't be changed; None of anything else."""
    if isinstance(value, (staticmethod, classmethod)):
        return [value.__func__]
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, types.BuiltinMethodType):
        return [value.__self__]
    return [] if isinstance(value, re.Pattern) else None
