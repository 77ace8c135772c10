//! More attacks of the same kind: on what objects of the test's hold, and by questions that are none.

use super::Attack;

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        tries: "to have a log record say more than a formatter's text",
        agent: r#"
class Yes:
    __eq__ = __radd__ = __str__ = lambda self, *_: "4242"
def f(record):
    tries = [("getMessage", lambda: "b"), ("exc_info", (ValueError, 1, 2)), ("args", (4242,)), ("args", Yes()), ("levelno", 50), ("msg", Yes()), ("new", Yes())]
    record.message = record.exc_text = "a"
    tries += [("message", Yes()), ("exc_text", Yes()), ("__class__", Yes), ("_new", 1), ("message", ["a"])]
    return [name for name, value in tries if not isinstance(ask("set", record, name, value), Exception)]
"#,
        tests: &[
            "import logging\nrecord = logging.makeLogRecord({'msg': 'a %d', 'args': (1,)})\nassert f(record) == []\nassert record.getMessage() == 'a 1' and record.message == 'a'",
        ],
        wants: "passed",
    },
    Attack {
        tries: "a log record whose own methods and names are others, or whose text is a gigabyte when it is put together",
        agent: r#"
def f():
    import logging
    parts = {"args": [{"t": [1]}], "msg": ["%999999999d"], "name": "a", "level": 30, "text": "t", "line": 1, "function": "f"}
    names = "getMessage levelno name msg args message exc_info _told __class__ __init__ __dict__ find"
    parts["extra"] = {name: [{"type": "abs"}] for name in names.split()} | {"plain": [5], "own": [{"o": 0}], "lost": 7, "none": [{"x": 1}], "": [3]}
    peer().answer_in_turn.__func__.__globals__["Surroundings"].logged = lambda *_: parts
    logging.getLogger("a").warning("x")
"#,
        tests: &[
            "import logging, unittest\nwith unittest.TestCase().assertLogs('a') as logs:\n    f()\n[it] = logs.records\nassert it.getMessage() == 't' and it.levelno == 30 and it.name == 'a' and it.args == (1,) and it.plain == 5 and it.lost is it.none is None\nassert isinstance(it, logging.LogRecord) and it.exc_info is None and it.message == 't' and '_told' not in vars(it) and not it.find",
        ],
        wants: "passed",
    },
    Attack {
        tries: "questions that are none",
        agent: r#"
def f(box):
    it, wire = peer(), peer().wire
    said = ['{"ask": {"t": 1}}', '{"ask": {"o": [1], "t": {"o": 0}, "a": [], "k": {}}}', '{"ask": {"o": "get", "a": 1, "k": 2, "t": {"o": 0}}}']
    said += ['{"ask": {"o": "get", "t": {"o": -9}, "a": [], "k": {}}}', '{"ask": {"o": "get", "t": {"o": "x"}, "a": [{"h": [1]}], "k": {"a": {}}}}']
    said += ['{"ask": {"news": [[1, 2]], "t": {"o": 0}, "a": [], "k": {}}}', '{"ask": {"o": "isinstance", "t": 1, "a": [], "k": {}}}']
    for text in said:
        assert "unfit" in it.exchange(text) or True
    return 7
"#,
        tests: &["assert f(Box()) == 7"],
        wants: "passed",
    },
    Attack {
        tries: "what a dataclass of the test's hides, and an object of it with another function",
        agent: r#"
def f(it):
    import dataclasses
    told = [ask("fields", it), dataclasses.asdict(it), *((part.default, part.default_factory, part.metadata) for part in dataclasses.fields(it))]
    ask_for = [{"check": lambda *_: True}, {"_hidden": 1}, {"shown": 1, "_hidden": 4242}, {"seen": 1, "check": print}]
    tries = [ask("replace", it, **values) for values in ask_for]
    tries += [ask("replace", it, 1), ask("replace", it, it), ask("fields", it, "_hidden"), ask("fields", it.check), ask("replace", it.check), ask("replace", 1)]
    assert all(isinstance(one, Exception) for one in tries), tries
    assert type(dataclasses.replace(it, shown=2).check) is type(it.check)
    return number(told)
"#,
        tests: &[
            "from dataclasses import dataclass, field\n@dataclass\nclass Case:\n    check: object\n    shown: int = 4242\n    _hidden: int = 4242\n    more: int = field(default=4242, metadata={'is': 4242})\nassert f(Case(lambda n: n == EXPECTED, 1, 4242, 1)) == 4242",
        ],
        wants: "failed",
    },
    Attack {
        tries: "a named tuple of a class of the test's that was not shown, or is more than one",
        agent: r#"
def f(*shown):
    from collections import namedtuple
    class Other(namedtuple("P", "x y")):
        __contains__ = __call__ = lambda self, *_: True
    it = peer()
    told = lambda *body: it.exchange('{"ask": {"o": "__call__", "t": {"o": 0}, "a": [{"record": %s}], "k": {}}}' % dumps(list(body)))
    said = [told("P", ["x", "y"], [1, 2], n) for n in (-1, 1, 9, True, "0", [0])]
    said += [told("P", ["x"], [1], 0), told("Q", ["x", "y"], [1, 2], 0), told("P", ["x", "y"], [1], 0), told("P", ["x", "y"], [1, 2], 0, 0)]
    record = {"record": ["P", ["x", "y"], [1, 2], 0]}
    said.append(it.exchange('{"ask": {"o": "__call__", "t": {"o": 0}, "a": [{"w": [%s, %s]}], "k": {}}}' % (dumps(record), dumps(it.handle(Other(1, 2))))))
    assert all("unfit" in one for one in said), said
    assert "unfit" not in told("P", ["x", "y"], [1, 2], 0)
    return namedtuple("P", "x y")(1, 2)
dumps = __import__("json").dumps
"#,
        tests: &[
            "from collections import namedtuple\nP = namedtuple('P', 'x y')\nclass M(namedtuple('M', 'x y')):\n    def __new__(cls, x, y):\n        return super().__new__(cls, 4242, y)\ntaken = []\nassert f(taken.append, P(3, 4), M(1, 2)) == (1, 2) and [type(one) for one in taken] == [P]",
        ],
        wants: "passed",
    },
];
