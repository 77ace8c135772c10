//! Names that an assertion can use, in real cells.

mod testenv;

use testenv::TestEnv;

/// Evaluates one agent on one task and gives what became of each test.
fn judged(agent: &str, task: &str) -> Vec<String> {
    let env = TestEnv::new().task("t", task).agent("ann", agent);
    env.run();
    env.report("ann", "t")
}

/// The same where all tests must pass.
fn all_pass(agent: &str, task: &str) {
    let tests = judged(agent, task);
    assert!(tests.iter().all(|test| test.starts_with("passed")), "{tests:#?}");
}

#[test]
fn values_come_back_by_value_and_type() {
    let agent = r#"
import collections, enum, math

Point = collections.namedtuple("Point", "x y")

class Colour(enum.IntEnum):
    RED = 3

VALUES = {
    "none": None, "true": True, "int": 7, "big": 2**200, "negative": -2**80, "float": 0.1, "nan": math.nan,
    "inf": math.inf, "minus": -math.inf, "zero": -0.0, "text": "a\ud800b\x00→🙂", "bytes": b"\x00\xff",
    "array": bytearray(b"ab"), "tuple": (1, (2,), ()), "set": {1, 2}, "frozen": {frozenset({1}), frozenset()},
    "dict": {1: "a", (1, 2): {"k": [None]}, None: 0.5, "": ()}, "point": Point(1, [2]),
    "counter": collections.Counter("aab"), "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "default": collections.defaultdict(list, a=[1]), "colour": Colour.RED, "tags": {"t": [1], "f": "nan"},
    "deep": [[[[[[[[{"a": ({1},)}]]]]]]]], "long": "x" * 500_000,
}

def value(name):
    return VALUES[name]

def echo(*args, **named):
    return args, named
"#;
    let task = r#"
prompt: values
setup: |
  import math
  from collections import Counter, OrderedDict, defaultdict
  def same(name, expected):
      found = value(name)
      assert type(found) is type(expected), f"{type(found)} is not {type(expected)}"
      return found == expected
tests:
  - assert value("none") is None
  - assert value("true") is True
  - assert same("int", 7)
  - assert same("big", 2**200)
  - assert same("negative", -2**80)
  - assert same("float", 0.1)
  - assert math.isnan(value("nan"))
  - assert same("inf", math.inf) and same("minus", -math.inf)
  - assert same("zero", 0.0) and math.copysign(1, value("zero")) == -1
  - assert same("text", "a\ud800b\0→🙂")
  - assert same("bytes", b"\x00\xff") and same("array", bytearray(b"ab"))
  - assert same("tuple", (1, (2,), ()))
  - assert same("set", {1, 2})
  - assert same("frozen", {frozenset({1}), frozenset()})
  - 'assert same("dict", {1: "a", (1, 2): {"k": [None]}, None: 0.5, "": ()})'
  - assert value("point") == (1, [2]) and value("point").y == [2]
  - 'assert same("counter", Counter("aab")) and value("counter")["c"] == 0'
  - 'assert same("ordered", OrderedDict(b=1, a=2)) and list(value("ordered")) == ["b", "a"]'
  - 'assert same("default", defaultdict(list, a=[1])) and value("default")["b"] == []'
  - assert value("colour") == 3 and isinstance(value("colour"), int) and value("colour").name == "RED"
  - 'assert same("tags", {"t": [1], "f": "nan"})'
  - 'assert same("deep", [[[[[[[[{"a": ({1},)}]]]]]]]])'
  - assert value("long") == "x" * 500_000
  - |
    args = (1, "a", b"b", 2.5, None, (1, {2}), [frozenset("x")], {"k": {(1,): 2**70}})
    assert echo(*args, key=math.inf, other={1: 2}) == (args, {"key": math.inf, "other": {1: 2}})
"#;
    all_pass(agent, task);
}

#[test]
fn output_and_runs_are_those_of_the_program() {
    let agent = r#"
import sys
print("top", sys.argv[1:])

def work(): return __name__

if __name__ == "__main__":
    if "--fail" in sys.argv:
        print("so sorry", file=sys.stderr)
        sys.exit(3)
    if "--raise" in sys.argv:
        raise KeyError("lost")
    print("in:", sys.stdin.read())
    exit()
"#;
    let task = r#"
prompt: |
  be a "program", $HOME's
  best
tests:
  - 'assert output == "top " + str(["--task", prompt]) + "\nin: \n"'
  - 'assert prompt == "be a \"program\", $HOME''s\nbest\n"'
  - 'assert agent.run(stdin="x\ny").stdout == "top []\nin: x\ny\n"'
  - |
    result = agent.run("a b", 7, "", "→")
    assert result.stdout.startswith("top ['a b', '7', '', '→']")
    assert result.returncode == 0 and result.stderr == ""
  - |
    result = agent.run("--fail")
    assert (result.returncode, result.stderr) == (3, "so sorry\n")
  - |
    result = agent.run("--raise")
    assert result.returncode == 1
    assert result.stderr.endswith("KeyError: 'lost'\n") and 'File "/tmp/agent.py", line 12' in result.stderr
  - 'assert len(output) == len(agent.output) and output is output'
  - assert work() == "agent"
"#;
    all_pass(agent, task);
}

