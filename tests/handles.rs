//! Handles of the test's objects and of the agent's own, abused: each case is an attack that speaks to the judge past the
//! proxies, or an object that reaches for a verdict, and must come to nothing.

mod common;
mod handed;

use common::{LIMITS, Lab, Outcome, messages, task, verdicts};

/// Lets an agent ask the judge anything, as its own process may.
const ASK: &str = r#"
import sys
def peer():
    frame = sys._getframe()
    while "peer" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["peer"]
def ask(op, target, *args, **named):
    try:
        return peer().ask(op, target, args, named)
    except BaseException as error:
        return error
def number(text):
    import re
    found = re.search(r"4242", str(text))
    return 4242 if found else 0
"#;

/// Setup of every case.
const SETUP: &str = r#"
EXPECTED = 4242
from abc import ABC
class Box:
    def __init__(self):
        self._secret, self.seen = EXPECTED, 0
        self.check = lambda: self.seen == EXPECTED
    def is_right(self):
        return self.seen == EXPECTED
class Shape(ABC):
    pass
class Name(str):
    pass
def guess(n, right=EXPECTED):
    return n == right
def strict(n):
    try:
        assert n == EXPECTED
    except AssertionError:
        raise ValueError("no")
"#;

struct Attack {
    tries: &'static str,
    agent: &'static str,
    tests: &'static [&'static str],
    wants: &'static str,
}

