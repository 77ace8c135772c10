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
];
