//! Tests that fail before they ask the agent anything, behind others that do.

use crate::common::{Lab, messages, verdicts};
use crate::{ONE, TIGHT, fault, run};

/// Setup whose own code fails in the second test, before that asks anything; what that test is, and what is said.
const EARLY: [(&str, &str, &str); 8] = [
    ("RIGHT = {1: 1}", "assert RIGHT[3] == one()", "KeyError: 3"),
    ("def right(n): return {'a': 1}[n]", "assert right(3) == one()", "KeyError: 3"),
    (
        "def right(): return int(open('/data/right.txt').read())",
        "assert right() == one()",
        "FileNotFoundError",
    ),
    ("def points():\n    found = {'a': 1}['b']\n    return one()", "score: points()", "KeyError: 'b'"),
    (
        "class T:\n    def test(self):\n        want = self.want\n        assert one() == want",
        "T().test()",
        "AttributeError",
    ),
    (
        "import unittest\nclass T(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls): cls.want = 1\n    \
         def setUp(self): self.got = 2\n    def test(self): self.assertEqual(self.want, one())",
        "T('test').debug()",
        "AttributeError",
    ),
    (
        "import unittest\nclass T(unittest.TestCase):\n    @unittest.skip('later')\n    def test(self): self.assertEqual(one(), 1)",
        "T('test').debug()",
        "SkipTest: later",
    ),
    (
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(1, 2)\n        self.assertEqual(one(), 1)",
        "T('test').debug()",
        "1 != 2",
    ),
];

pub fn setup_that_fails_in_a_later_test_is_the_tasks_fault() {
    let lab = Lab::with_judge(1, TIGHT);
    for (setup, test, said) in EARLY {
        let test = if test.starts_with("score") { format!("{{{test}}}") } else { format!("{test:?}") };
        let text = format!("prompt: 'one()'\nsetup: {setup:?}\ntests:\n  - assert one() == 1\n  - {test}\n");
        let told = fault(&lab, ONE, &text);
        assert!(told.contains(said), "{text}: {told}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Faultless, as the first test may leave what the second one wants; in a dry run its loops over answers are empty.
const LEFT: [&str; 6] = [
    "prompt: p\nsetup: |\n  def made():\n    kept = ()\n    def keep(n):\n      nonlocal kept\n      for _ in range(n): kept = (n,)\n      return True\n    def same(): return kept[0] == one()\n    return keep, same\n  keep, same = made()\ntests:\n  - assert keep(one())\n  - assert same()\n",
    "prompt: p\nsetup: |\n  class T:\n    pass\ntests:\n  - |\n    if one() < 2: T.want = 1\n    for n in [one()] * 2: setattr(T, 'seen', n)\n    assert n\n  - assert T.seen == 1\n",
    "prompt: p\nsetup: |\n  class T:\n    @classmethod\n    def begin(cls):\n      for n in range(one()): cls.want = 1\n      return True\ntests:\n  - assert T.begin()\n  - assert T.want == 1\n",
    "prompt: p\nsetup: |\n  kept = ()\n  def keep(n):\n    global kept\n    for _ in range(n): kept = (n,)\n    return True\n  def same(): return kept[0] == one()\ntests:\n  - assert keep(one())\n  - assert same()\n",
    "prompt: p\nsetup: |\n  def keep(n):\n    for _ in range(n): open('/tmp/kept', 'w').write('1')\n    return True\n  def same(): return open('/tmp/kept').read() == '1'\ntests:\n  - assert keep(one())\n  - assert same()\n",
    "prompt: p\nsetup: |\n  import os\n  def keep(n):\n    for _ in range(n): os.environ['kept'] = '1'\n    return True\n  def same(): return os.environ['kept'] == '1'\ntests:\n  - assert keep(one())\n  - assert same()\n",
];

pub fn what_a_test_before_may_have_left_is_no_fault() {
    let lab = Lab::with_judge(1, TIGHT);
    for text in LEFT {
        let run = run(&lab, ONE, text);
        assert_eq!(verdicts(&run), ["passed"; 2], "{text}: {:?}", messages(&run));
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}