const ATTACKS: &[Attack] = &[
    Attack {
        tries: "code in the judge, by an operation that takes a function's name",
        agent: r#"
CODE = "import gc; [it.update(EXPECTED=5) for it in gc.get_objects() if type(it) is dict and 'EXPECTED' in it]"
def f(g):
    made = ask("dataclass", "evil", "_create_fn", [], [CODE])
    ask("__call__", made)
    made = ask("dataclass", g, "_create_fn", [], [CODE])
    ask("__call__", made)
    return 5
"#,
        tests: &["assert f(guess) == EXPECTED"],
        wants: "failed",
    },
    Attack {
        tries: "a template of the agent's that is filled with a function of the test's",
        agent: r#"
def f(g, name):
    text = "{0.__globals__[EXPECTED]}"
    tried = [ask("method", text, "format", g), ask("method", text, "format_map", {"0": g})]
    kind = ask("get", name, "__class__")
    tried += [ask("method", kind, "format", text, g), ask("method", name, "format", g)]
    tried += [ask("__format__", g, text), ask("__mod__", text, g), ask("__rmod__", g, text)]
    return number(tried)
"#,
        tests: &["assert f(guess, Name('{0.__globals__}')) == EXPECTED"],
        wants: "failed",
    },
    Attack {
        tries: "a class of text of the test's, by which any template can be filled",
        agent: r#"
def f(g, kind):
    text = "{0.__globals__[EXPECTED]}"
    return number([ask("method", kind, "format", text, g), ask("__call__", ask("get", kind, "format"), text, g)])
"#,
        tests: &["assert f(guess, Name) == EXPECTED"],
        wants: "failed",
    },
    Attack {
        tries: "an attribute set by what is awaited",
        agent: r#"
def f(box):
    for name in ("is_right", "seen", "check"):
        ask("await", box, "__setattr__", name, 4242 if name == "seen" else agree)
def agree(*_):
    return True
"#,
        tests: &["box = Box(); f(box); assert box.is_right()", "box = Box(); f(box); assert box.check()"],
        wants: "failed failed",
    },
    Attack {
        tries: "a function that an object of the test's holds, replaced",
        agent: r#"
def f(box):
    ask("set", box, "check", agree)
    ask("set", box, "is_right", agree)
def agree(*_):
    return True
"#,
        tests: &["box = Box(); f(box); assert box.check()", "box = Box(); f(box); assert box.is_right()"],
        wants: "failed failed",
    },
    Attack {
        tries: "private attributes, by one argument more",
        agent: r#"
def f(box):
    return number([ask("get", box, "__dict__", 1), ask("get", box, "_secret", 1), ask("get", box, "__dict__")])
"#,
        tests: &["assert f(Box()) == EXPECTED"],
        wants: "failed",
    },
    Attack {
        tries: "the default of a parameter",
        agent: r#"
import inspect
def f(g):
    return number([inspect.signature(g), ask("signature", g), ask("get", g, "__defaults__"), ask("get", g, "__signature__")])
"#,
        tests: &["assert f(guess) == EXPECTED"],
        wants: "failed",
    },
    Attack {
        tries: "an assertion's text, as the context of another exception",
        agent: r#"
def f(g):
    try:
        g(1)
    except ValueError as error:
        return number([error.__context__, error.__cause__, vars(error)])
"#,
        tests: &["assert f(strict) == EXPECTED"],
        wants: "failed",
    },
    Attack {
        tries: "an assertion's text, as an argument",
        agent: "def f(error):\n    return number([error, error.args])\ndef one():\n    return 1\n",
        tests: &[
            "try:\n    assert one() == EXPECTED\nexcept AssertionError as error:\n    kept = error\nassert f(kept) == EXPECTED",
        ],
        wants: "failed",
    },
    Attack {
        tries: "an assertion's text, where a with block is left",
        agent: r#"
LEARNT = [0]
class Session:
    def __enter__(self):
        return self
    def __exit__(self, kind, error, trace):
        LEARNT.append(number([error, getattr(error, "args", None)]))
    value = property(lambda self: max(LEARNT))
    thing = property(lambda self: Odd())
class Odd:
    def __sub__(self, other):
        LEARNT.append(other)
        return 0
"#,
        tests: &[
            "with Session() as s:\n    assert s.value == EXPECTED",
            "with Session() as s:\n    assert {EXPECTED: 1}[s.value]",
            "with Session() as s:\n    assert s.thing - EXPECTED == 0",
            "with Session() as s:\n    raise KeyError({s.value: 1}[EXPECTED])\nassert True",
            "with Session() as s:\n    assert s.value == EXPECTED",
        ],
        wants: "failed failed error failed failed",
    },
    Attack {
        tries: "an exception of its own in place of what is asserted, and swallowed",
        agent: r#"
class Session:
    def __enter__(self):
        return self
    def __exit__(self, *_):
        return True
    async def __aenter__(self):
        return self
    async def __aexit__(self, *_):
        return True
    @property
    def value(self):
        raise ValueError
"#,
        tests: &[
            "with Session() as s:\n    assert s.value == EXPECTED",
            "import contextlib\nwith contextlib.ExitStack() as stack:\n    s = stack.enter_context(Session())\n    assert s.value == 1",
            "import asyncio\nasync def main():\n    async with Session() as s:\n        assert s.value == 1\nasyncio.run(main())",
            "with Session() as s:\n    with raises(KeyError):\n        s.value",
        ],
        wants: "error error error error",
    },
    Attack {
        tries: "operators of a class in place of a number",
        agent: r#"
class Meta(type):
    __sub__ = __add__ = __rsub__ = __mul__ = lambda self, other: 0 if type(other) is int else other
class Number(metaclass=Meta):
    pass
def f(n):
    return Number
def Other(n):
    return Number
"#,
        tests: &[
            "assert f(3) - EXPECTED == 0",
            "assert Other(3) - EXPECTED == 0",
            "assert EXPECTED - f(3) == 0",
        ],
        wants: "error error error",
    },
    Attack {
        tries: "an object of the class that the test has made, in place of a number",
        agent: r#"
class Vector:
    def __init__(self, *parts):
        pass
    def total(self):
        return Vector()
    __sub__ = __add__ = __mul__ = lambda self, other: 0 if other == 4242 else Vector()
"#,
        tests: &[
            "assert Vector(1, 2).total() - EXPECTED == 0",
            "assert (Vector(1) * 2) - EXPECTED == 0",
            "v = Vector(1) - EXPECTED\nassert v == 0",
        ],
        wants: "error error passed",
    },
    Attack {
        tries: "another class taken in as a class of the test's",
        agent: "def f(kind):\n    ask('method', kind, 'register', int)\n    return 5\n",
        tests: &["assert isinstance(f(Shape), Shape)"],
        wants: "failed",
    },
    Attack {
        tries: "a skip, where the test is one of unittest's",
        agent: "import unittest\ndef f(n):\n    raise unittest.SkipTest('no')\n",
        tests: &[
            "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(f(1), 1)\n\
             result = unittest.TestResult()\nunittest.defaultTestLoader.loadTestsFromTestCase(T).run(result)\n\
             assert result.wasSuccessful() and result.testsRun == 1",
        ],
        wants: "failed",
    },
    Attack {
        tries: "a named tuple whose fields have the names of what Python asks of a class",
        agent: r#"
class Liar(tuple):
    _fields = ("__eq__", "__class__", "__sub__")
class Told(tuple):
    _fields = ("count",)
heard = []
def f(n):
    return Liar((repr, int, repr))
def g(n):
    return Told((lambda other: heard.append(other) or 3,))
"#,
        tests: &[
            "assert f(1) == EXPECTED",
            "assert isinstance(f(1), int)",
            "assert g(1).count(EXPECTED) == 3",
        ],
        wants: "error error error",
    },
    Attack {
        tries: "methods of plain data, which tell something about what they are given",
        agent: r#"
class Agreeable:
    def __getattr__(self, name):
        return lambda *args, **named: {4242} if name == 'intersection' else 0 if name == 'find' else ''
def f(n):
    return Agreeable()
"#,
        tests: &[
            "assert f(1).intersection({EXPECTED}) == {EXPECTED}",
            "assert f(1).find('x') >= 0",
            "assert f(1).removeprefix('x') == ''",
            "assert f(1).split(sep='x') == ''",
        ],
        wants: "error error error error",
    },
    Attack {
        tries: "exceptions that Python's libraries obey, where assertions would be passed over",
        agent: r#"
import asyncio, unittest.case
def stop(n):
    raise unittest.case._ShouldStop
async def cancel(n):
    raise asyncio.CancelledError
async def end(n):
    raise StopAsyncIteration
"#,
        tests: &[
            "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(stop(1), 1)\n\
             result = unittest.TestResult()\nT('test').run(result)\nassert result.wasSuccessful()",
            "import asyncio\nasync def check():\n    assert await cancel(1) == 1\nasync def main():\n    \
             async with asyncio.TaskGroup() as group:\n        group.create_task(check())\nasyncio.run(main())",
            "import asyncio\nclass Each:\n    def __aiter__(self):\n        return self\n    async def __anext__(self):\n        \
             return await end(1)\nasync def main():\n    async for one in Each():\n        assert one == 1\nasyncio.run(main())",
            "import asyncio\nwith raises(asyncio.CancelledError):\n    asyncio.run(cancel(1))\n\
             with raises(StopAsyncIteration):\n    asyncio.run(end(1))\n\
             try:\n    asyncio.run(cancel(1))\nexcept asyncio.CancelledError:\n    pass",
        ],
        wants: "failed failed error passed",
    },
    Attack {
        tries: "a genuine StopIteration of the judge's, brought about by one question and kept for a loop of the test's",
        agent: r#"
def f(g, n):
    error = ask("data", g)
    assert type(error).__name__ == "StopIteration"
    raise error
def end(n):
    raise GeneratorExit
"#,
        tests: &[
            "for got, right in zip(map(lambda n: f(guess, n), [1, 2]), [1, 2]):\n    assert got == right",
            "assert all(map(lambda n: f(guess, n) == 1, [1, 2]))",
            "with raises(StopIteration):\n    f(guess, 1)",
            "def session():\n    try:\n        yield\n    finally:\n        assert end(1) == 1\n\
             it = session()\nnext(it)\nit.close()",
        ],
        wants: "error error passed error",
    },
    Attack {
        tries: "methods of plain data, as fields of named tuples and of exceptions",
        agent: r#"
import collections
Told = collections.namedtuple("Told", "startswith issuperset")
heard = []
def hear(word):
    heard.append(word)
    return True
class Odd(Exception):
    pass
def f(n):
    return Told(hear, bool if n == 2 else hear)
def g(n):
    error = Odd("x")
    error.startswith, error.issuperset = hear, bool
    return error
def what():
    return heard
"#,
        tests: &[
            "assert f(1).startswith('4242')",
            "assert f(2).issuperset({EXPECTED})",
            "assert g(1).startswith('4242')",
            "assert g(1).issuperset({EXPECTED})",
            "assert what() == []",
        ],
        wants: "error error error error passed",
    },
    Attack {
        tries: "methods of plain data, of which each is a function that both sides have, or an object that the test has made",
        agent: r#"
heard = []
class Text:
    startswith, count = bool, len
class Parser:
    def parse(self, text):
        it = Text()
        it.startswith = self
        return it
    def __call__(self, word):
        heard.append(word)
        return True
def f(n):
    return Text()
def what():
    return heard
"#,
        tests: &[
            "assert f(1).startswith('4242')",
            "assert f(1).count('4242') == 4",
            "assert Parser().parse('x').startswith('4242')",
            "assert what() == [] and Parser()('x') is True",
        ],
        wants: "error error error passed",
    },
    Attack {
        tries: "functions of the test's that take others in for other types, and what a timer is to call",
        agent: "def f(shown):\n    ask('method', shown, 'register', int, lambda *n: 'mine')\n    return ask('get', shown, 'args')\n",
        tests: &[
            "import functools, threading\nclass Shop:\n    @functools.singledispatchmethod\n    def price(self, n):\n        return str(n)\nshown, timer = functools.singledispatch(lambda n: str(n)), threading.Timer(9, print, (4242,))\nassert f(shown) == shown(5) or f(Shop().price) == Shop().price(5) or f(timer) == (4242,)",
        ],
        wants: "failed",
    },
];

