AHEAD = """
"a docstring"
...
import os
import sys, math as m, os.path
import collections.abc
from typing import List, Optional as O
from os import environ
from time import time
x = y = 1
x = "text"
T = List[int]
T = O[List[str]] | None
T = (int, [str, "forward"], None)
def f(): pass
def f(a, b=1, *c, d=[], e: int = None, **g) -> "str": return eval("1")
def f(a: m.inf = m.pi, b: List[f] = x): pass
"""
EACH = """
print(1)
import numpy
import sys as s, json.tool, numpy
from sys import argv
from . import os
from os import *
from numpy import array
x = f()
x = [f() for f in ()]
x = lambda: 1
x = {}
x = 10 ** 10
x = [0] * 10
x = -1
x = f"{1}"
x = __name__
x = sys.argv
x = os.sys.path
x = m.__loader__
x = y.z
x.y = 1
x[0] = 1
x, y = 1, 2
x: int = 1
x += 1
del x
if 1: pass
class C: pass
async def f(): pass
def f(a=g()): pass
def f(a: g()): pass
def f() -> g(): pass
def f(a=(x := 1)): pass
def f(*, a=[*b]): pass
assert 1
pass
"""
LONG = "x = (" + "1, " * 100 + ")"
# A name that stands for a module may come to stand for something else.
TAKEN = ["import math\nfrom os import sys as math\nx = math.argv", "import math\ndef math(): pass\nx = math.pi", "import math\nmath = 1\nx = math.pi"]


def known(line):
    names = Names()
    names.modules |= {"m", "os"}
    [statement] = _code(line, PyCF_ONLY_AST).body
    return _is_inert(statement, names)



for line in AHEAD.strip().splitlines():
    assert known(line), line
for line in [*EACH.strip().splitlines(), LONG]:
    assert not known(line), line
assert not known("@f\ndef g(): pass")
# A type of the agent's put into itself, again and again, doubles each time.
text = "from typing import AnyStr\nT = tuple[AnyStr, AnyStr]\nU = T[T, T]\n"
ahead, rest = _parted(text)
assert "U" not in ahead.co_names and "U" in rest.co_names
for line in ("x = m.List[int][str]", "def f(a: tuple[m.T][m.T]): pass"):
    assert not known(line), line
for text in TAKEN:
    ahead, rest = _parted(text)
    assert "x" in rest.co_names, text

# Both halves together are the module: its docstring, its future, its lines.
ahead, rest = _parted('"""doc"""\nfrom __future__ import annotations\nx = 1\nlen(())\n"""not it"""\ny: int = 3\n')
first, second = {}, {}
exec(ahead, first)
exec(rest, second)
assert first["__doc__"] == "doc" and first["x"] == 1 and "__doc__" not in second
assert second["__annotations__"] == {"y": "int"} and second["y"] == 3
codes, flaw = _agent_codes(b"x = 1\n" + b"+".join([b"1"] * 800) + b"\nfrom __future__ import annotations")
assert flaw == (3, "from __future__ imports must occur at the beginning of the file"), flaw
for text, line in ((b"x = (", 1), (b"def f():\n  return 1\nreturn 2", 3), (b"a\x00b", None)):
    codes, flaw = _agent_codes(text)
    assert codes is None and flaw[0] in (line, None, 1), flaw
codes, flaw = _agent_codes(b"x = " + b"+".join([b"a"] * 800))
assert flaw is None, flaw
print("all as it should be")
