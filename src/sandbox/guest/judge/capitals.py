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


def made_objects(nodes):
    """Names that are called, or looked at themselves, as classes are: what they give has attributes that only objects have."""
    nodes = [*nodes]
    given = [(target.id, called(node.value)) for node in nodes if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)]
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr not in PLAIN_ATTRIBUTES:
            yield called(node.value) or root(node.value)
            yield from (name for target, name in given if target == getattr(node.value, "id", None))
        elif isinstance(node, ast.withitem):
            yield called(node.context_expr)
        elif isinstance(node, ast.Call) and called(node) in ("isinstance", "issubclass") and len(node.args) == 2:
            yield root(node.args[1])


def made_numbers(nodes):
    """Names of what is called for a number, as `abs(Mean(x) - 2.5) < 1e-9`, `isclose(Mean(x), 2.5)` and `Mean(x) == approx(2.5)` have it, also where
    what it gives has a name of its own."""
    nodes = [*nodes]
    given = {target.id: called(node.value) for node in nodes if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    source = lambda node: called(node) or given.get(getattr(node, "id", None), "")
    for node in nodes:
        if isinstance(node, ast.Call) and called(node) == "abs" and node.args:
            yield from (name for part in ast.walk(node.args[0]) for name in compared_by(part, source))
        elif isinstance(node, ast.Call) and called(node) in ("isclose", "assertAlmostEqual"):
            yield from map(source, node.args[:2])
        elif isinstance(node, ast.Compare) and any(called(side) == "approx" for side in node.comparators):
            yield source(node.left)


def compared_by(node, source):
    """Names of what gives either side of a difference or quotient, unless both sides are of one name."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Sub, ast.Div)):
        return ()
    left, right = source(node.left), source(node.right)
    return (left, right) if left != right else ()


def kind_named(name, prompt, has_objects, objects, numbers):
    """`class` or `function`, as prompt and tests have it; None if neither says. `has_objects` is true where tests deal with objects
    at all, `objects` are names of what certainly makes some, and `numbers` of what is called for a number."""
    word, prompt = re.escape(name), EVERYDAY.sub("", prompt)
    if not name[:1].isupper() and name in numbers - objects:
        return "function"
    if not name[:1].isupper():
        return "class" if re.search(rf"\bclass\s+(?:named\s+|called\s+)?(?:`{word}\b|{word}\()|{ASKS_FOR_A_CLASS}\s+{word}{GOES_ON}", prompt) else "function"
    if re.search(rf"\bdef\s+{word}\s*\(|\bfunctions?\s+(?:named\s+|called\s+)?`?{word}\b(?!\.\w)", prompt):
        return "function"
    if name in objects or re.search(rf"\b(?i:class)\s+(?:named\s+|called\s+)?`?{word}\b", prompt):
        return "class"
    if name in numbers or re.search(rf"\b{word}\b`?{GIVES}", prompt):
        return "function"
    if any(is_said_a_class(one, prompt) for one in re.finditer(rf"\b{word}\b", prompt)):
        return "class"
    if re.search(rf"\b{word}\(", prompt):
        return "function"
    return "class" if has_objects else None


# The word as it is used of people, of things that are alike, and of lessons, unless a name comes behind it.
EVERYDAY = re.compile(
    r"(?i)\b(?:our|your|my|his|her|their|each|every|this|that|whole|weight|size|social|school|first|second|third|fourth|next|last|tax|age)\s+class(?:es)?\b(?!\s+`?(?-i:[A-Z]))"
    r"|\b(?:programming|coding|computing|maths?|mathematics|physics|chemistry|biology|history|geography|english|art|music|evening|science)\s+class(?:es)?\b(?!\s+`?(?-i:[A-Z]))|\bclass\s+\d+\w?\b"
    r"|\b(?:of|in)\s+(?:(?:a|the)\s+)?class\b(?!\s+`?(?-i:[A-Z]))|\b(?:binary|target|predicted|majority|minority)\s+class(?:es)?\b|\bclass(?:es)?\s+(?:average|labels?|list|register|test|teacher|mates?|room|(?:is|are|was|were)\s+over)\b|\bclass(?:es)?\s+of\s+(?:\w+\s+)?(?:students|pupils|children|people|kids|learners)\b"
)
# A sentence that asks for a class, and a name behind that, be it in lower case, with how the sentence goes on.
ASKS_FOR_A_CLASS = r"\b(?i:write|define|implement|create|make|build|provide)\s+an?\s+(?:\w+\s+)?class(?:\s+(?:named|called))?"
GOES_ON = r"\b(?=\s*(?:[,:;]|\.(?!\w))|\s+(?:that|which|whose|with)\b)"
# Words of a sentence behind the name of a function.
GIVES = r"(?:\([^)]*\))?`?\s*,?\s*(?:which\s+|that\s+)?(?:(?:returns?|gives?|computes?|calculates?|counts?|finds?)\b|is\s+(?:the|a)\s+(?:sum|mean|median|average|number|product|length|area)\b)"
A_CLASS = re.compile(r"`?(?:\([^)]*\))?`?\s*(?:is|as|,|:|-)?\s*(?:an?|the)?\s*(?:(?!(?i:no|not|without)\b)\w+\s)?(?i:(?:data|sub)?class|named\s?tuple|enum)\b")
# Words by which a sentence speaks of a class that there is not to be.
NO_CLASS = re.compile(r"(?i)(?:\b(?:no|not|never|without|avoid|than|cannot)|n't)\s+(?:\w+\s+){0,3}class(?:es)?\b")


def is_said_a_class(found, prompt):
    """True if its sentence says so before it, or right behind. Where a helper is spoken of in between, or something is asked for anew, the word is not
    said of this name: "a class Robot and a helper Greet(name)"."""
    _, *behind = re.split(r"(?i)\b(?:data|sub|base)?class(?:es)?\b|\bnamed\s?tuples?\b|\benums?\b", NO_CLASS.sub("", before(found, prompt)))
    return behind and not NO_MORE_OF_THE_CLASS.search(behind[-1]) or A_CLASS.match(prompt, found.end())


# Words by which a sentence comes to something else, and an "and" behind what is said of the class itself.
NO_MORE_OF_THE_CLASS = re.compile(r"(?i)\b(?:helpers?|functions?|procedures?|routines?|write|define|implement|create|make|build|provide|also|besides|there\s+is)\b|\b(?:with|that|which)\b.*,\s+and\s")