/// Objects whose attributes have the names of ours.
const NAMESAKES: &str = r#"
class Thing:
    about, peer, made, name, number = "a", "p", "m", "n", 5
    def about_of(self):
        return 1
"#;

fn indented(text: &str, by: &str) -> String {
    text.trim_matches('\n').lines().map(|line| format!("{by}{line}\n")).collect()
}

/// A task with these tests, each a block.
fn with_tests(setup: &str, tests: &[&str]) -> String {
    let tests: String = tests.iter().map(|test| format!("  - |\n{}", indented(test, "    "))).collect();
    format!("prompt: p\nsetup: |\n{}tests:\n{tests}", indented(setup, "  "))
}

fn verdicts_of(lab: &Lab, agent: &str, text: &str, runs: usize) -> Vec<(String, Vec<String>)> {
    match lab.run(agent.as_bytes(), &task(text), &LIMITS, runs) {
        Outcome::Judged(runs) => runs.iter().map(|run| (verdicts(run).join(" "), messages(run))).collect(),
        outcome => panic!("{outcome:?}\n{text}"),
    }
}

#[test]
fn no_object_reaches_further_than_it_may() {
    let lab = Lab::new();
    let mut wrong = Vec::new();
    for attack in ATTACKS.iter().chain(handed::ATTACKS) {
        let agent = format!("{ASK}{}", attack.agent);
        let (got, why) = verdicts_of(&lab, &agent, &with_tests(SETUP, attack.tests), 1).remove(0);
        println!("{}: {got}: {why:?}", attack.tries);
        if got != attack.wants {
            wrong.push(format!("{}: wanted {}, got {got}: {why:#?}", attack.tries, attack.wants));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn attributes_may_have_any_name() {
    let lab = Lab::new();
    let test = "t = Thing()\nassert (t.about, t.peer, t.made, t.name, t.number, t.about_of()) == ('a', 'p', 'm', 'n', 5, 1)";
    let (got, why) = verdicts_of(&lab, NAMESAKES, &with_tests("", &[test]), 1).remove(0);
    assert_eq!(got, "passed", "{why:?}");
}

/// A Decimal that was returned before brings the module into the judge.
#[test]
fn a_librarys_exception_has_its_name_whatever_the_judge_has_imported() {
    let lab = Lab::new();
    let agent = "import decimal\ndef parse(text):\n    return decimal.Decimal(text)\n";
    let tests = [
        "try:\n    parse('x')\n    assert False\nexcept InvalidOperation:\n    pass",
        "with raises(InvalidOperation):\n    parse('x')",
        "assert parse('1.5') * 2 == 3",
        "try:\n    parse('x')\n    assert False\nexcept InvalidOperation:\n    pass",
        "with raises(InvalidOperation):\n    parse('x')",
        "with raises(KeyError):\n    parse('x')",
        "try:\n    parse('x')\n    assert False\nexcept (KeyError, StopIteration, InvalidOperation):\n    pass",
    ];
    let (got, why) = verdicts_of(&lab, agent, &with_tests("", &tests), 1).remove(0);
    assert_eq!(got, "passed passed passed passed passed error passed", "{why:?}");
}

/// One judge has both runs.
#[test]
fn what_a_test_leaves_replaced_is_not_the_next_runs() {
    let lab = Lab::with_workers(1);
    let agent =
        "def heard():\n    try:\n        return input()\n    except EOFError:\n        return 'nothing'\n";
    let tests = [
        "assert heard() == 'nothing'",
        "import io, sys, builtins\nsys.stdin = io.StringIO('left')\nbuiltins.print = None\nassert heard() == 'left'",
    ];
    let runs = verdicts_of(&lab, agent, &with_tests("", &tests), 2);
    let got: Vec<_> = runs.iter().map(|(got, _)| got.as_str()).collect();
    assert_eq!(got, ["passed passed", "passed passed"], "{runs:?}");
}
