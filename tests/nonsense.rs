//! Nobody chooses to be unscored: whatever an agent claims, and whatever a test makes of it, each test has one verdict.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use agentmill::config::Judge;
use common::{LIMITS, Lab, Outcome, task, verdicts};

/// Uses that tests make of answers: they put them together, look at them for long, show them, send them back.
const TESTS: [&str; 24] = [
    "assert f(1) == 2, f(2)",
    "assert merge(*[f(i) for i in range(10)]) == 1",
    "assert f([f(i) for i in range(12)]) == 1",
    "assert sum(1 for _ in range(f(1))) == 3",
    "assert sorted(f(1)) == f(2)",
    "assert [0] * f(1) == [0]",
    "assert f(1) + f(2) == f(3)",
    "assert str(f(1)) == repr(f(2))",
    "assert {f(1): f(2)} == {f(3)}",
    "assert f(1) ** f(2) > 1 << f(3)",
    "assert '%s %d' % (f(1), f(2)) == ''",
    "assert f(f(f(1))) == 1",
    "with raises(ValueError):\n    f(1)",
    "with raises(ValueError) as e:\n    f(1)\nassert str(e.value) == e.value.args, e.value",
    "try:\n    f(1)\nexcept Exception as error:\n    assert f(error.args) == 1, error",
    "try:\n    f(1)\nexcept* ValueError as group:\n    assert False, group",
    "assert agent.run(str(f(1)) * 1000).stdout == f(2)",
    "assert output * f(1) == output",
    "x = f(1)\nx.append(x)\nassert f(x) == x, x",
    "import json\nassert json.loads(json.dumps(f(1))) == f(2)",
    "import re\nassert re.fullmatch(f(1), f(2) * 30)",
    "import time\ntime.sleep(f(1))\nassert f(2)",
    "assert max(f(1), key=len) in f(2)",
    "import os\nassert os.kill(os.getpid(), f(1)) == f(2)",
];

/// Claims as Python's text, each an expression of bytes.
const CLAIMS: &[&str] = &[
    "value(1)",
    "value(1 << 62)",
    "value(-1)",
    "value(10**8)",
    "tagged('i', hex(1 << 60000))",
    "tagged('i', hex(1 << 4000000))",
    "b'{\"value\": ' + b'9' * 5000 + b'}'",
    "b'{\"value\": ' + b'9' * 4000 + b'}'",
    "value('x' * 1000000)",
    "value('\\ud800')",
    "value([[]] * 100000)",
    "value(1e308)",
    "tagged('f', 'nan')",
    "tagged('f', 'other')",
    "tagged('s', [(2**61 - 1) * k for k in range(30000)])",
    "tagged('d', [[(2**61 - 1) * k, 0] for k in range(20000)])",
    "tagged('d', [[[], 1]])",
    "b'{\"value\": ' + b'[' * 99 + b']' * 99 + b'}'",
    "b'{\"value\": ' + b'[' * 500000 + b']' * 500000 + b'}'",
    "b'no JSON \\xff'",
    "b''",
    "b'{}'",
    "b'{\"missing\": [1]}'",
    "b'{\"unfit\": ' + b'[' * 900 + b']' * 900 + b'}'",
    "raised(['ValueError'])",
    "raised(['KeyboardInterrupt', 'SystemExit', 'OSError', 'StopIteration', 'MemoryError'])",
    "raised(['task.X', '__main__.Ended', 'BaseExceptionGroup', 'ExceptionGroup'], group=[{}, 1, {'group': [{}]}])",
    "raised(['UnicodeDecodeError', 'json.decoder.JSONDecodeError', 7], args=[[]], fields=[['args', [1]]])",
    "raised(['AssertionError', 'RecursionError'], text=[1], name={}, line='x', args=[{'t': [1 << 60]}])",
    "raised(['ValueError'], handle=handle(0, 0, 'E'), cause={'kinds': ['E'], 'cause': {'kinds': 1}}, notes=[[1, 'n']])",
    "raised(['ExceptionGroup'], message=['m'], group=[{'kinds': ['KeyError']}] * 5000)",
    "tagged('h', handle(0, 0, 'Point'))",
    "tagged('h', handle(1, 1, '\\0', own=ALL))",
    "tagged('h', handle(2, 2, 'Point', own=ALL))",
    "tagged('h', [3, 99, None, None])",
    "tagged('h', [3, 1.5, {}, 'x'])",
    "tagged('h', handle(1 << 70, 4, 'Point', own=['__eq__'], can=[], builtin='type'))",
    "tagged('o', 0)",
    "tagged('o', -1)",
    "tagged('m', 0)",
    "tagged('m', -1)",
    "tagged('shared', 1)",
    "tagged('w', [1, handle(5, 5, 'Number')])",
    "tagged('w', [[], handle(5, 5, 'Number')])",
    "tagged('w', [True, handle(5, 5, 'Number')])",
    "tagged('exception', {'kinds': ['ValueError']})",
    "tagged('exception', [])",
    "tagged('record', ['P', ['x', '_fields'], [1, 2]])",
    "tagged('record', ['P', ['x', 'x'], [1, 2]])",
    "tagged('record', ['P', ['x y'], [1]])",
    "tagged('type', 'os.system')",
    "tagged('type', 'exec')",
    "tagged('Decimal', '1e999999999')",
    "tagged('Fraction', [1, 0])",
    "tagged('datetime', [[1, 2, 3, 4, 5, 6, 7], 1e300, 0])",
    "tagged('range', [0, 1 << 62, 1])",
    "tagged('defaultdict', [{'type': 'set'}, [[1, 2]]])",
    "tagged('deque', [[1] * 1000, 1])",
    "tagged('array', ['Q', 'ff'])",
    "changed([[0, [1, 2]]])",
    "changed([[7, {'d': []}]])",
    "changed(5)",
    "beside(share=[[1, 0]], news=[[1, [1]]])",
    "beside(share=[[2, 0]])",
    "beside(news=[[9, []]])",
    "asked({'o': '__call__', 't': {'o': 0}, 'a': [], 'k': {}})",
    "asked({'o': 'get', 't': 1, 'a': ['real'], 'k': {}})",
    "asked({'o': 'get', 't': [], 'a': ['__class__'], 'k': {}})",
    "asked({'o': 'method', 't': 'x', 'a': ['upper'], 'k': {}})",
    "asked({'o': 'exec', 't': 1, 'a': [], 'k': {}})",
    "asked({'o': [], 't': 1})",
    "asked([])",
];

