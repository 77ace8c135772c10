"""Statements of an agent's module that can be made ahead of all its runs: those that can run no code of the agent's and come to the
same whenever they are made, in little more time than it takes to read them (this text is put before source.py).

These are imports of the modules in WARM; functions, and classes that no base, decorator or metaclass of the agent's has a say in;
names for plain expressions; and what scripts alone do. That a name of Python's stands for what Python means by it is known, as all
that was bound before it is; and names of the interpreter's own, such as `__builtins__`, are not bound.
"""
# Modules that agents import most. All of it is of the standard library, and none of it does anything when it is imported.
WARM = frozenset("""abc argparse ast base64 binascii bisect calendar cmath collections contextlib copy csv dataclasses datetime decimal
    difflib enum fractions functools hashlib heapq inspect io itertools json math operator os pathlib pprint random re statistics string
    struct sys textwrap threading time traceback types typing unicodedata""".split())
LADEN = frozenset(["hashlib"])  # brings a library along that every fork would have to carry
CHANGING = frozenset(["sys"])  # what it holds differs from run to run
MAX_PARTS = 64  # of an expression of types: a union's are compared in pairs
MAX_PATTERN = 500  # characters of a regular expression
SLOW = ("\\u", "\\U", "\\N", *(f"(?{flag}" for flag in "aiLmsux-"))  # has its compiler look at each character of a long range
WARNED_OF = ("[", "--", "&&", "~~", "||")  # in a set of characters
MAX_NUMBER, MAX_POWER, MAX_NESTED = 10_000, 100, 4  # that is calculated with
DESCRIPTORS, EMPTY = frozenset(["classmethod", "property", "staticmethod"]), frozenset(["dict", "list", "set"])
OF_MODULES, OF_CLASSES = frozenset(["__all__", "__author__", "__version__"]), frozenset(["__hash__", "__slots__"])


def kind_of(node):
    return type(node).__name__


class Names:
    """The names that are bound at some place of the module; those that stand for modules of WARM, and for values."""

    def __init__(self, may_bind=OF_MODULES):
        self.bound, self.modules, self.values = set(), {}, set()
        self.may_bind, self.are_plain = may_bind, True

    def within(self):
        """The names in a class's body, from which the module's are seen."""
        inner = Names(OF_CLASSES)
        inner.bound, inner.modules, inner.values = {*self.bound}, {**self.modules}, {*self.values}
        return inner

    def bind(self, names, are_values=False, are_methods=False):
        self.bound |= names
        self.values.update(names) if are_values else self.values.difference_update(names)
        for name in names:
            self.modules.pop(name, None)
            self.are_plain &= are_methods or name in self.may_bind or not name.startswith("__")

    def builtin(self, node):
        """The name that the node is, if it stands for what Python has by it."""
        return node.id if kind_of(node) == "Name" and node.id not in self.bound else None


def is_inert(statement, names):
    """True if it is nothing but a beginning."""
    kind = kind_of(statement)
    if kind == "Expr":
        return kind_of(statement.value) == "Constant"
    if kind == "If":
        return is_for_scripts(statement)
    if kind == "Import":
        inert = all(is_warm(name.name, names, name.asname) for name in statement.names)
    elif kind == "ImportFrom":
        new = {name.asname or name.name for name in statement.names}
        names.bind(new)
        known = statement.module == "__future__" or is_warm(statement.module)
        inert = not statement.level and known and "*" not in new and statement.module not in CHANGING
    elif kind in ("FunctionDef", "AsyncFunctionDef"):
        inert = not statement.decorator_list and is_function(statement, names)
    elif kind == "ClassDef":
        inert = is_class(statement, names)
        names.bind({statement.name}, are_values=True)
    else:
        inert = is_assignment(statement, names)
    return inert and names.are_plain


def is_for_scripts(statement):
    """True for `if __name__ == "__main__":`, which does nothing in a module: the name is bound by nothing that is made ahead."""
    test = statement.test
    if statement.orelse or kind_of(test) != "Compare" or kind_of(test.left) != "Name" or test.left.id != "__name__":
        return False
    [operator, *more], [right, *_] = test.ops, test.comparators
    return not more and kind_of(operator) == "Eq" and kind_of(right) == "Constant" and right.value == "__main__"


def is_warm(name, names=None, known_as=None):
    first = name and name.split(".")[0]
    if names is not None:
        names.bind({known_as or first})
        if first not in CHANGING:
            names.modules[known_as or first] = name if known_as else first
    return first in WARM


def is_function(function, names, is_method=False):
    """True if what is evaluated when it is made is plain. Of a method the interpreter makes use in instances alone."""
    inert = all(is_plain(part, names) for part in evaluated(function))
    names.bind({function.name}, are_values=True, are_methods=is_method)
    return inert


def is_class(node, names):
    """True for a class of functions and plain values, in whose making nothing but Python's own classes has a say."""
    if node.decorator_list or node.keywords or getattr(node, "type_params", None):
        return False
    inner = names.within()
    inert = all(is_base(names.builtin(base)) for base in node.bases) and all(is_inert_in_class(it, inner) for it in node.body)
    return inert and inner.are_plain