#[test]
fn raises_and_setup_and_several_lines() {
    let agent = r#"
class Own(LookupError, ValueError):
    pass

def fail(kind):
    if kind == "own":
        raise Own("mine")
    raise {"value": ValueError, "key": KeyError, "exit": SystemExit}[kind](kind)

def fine(): return 1
"#;
    let task = r#"
prompt: raise
setup: |
  from collections import Counter
  CASES = [("value", ValueError), ("key", KeyError), ("own", ValueError), ("own", LookupError), ("exit", SystemExit)]
  def all_raise():
      for kind, expected in CASES:
          with raises(expected):
              fail(kind)
      return True
tests:
  - assert all_raise()
  - |
    with raises(ValueError) as caught:
        fail("value")
    assert str(caught.value) == "value" and type(caught.value) is ValueError
  - |
    with raises(KeyError) as caught:
        fail("key")
    assert str(caught.value) == "'key'"
  - |
    with raises(KeyError, ValueError):
        fail("own")
  - |
    try:
        fail("key")
    except KeyError:
        pass
    else:
        assert False
    assert [fine() for _ in range(3)] == [1, 1, 1]
  - assert Counter("aab")["a"] == 2 and fine()
  - name: not raised
    assert: |
      with raises(ValueError):
          fine()
  - name: another one
    assert: |
      with raises(KeyError):
          fail("value")
  - name: missing is no exception
    assert: |
      with raises(Exception):
          absent()
"#;
    let tests = judged(agent, task);
    assert!(tests[..6].iter().all(|test| test.starts_with("passed")), "{tests:#?}");
    assert!(tests[6].starts_with("failed not raised: ValueError was not raised"), "{tests:#?}");
    assert!(
        tests[7].starts_with("error another one: ")
            && tests[7].contains("ValueError: value (agent.py line 8)"),
        "{tests:#?}"
    );
    assert!(
        tests[8].starts_with("error missing is no exception: the agent has no function absent"),
        "{tests:#?}"
    );
}

#[test]
fn what_an_agent_does_wrong_is_said() {
    let agent = r#"
import sys
wire = sys._getframe(1).f_globals["Wire"]
put = wire.put
def garbled():
    wire.put = lambda self, *_: (setattr(wire, "put", put), put(self, b"v", b'{"value": {"zzz": 1}}'))
def wrong(): return 3
def lost(): return object()
def generator(): yield 1
def deep():
    value = []
    for _ in range(500): value = [value]
    return value
def huge(): return "x" * 5_000_000
def loop():
    value = []
    value.append(value)
    return value
def crash():
    import os
    os._exit(3)
def noisy(): print("x" * 100_000)
def slow():
    while True: pass
constant = 5
"#;
    let task = r#"
prompt: p
timeout: 1s
tests:
  - {name: wrong, assert: wrong() == 4}
  - {name: missing, assert: absent() == 4}
  - {name: lost, assert: lost() == 4}
  - {name: garbled, assert: garbled() == 1}
  - {name: generator, assert: list(generator()) == 4}
  - {name: deep, assert: deep() == 4}
  - {name: huge, assert: huge() == 4}
  - {name: loop, assert: loop() == 4}
  - {name: constant, assert: constant() == 5}
  - {name: arguments, assert: wrong(1) == 3}
  - {name: crash, assert: crash() == 4}
  - {name: still there, assert: wrong() == 3}
  - {name: noisy, assert: noisy() == 4}
  - {name: no more, assert: wrong() == 3}
  - {name: slow, assert: slow() == 4}
  - {name: too late, assert: wrong() == 3}
"#;
    let tests = judged(agent, task);
    let expect = [
        ("failed wrong", "wrong() returned 3"),
        ("error missing", "no function absent"),
        ("error lost", "is a object, not plain data"),
        (
            "error garbled",
            "garbled: processes that the agent has started, or other code of its own, write there, too",
        ),
        ("failed generator", "[1] == 4 does not hold"),
        ("error deep", "nested"),
        ("error huge", "larger than"),
        ("failed loop", "does not hold"),
        ("error constant", "not callable"),
        ("error arguments", "TypeError"),
        ("crashed crash", "exit code 3"),
        ("passed still there", ""),
        ("output_limit noisy", "it printed more than "),
        ("output_limit no more", "it printed more than "),
        ("timeout slow", "1s"),
        ("timeout too late", "1s"),
    ];
    assert_eq!(tests.len(), expect.len());
    for (test, (start, message)) in tests.iter().zip(expect) {
        assert!(
            test.starts_with(start) && test.contains(message),
            "{test:?} is not {start:?} {message:?}\n{tests:#?}"
        );
    }
}

