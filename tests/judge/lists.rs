//! Lists of tasks that are judged many in a process, as they leave nothing behind, and of those that can't tell the time.

use crate::common::{Lab, messages, verdicts};
use crate::{ONE, TIGHT, run};

/// Tests that can tell when an answer came; an agent that is slow fails each of them.
const TIMED: [&str; 5] = [
    "import time\nstart = time.monotonic()\nassert one(3) == 1\nassert time.monotonic() - start < 1",
    "import threading\nthread = threading.Thread(target=one, args=(3,), daemon=True)\nthread.start()\nthread.join(1)\n\
     assert not thread.is_alive()",
    "from datetime import datetime\nstart = datetime.now()\nassert one(3) == 1\n\
     assert (datetime.now() - start).total_seconds() < 1",
    "import typing\nclock = typing.sys.modules['time'].monotonic\nstart = clock()\nassert one(3) == 1\nassert clock() - start < 1",
    "import signal\nsignal.setitimer(signal.ITIMER_REAL, 1)\nsignal.signal(signal.SIGALRM, signal.default_int_handler)\n\
     assert one(3) == 1\nsignal.setitimer(signal.ITIMER_REAL, 0)",
];

pub fn a_test_that_measures_time_measures_the_agents() {
    let lab = Lab::with_judge(1, TIGHT);
    let slow = "import time\ndef one(n):\n    time.sleep(1.5)\n    return 1\n";
    for test in TIMED {
        let text = format!("prompt: p\nsetup: import time\ntests:\n  - {test:?}\n");
        let text =
            if test.contains("import typing") { text.replace("setup: import time\n", "") } else { text };
        let (slow, quick) = (run(&lab, slow, &text), run(&lab, ONE, &text));
        assert_eq!(verdicts(&slow), ["failed"], "{test}: {:?}", messages(&slow));
        assert_eq!(verdicts(&quick), ["passed"], "{test}: {:?}", messages(&quick));
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Texts that the lists of plain and of timeless tasks must not take: attacks on each list.
const UNPLAIN: [&str; 22] = [
    "import math\nmath.pi = 3\nassert f()",
    "import math\nmath.__dict__['pi'] = 3\nassert f()",
    "import math as m\nn = m\nassert f()",
    "import math\nassert f(math)",
    "import copy\ncopy.dispatch_table.update({})\nassert f()",
    "from copy import dispatch_table as t\nt.clear()\nassert f()",
    "import collections\ncollections.abc.Sized.register(int)\nassert f()",
    "import collections.abc as c\nassert f()",
    "import string\nstring.Formatter.vformat = f\nassert f()",
    "import typing\ntyping.sys.setrecursionlimit(50)\nassert f()",
    "import statistics\nstatistics.random.seed(1)\nassert f()",
    "import re\nre.purge()\nassert f()",
    "setattr(f, 'a', 1)\nassert f()",
    "vars(f)['a'] = 1\nassert f()",
    "type(f(1)).__init__.__globals__.clear()\nassert f()",
    "class A: pass\nassert f()",
    "import random\nrandom.seed = f\nassert f()",
    "import random\nrandom.Random.random = f\nassert f()",
    "import random\nassert f(random)",
    "with f() as g:\n    assert g",
    "global x\nx = 1\nassert f()",
    "def g():\n    yield\nassert f(g())",
];
const PLAIN: [&str; 7] = [
    "import math\nassert math.isclose(f(1), 2)",
    "import random\nassert f([random.randint(1, 6), random.Random(2).random()])",
    "import random\nrandom.seed(1)\nassert f() == random.random()",
    "from collections import Counter\nassert Counter(f('a')) == {'a': 1}",
    "for a, b in [(1, 2)]:\n    assert f(a) == b and sorted(f(b), key=lambda x: -x)[0:2] == [1]",
    "def g(n):\n    return n + 1\nx = [g(n) for n in range(3)]\nx.append(4)\nassert f(x) == x, f'{x}'",
    "try:\n    f(1)\n    assert False\nexcept ValueError:\n    pass",
];
const TIMEFUL: [&str; 16] = [
    "import time\nassert f()",
    "from time import time as t\nassert f()",
    "import asyncio\nassert f()",
    "import concurrent.futures\nassert f()",
    "import os\nassert os.times() and f()",
    "from datetime import date\nassert f(date.today())",
    "import datetime as d\nassert f(d.datetime.now())",
    "import sys\nassert sys.modules['time'] and f()",
    "from typing import sys\nfrom sys import modules\nassert f()",
    "import random\nassert random._os.times() and f()",
    "import typing as t\nassert t.sys._getframe().f_builtins and t.contextlib.os and f()",
    "assert __import__('time') and f()",
    "exec('import time')\nassert f()",
    "assert open('/proc/uptime').read() and f()",
    "assert getattr(f, 'x')",
    "import sched\nassert f()",
];
const TIMELESS: [&str; 4] = [
    "import math, random, sys, datetime\nassert f(datetime.date(2026, 1, 2)) == sys.maxsize",
    "from typing import List\nassert f.__name__ and type(f(1)).__name__ == 'x'",
    "from collections import deque\nimport dataclasses\nassert dataclasses.asdict(f()) == {}",
    "assert f().year == 1 and f()._items == []",
];

pub fn what_may_leave_something_or_tell_the_time_is_on_no_list() {
    let lab = Lab::with_workers(1);
    let texts = [&UNPLAIN[..], &PLAIN, &TIMEFUL, &TIMELESS].concat();
    let script = format!(
        "import builtins, json, sys\nPLAIN_NAMES = frozenset(vars(builtins))\n{}\n{}\n\
         walked = [list(ast.walk(ast.parse(text))) for text in json.loads(sys.argv[1])]\n\
         print(json.dumps([[is_plain(nodes, {{}}), all(map(is_timeless, nodes))] for nodes in walked]))\n",
        include_str!("../../src/sandbox/guest/judge/observations.py"),
        include_str!("../../src/sandbox/guest/judge/plain.py"),
    );
    let command = ["run", "--rm", "--network=none", "python:3.11-slim", "python", "-c", &script];
    let told = lab.ask(&[&command[..], &[&serde_json::to_string(&texts).unwrap()]].concat());
    let told: Vec<(bool, bool)> = serde_json::from_str(&told).unwrap();
    for (place, (text, (is_plain, is_timeless))) in texts.iter().zip(told).enumerate() {
        let place = |from: usize, list: &[&str]| (from..from + list.len()).contains(&place);
        let (plain, timeful) = (UNPLAIN.len(), UNPLAIN.len() + PLAIN.len());
        assert!(!(place(0, &UNPLAIN) && is_plain), "{text}");
        assert!(!place(plain, &PLAIN) || (is_plain && is_timeless), "{text}");
        assert!(!(place(timeful, &TIMEFUL) && is_timeless), "{text}");
        assert!(!place(timeful + TIMEFUL.len(), &TIMELESS) || is_timeless, "{text}");
    }
}
