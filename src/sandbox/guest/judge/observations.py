"""Observations: what a test can tell beside the answers that it is given, as far as its text shows (this text is put before the
judge's).

Verdicts are kept, and runs are asked ahead, only where nothing can come of it but what would have come of it anyway. So what
is listed here is what can't tell; all else may.
"""
import ast
import sys

# Of these modules and builtins, what a test comes to depends on nothing but what it is given: not on time, chance,
# addresses or files. Of `random` that holds but for what draws anew, as each run begins with the same seed.
STEADY = frozenset("""abc array base64 binascii bisect cmath collections copy dataclasses decimal difflib enum fractions
    functools hashlib heapq html itertools json math numbers operator random re statistics string struct textwrap typing unicodedata
    zlib""".split())
ANEW = frozenset("Random SystemRandom seed".split())
UNSTEADY = ANEW | frozenset("__builtins__ __import__ compile dir eval exec globals hash id input locals object open vars".split())

# Of these modules, nothing reads a clock, waits, or does a second thing meanwhile: a test can't tell when an answer came, nor
# what happened between two. Of `datetime` and `sys` that holds but for the names below.
TIMELESS = STEADY | frozenset("contextlib datetime inspect pprint random secrets sys types warnings".split())
# Names that lead on from there to a clock, or to a module of any name.
REACHING = frozenset("""__import__ __builtins__ __loader__ __spec__ __dict__ __globals__ __subclasses__ __self__ __getattribute__
    breakpoint compile eval exec getattr globals locals open vars modules attrgetter methodcaller now today utcnow""".split())
ELSEWHERE = sys.stdlib_module_names - TIMELESS

# Modules that define something and do nothing else when they are imported.
LOADED = TIMELESS | frozenset("""ast asyncio concurrent csv io logging os pathlib pickle queue select selectors signal socket subprocess
    tempfile threading time timeit traceback unittest urllib uuid weakref zoneinfo""".split())


def is_steady(node):
    """True if it comes to the same each time, as far as that can be seen."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return all(name.partition(".")[0] in STEADY and name.rpartition(".")[2] not in ANEW for name in imported(node))
    if isinstance(node, ast.Attribute):
        return not node.attr.startswith("_") and node.attr not in ANEW
    return not isinstance(node, ast.Name) or node.id not in UNSTEADY


def is_timeless(node):
    """True if it can't tell when an answer came."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        parts = (name.split(".") for name in imported(node))
        return all(home in TIMELESS and not any(map(leads_elsewhere, inner)) for home, *inner in parts)
    if isinstance(node, ast.Attribute):
        return not leads_elsewhere(node.attr)
    return not isinstance(node, ast.Name) or node.id not in REACHING


def leads_elsewhere(name):
    """True for an attribute that may be, or lead to, what tells the time: modules have those that they import."""
    return name in REACHING or name.strip("_") in ELSEWHERE


def imported(node):
    """The names that an import reads, with their modules'; one that begins with a dot is no module's."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    return []


def named_of_library(node):
    """Dotted names of Python's library that a test imports, or that stand in its texts, as in `patch("time.sleep")`."""
    if isinstance(node, ast.Constant) and type(node.value) is str and len(node.value) < 100:
        names = [node.value] if node.value.replace(".", "").isidentifier() and "." in node.value[1:-1] else []
    else:
        names = imported(node)
    return [name for name in names if name.partition(".")[0] in sys.stdlib_module_names]


def load(name):
    """Imports what a test imports by this name, if it is the standard library's and does nothing by that."""
    parts = name.split(".") if name.partition(".")[0] in LOADED else []
    for last in range(len(parts)):
        try:
            __import__(".".join(parts[: last + 1]))
        except ImportError:
            return