#[test]
fn agents_are_whole_programs() {
    let one = "prompt: one\ntests:\n  - assert one() == 1\n";
    let two = "prompt: two\ntests:\n  - assert two() == 2\n  - assert output == ''\n";
    // Tasks may be called like anything.
    let env = TestEnv::new().task("one", one).task("sub/two", two).task("print", two).task("agent", one);
    let env = env
        .agent("both", "def one(): return 1\ndef two(): return one() + 1\n")
        .agent("main", "def one(): return 1\ndef two(): return 2\nimport sys\nassert sys.argv[1] == '--task'\n")
        .agent("works", "import time\nTABLE = sum(range(100_000))\ndef one(): return TABLE - TABLE + 1\ndef two(): return 2\n")
        .agent("quits", "def one(): return 1\ndef two(): return 2\nexit()\n")
        .agent("fails", "def one(): return 1\ndef two(): return 2\nraise ValueError('top')\n")
        .agent("reads", "def one(): return 1\nn = input()\n")
        .agent("capital", "def One(): return 1\ndef two(): return 2\n")
        .agent("prints", "print('hi')\ndef one(): return 1\ndef two(): return 2\n")
        .agent("types", "from dataclasses import dataclass\nfrom typing import NamedTuple\n@dataclass\nclass A:\n    x: int = 1\ndef one(): return A().x\ndef two(): return 2\n");
    env.run();
    for miner in ["both", "main", "works", "quits", "types"] {
        assert_eq!(
            env.score(miner).as_deref(),
            Some("100"),
            "{miner}: {:?} {:?}",
            env.report(miner, "one"),
            env.report(miner, "print")
        );
    }
    assert_eq!(env.score("prints").as_deref(), Some("75"), "prints have their place only in `output`");
    assert_eq!(
        env.report("fails", "one"),
        ["error test 1: importing the agent raised ValueError: top (agent.py line 3) - one()"]
    );
    assert_eq!(
        env.report("reads", "one"),
        [
            "error test 1: importing the agent raised EOFError: EOF when reading a line (agent.py line 2); what reads input \
          when the file is run belongs below `if __name__ == \"__main__\":` - one()"
        ]
    );
    assert_eq!(
        env.report("capital", "one"),
        ["error test 1: the agent has no function one, but it has One - one()"]
    );
}

#[test]
fn a_cell_has_the_standard_library_and_nothing_else() {
    let agent = r#"
import importlib

def find(name):
    try:
        importlib.import_module(name)
        return "there"
    except ImportError:
        return "missing"

def read():
    with open(__file__) as file:
        return file.readline()

def write():
    with open("/tmp/note", "w") as file:
        file.write("x")
    import os
    return sorted(os.listdir("/tmp"))

def keep(store=[]):
    store.append(1)
    return len(store)
# the end
"#;
    let task = r#"
prompt: p
tests:
  - assert [find(name) for name in ["json", "sqlite3", "asyncio", "decimal", "unittest", "zoneinfo"]] == ["there"] * 6
  - assert [find(name) for name in ["pip", "setuptools", "wheel", "pkg_resources", "numpy"]] == ["missing"] * 5
  - assert read() == "\n"
  - assert write() == ["agent.py", "note"]
  - assert keep() == 1 and keep() == 2
"#;
    let more = "prompt: more\ntests:\n  - assert keep() == 1\n  - assert write() == ['agent.py', 'note']\n";
    let env = TestEnv::new().task("a", task).task("b", more).agent("ann", agent);
    env.run();
    assert_eq!(
        env.score("ann").as_deref(),
        Some("100"),
        "{:#?} {:#?}",
        env.report("ann", "a"),
        env.report("ann", "b")
    );
}

#[test]
fn what_a_tasks_author_prints_is_in_nobodys_way() {
    let task = "prompt: p\nsetup: |\n  print('x' * 200000)\ntests:\n  - |\n    print(double(1))\n    assert double(2) == 4\n";
    all_pass("def double(n):\n    return 2 * n\n", task);
}