def is_base(name):
    base = getattr(builtins, name or "", None)
    return base is object or isinstance(base, type) and issubclass(base, Exception)


def is_inert_in_class(statement, names):
    kind = kind_of(statement)
    if kind == "FunctionDef":
        decorators = statement.decorator_list
        inert = len(decorators) < 2 and all(names.builtin(it) in DESCRIPTORS for it in decorators)
        return is_function(statement, names, is_method=True) and inert
    return kind == "Pass" or kind in ("Expr", "Assign", "AnnAssign") and is_inert(statement, names)


def is_assignment(statement, names):
    """True if it gives names to a plain value."""
    kind = kind_of(statement)
    if kind not in ("Assign", "AnnAssign"):
        return False
    targets = statement.targets if kind == "Assign" else [statement.target]
    if any(kind_of(target) != "Name" for target in targets):
        return False
    parts = [part for part in (getattr(statement, "annotation", None), statement.value) if part]
    inert = all(is_plain(part, names) for part in parts)
    names.bind({target.id for target in targets}, are_values=True)
    return inert


def evaluated(function):
    """The expressions that are evaluated when the function is made."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    hints = [getattr(function, "returns", None), *(one.annotation for one in named if one)]
    return [part for part in (*args.defaults, *args.kw_defaults, *hints) if part]


def is_plain(expression, names):
    """True if it is made of constants, names, attributes of modules, items, unions, displays, lambdas, and of calls that run nothing.

    Items are taken of what is the library's only: those of a value that the agent has made, `T[T, T]`, would put one type into
    another, and each time double its size.
    """
    parts, is_of_types = [expression], False
    for part in parts:
        kind = kind_of(part)
        if kind == "Subscript":
            if kind_of(part.value) not in ("Name", "Attribute") or getattr(part.value, "id", "") in names.values:
                return False
            parts += part.value, part.slice
            is_of_types = True
        elif kind == "BinOp" and kind_of(part.op) == "BitOr":
            parts += part.left, part.right
            is_of_types = True
        elif kind in ("Tuple", "List"):
            parts += part.elts
        elif kind == "Dict" and all(map(is_constant, part.keys)):
            parts += part.values
        elif kind == "Lambda":
            parts += evaluated(part)
        elif not is_simple(part, names):
            return False
        if is_of_types and len(parts) > MAX_PARTS:
            return False
    return True


def is_simple(part, names):
    """True for a plain expression that no other is looked for in."""
    kind = kind_of(part)
    if kind == "Attribute":
        return kind_of(part.value) == "Name" and part.value.id in names.modules and not part.attr.startswith("_")
    if kind == "Set":
        return all(map(is_constant, part.elts))  # others might have a say in how they are compared
    if kind == "Name":
        return not part.id.startswith("__")
    return is_constant(part) or kind == "Call" and is_plain_call(part, names)


def is_constant(node):
    return kind_of(node) == "Constant" or is_calculated(node)


def is_calculated(node, nested=MAX_NESTED):
    """True for small numbers and what is calculated of few of them: that can't become long."""
    kind = kind_of(node)
    if kind == "Constant":
        return type(node.value) is float or type(node.value) is int and node.value <= MAX_NUMBER
    if not nested:
        return False
    if kind == "UnaryOp":
        return kind_of(node.op) == "USub" and is_calculated(node.operand, nested - 1)
    if kind != "BinOp" or not (is_calculated(node.left, nested - 1) and is_calculated(node.right, nested - 1)):
        return False
    if kind_of(node.op) == "Pow":
        return kind_of(node.left) == kind_of(node.right) == "Constant" and node.right.value <= MAX_POWER
    return kind_of(node.op) in ("Add", "Sub", "Mult")


def is_plain_call(call, names):
    """True for an empty container, a number that is told as text, and a regular expression."""
    if call.keywords or any(kind_of(arg) != "Constant" for arg in call.args):
        return False
    function, values = call.func, [arg.value for arg in call.args]
    if names.builtin(function) in EMPTY:
        return not values
    if len(values) != 1 or type(values[0]) is not str or len(values[0]) > MAX_PATTERN:
        return False
    return names.builtin(function) == "float" or is_compile_of_re(function, names) and is_sure(values[0])


def is_compile_of_re(function, names):
    return kind_of(function) == "Attribute" and function.attr == "compile" and names.modules.get(getattr(function.value, "id", None)) == "re"


def is_sure(pattern):
    """True for a pattern that is compiled fast, and without a warning."""
    warned_of = (it in content for content in sets_in(pattern) for it in WARNED_OF)
    return pattern.isascii() and not any(it in pattern for it in SLOW) and not any(warned_of)


def sets_in(pattern):
    """Contents of a pattern's sets of characters, between brackets."""
    content, chars = None, iter(pattern)
    for char in chars:
        char = next(chars, "") and "." if char == "\\" else char  # whatever is escaped ends nothing
        if content is None:
            content = "" if char == "[" else None
        elif char == "]" and content.strip("^"):  # else it is the first, and stands for itself
            yield content
            content = None
        else:
            content += char
    if content:
        yield content
