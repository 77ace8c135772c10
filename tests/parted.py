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
async def f(): pass
x: List[int] = []
x = {"a": [1, (2, y)], -1: {}, None: {1, "b"}}
x = lambda a=1: eval("1")
x = -1
x = 2 * 10 ** 9 + 7
x = float("-inf")
x = set()
x = re.compile(r"[a-z]+(?:\\.[0-9]{2,})*$")
x = re.compile(r"--|\\[\\[&&(?!\\||)[]a\\-]+[\\]]--[^]]||")
__all__ = ["f"]
class C: pass
class C(ValueError): "a docstring"
class C(object): __slots__ = ("a", "b")
if __name__ == "__main__": f()
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
x = [0] * 10
x = f"{1}"
x = __name__
x = sys.argv
x = os.sys.path
x = m.__loader__
x = y.z
x.y = 1
x[0] = 1
x, y = 1, 2
x += 1
del x
if 1: pass
def f(a=g()): pass
def f(a: g()): pass
def f() -> g(): pass
def f(a=(x := 1)): pass
def f(*, a=[*b]): pass
assert 1
pass
x: f() = 1
x: int = f()
x = {f: 1}
x = {**y}
x = {f}
x = {(1, f)}
x = lambda a=f(): 1
x = 10 ** 101
x = (10 ** 100) ** 100
x = 1 << 10
x = 1 + 1 + 1 + 1 + 1 + 1
x = "a" * 10
x = [1] + [2]
x = -y
x = float(y)
x = float("1", "2")
x = dict(a=1)
x = list("ab")
x = int("1")
x = re.compile(y)
x = re.compile("a", 2)
x = re.compile("(?i)a")
x = re.compile("[[a]")
x = re.compile("[^[a]")
x = re.compile("a[b--c]")
x = re.compile("[]--[a]")
x = re.compile("[\\U00000100-\\U0010ffff]")
x = re.compile("[ä-ö]")
x = re.match("a", "a")
x = m.compile("a")
x = os.re.compile("a")
__builtins__ = {}
__name__ = "x"
__builtins__: int = 1
import math as __builtins__
from os import environ as __builtins__
def __builtins__(): pass
class __builtins__: pass
class C(f): pass
class C(type): pass
class C(f()): pass
class C(BaseException): pass
class C(metaclass=f): pass
class C(a=1): pass
class C: x = f()
class C: print(1)
class C: x, y = 1, 2
class C: __qualname__ = "D"
class C: import os
class C: pass; del x
if __name__ != "__main__": f()
if __name__ == "agent": f()
if __name__ == "__main__" == f(): pass
if "__main__" == __name__ or f(): pass
"""
LONG = "x = " + " | ".join(["int"] * 100)
# A name may come to stand for something else.
TAKEN = [
    "import math\nfrom os import sys as math\nx = math.argv", "import math\ndef math(): pass\nx = math.pi", "import math\nmath = 1\nx = math.pi",
    "import re\nre = 1\nx = re.compile('a')", "import math as re\nx = re.compile('a')", "from os import path as re\nx = re.compile('a')",
    "def float(text): pass\nx = float('1')", "class set: pass\nx = set()", "import math as list\nx = list()",
    "def property(f): pass\nclass x:\n    @property\n    def y(self): pass",
    "class x:\n    def property(f): pass\n    @property\n    def y(self): pass",
    "class x:\n    @property\n    @classmethod\n    def y(self): pass", "class x:\n    @y.setter\n    def y(self): pass",
    "Exception = 1\nclass x(Exception): pass", "from enum import Enum as Exception\nclass x(Exception): pass",
    "class C: pass\nclass x(C): pass", "class C:\n    def __class_getitem__(cls, item): pass\nx = C[1]",
    "class C:\n    def __class_getitem__(cls, item): pass\nD = C\nx = D[1]", "__builtins__ = {}\nx = 1", "class __builtins__: pass\nx = 1",
]
MADE = """
class C:
    '''of C'''
    limit: int = 3
    names = {"a": 1}
    __hash__ = None
    def __init__(self, n=limit): self.n = n
    @property
    def twice(self): return 2 * self.n
    @staticmethod
    def one(): return 1
    @classmethod
    def of(cls, n): return cls(n)
x = 1
"""


def known(line):
    names = Names()
    names.modules = {"m": "math", "os": "os", "re": "re"}
    [statement] = _code(line, PyCF_ONLY_AST).body
    return is_inert(statement, names)



for line in AHEAD.strip().splitlines():
    assert known(line), line
for line in [*EACH.strip().splitlines(), LONG]:
    assert not known(line), line
assert not known("@f\ndef g(): pass")
assert not known("if __name__ == '__main__': pass\nelse: f()")
# A type of the agent's put into itself, again and again, doubles each time.
text = "from typing import AnyStr\nT = tuple[AnyStr, AnyStr]\nU = T[T, T]\n"
ahead, rest = _parted(text)
assert "U" not in ahead.co_names and "U" in rest.co_names
for line in ("x = m.List[int][str]", "def f(a: tuple[m.T][m.T]): pass"):
    assert not known(line), line
for text in TAKEN:
    ahead, rest = _parted(text)
    assert "x" in rest.co_names, text

ahead, rest = _parted(MADE)
assert "x" in ahead.co_names and not rest.co_names
made = {"__name__": "agent"}
exec(ahead, made)
assert (made["C"]().twice, made["C"].one(), made["C"].of(1).n, made["C"].__module__, made["C"].__doc__) == (6, 1, 1, "agent", "of C")
# As many constants as there are: they are only put together.
assert known(f"x = [{'1, ' * 1000}]")

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
