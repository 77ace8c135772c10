"""Capital letters: whether a name that begins with one is to be a class or a function (this text is put before the compiler's).

It is for the task to say, not for the agent: an object of a class in a function's place would be asked what `abs(Add(2, 3) - 5)` is.
"""
import ast
import re

# Attributes of plain data: a test that looks at others deals with objects.
PLAIN_ATTRIBUTES = frozenset(
    name for kind in (str, bytes, bytearray, list, tuple, dict, set, frozenset, int, float, complex, range) for name in dir(kind)
)
LOOKS_AT_OBJECTS = frozenset(("getattr", "setattr", "hasattr", "delattr", "vars", "dir", "issubclass"))


def deals_with_objects(nodes, imported):
    """True if tests look at something that only objects have; `imported` are names of modules and of what is taken from them."""
    return any(is_for_objects(node, imported) for node in nodes)


def is_for_objects(node, imported):
    if isinstance(node, ast.Attribute):
        return node.attr not in PLAIN_ATTRIBUTES and root(node.value) not in imported
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return any(called(item.context_expr) != "raises" for item in node.items)
    if isinstance(node, ast.Call) and called(node) == "isinstance" and len(node.args) == 2:
        return root(node.args[1])[:1].isupper() and root(node.args[1]) not in imported
    return isinstance(node, ast.MatchClass) or isinstance(node, ast.Call) and called(node) in LOOKS_AT_OBJECTS


def root(node):
    """The name that a chain of attributes begins with, if it is one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return getattr(node, "id", "")


def called(node):
    """The last name of what is called."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", getattr(function, "id", ""))


def kind_named(name, prompt, has_objects):
    """`class` or `function`, as prompt and tests have it; None if neither says."""
    if not name[:1].isupper():
        return "function"
    name = re.escape(name)
    if re.search(rf"\bdef\s+{name}\s*\(|\bfunctions?\s+(?:named\s+|called\s+)?`?{name}\b", prompt):
        return "function"
    said = [*re.finditer(rf"\b{name}\b", prompt)]
    is_class = re.compile(r"`?(?:\([^)]*\))?`?\s*(?:is|as|,|:|-)?\s*(?:an?|the)?\s*(?:\w+\s)?(?i:class)\b")
    if has_objects or any(re.search(r"(?i)\bclass(?:es)?\b", before(one, prompt)) or is_class.match(prompt, one.end()) for one in said):
        return "class"
    return "function" if re.search(rf"\b{name}\(", prompt) else None