const AGENT: &str = "
import json, sys
send = sys._getframe(1).f_globals['Wire'].put
def tag(kind, body): return json.dumps({kind: body})
def value(it): return json.dumps({'value': it}).encode()
def tagged(kind, body): return json.dumps({'value': {kind: body}}).encode()
def raised(kinds, text='t', **more): return json.dumps({'raised': {'name': 'N', 'text': text, 'kinds': kinds, 'line': 1, **more}}).encode()
ALL = ['__eq__', '__ne__', '__lt__', '__le__', '__gt__', '__ge__', '__hash__']
def handle(number, kind, name, own=(), can=('__len__', '__iter__', '__next__', '__call__', '__bool__', '__sub__'), builtin=None):
    return [number, kind, {'name': name, 'can': can, 'own': own, 'methods': ['real'], 'builtin': builtin}, None]
def beside(**more): return json.dumps({'value': 1, **more}).encode()
def changed(it): return beside(changed=it)
def asked(it): return json.dumps({'ask': it}).encode()
CLAIMS = [lambda: CLAIMS_HERE]
sent = 0
def put(wire, *_):
    global sent
    sent += 1
    send(wire, b'v', CLAIMS[sent % len(CLAIMS)]())
sys._getframe(1).f_globals['Wire'].put = put
def f(*_): return 1
merge = f
";

/// Agents at a time.
const WORKERS: usize = 2;

/// A few of the claims, by a number.
fn agent(seed: usize) -> String {
    let mut state = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        CLAIMS[(state >> 33) as usize % CLAIMS.len()]
    };
    let chosen: Vec<&str> = (0..1 + seed % 4).map(|_| next()).collect();
    // Each claim comes up alone as well.
    let chosen = if seed < CLAIMS.len() { vec![CLAIMS[seed]] } else { chosen };
    AGENT.replace("CLAIMS_HERE", &chosen.join(", lambda: "))
}

#[test]
fn whatever_is_claimed_each_test_has_one_verdict() {
    let lab = Lab::with_judge(WORKERS, Judge { time: Duration::from_millis(200), memory: 128 << 20 });
    let tests: String = TESTS.iter().map(|test| format!("  - {test:?}\n")).collect();
    let all = task(&format!("prompt: p\ntests:\n{tests}"));
    let names: Vec<&str> = all.tests.iter().map(|test| test.name.as_str()).collect();
    let (start, next) = (Instant::now(), AtomicUsize::new(0));
    let is_wanted =
        |seed: usize| seed < CLAIMS.len() || seed < 60 && start.elapsed() < Duration::from_secs(25);
    let work = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| is_wanted(*seed)) {
            let source = agent(seed);
            let Outcome::Judged(runs) = lab.run(source.as_bytes(), &all, &LIMITS, 1) else {
                panic!("{seed}: {source}")
            };
            let judged: Vec<&str> = runs[0].tests.iter().map(|test| test.name.as_str()).collect();
            assert_eq!(judged, names, "{seed}: {source}");
            println!("{seed}: {}", verdicts(&runs[0]).join(" "));
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    println!("{} agents in {:?}", next.load(Ordering::Relaxed) - WORKERS, start.elapsed());
    assert!(lab.containers("judge").len() <= WORKERS + 1);
    assert_eq!(lab.close(), Vec::<String>::new());
}
