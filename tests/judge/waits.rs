//! Waits in which neither the test nor the agent has anything to say.

use crate::common::{Lab, messages, verdicts};
use crate::{ONE, TIGHT, run};

/// Its thread never asks, and its clerk says at once that all of its side wait, so that hardly any time is its own.
const WAITING: &str = "import gc, threading\ndef f(cb):\n    threading.Thread(target=cb).start()\n    \
                       for it in gc.get_objects():\n        if type(it).__name__ == 'AgentPeer':\n            \
                       it.lines.no_word = lambda: '{\"pass\": \"idle\"}'\n            it.lines.idle = it.lines.latest = 0.0001\n    \
                       threading.Event().wait()\n";

pub fn an_agent_that_says_for_ever_that_it_waits_holds_nobody_up() {
    let lab = Lab::with_judge(1, TIGHT);
    let waits = run(
        &lab,
        WAITING,
        "prompt: p\ntests:\n  - |\n    assert f(lambda: None) is None\n  - assert f(1) == 1\n",
    );
    assert_eq!(verdicts(&waits), ["timeout", "timeout"], "{:?}", messages(&waits));
    assert!(messages(&waits)[0].contains("waited for each other"), "{:?}", messages(&waits));
    let next = run(&lab, ONE, "prompt: p\ntests: [assert one() == 1]\n");
    assert_eq!(verdicts(&next), ["passed"], "{:?}", messages(&next));
    assert_eq!(lab.close(), Vec::<String>::new());
}
