//! Names that both Python and the agent may have.

use agentmill::sandbox::Sandbox;

use crate::common::{Lab, task, verdicts};
use crate::{TIGHT, run};

pub fn a_task_that_asks_nothing_is_refused_and_a_builtin_that_is_asked_for_is_the_agents() {
    let lab = Lab::with_judge(1, TIGHT);
    let tests = "tests:\n  - assert max([1, 2]) == 2\n  - assert max([3]) == 3\n";
    let idle = task(&format!("prompt: the largest of a list\n{tests}"));
    let checked = lab.sandbox.check(std::slice::from_ref(&idle)).unwrap();
    assert_eq!(checked.refused.len(), 1, "{checked:?}");
    assert!(checked.refused[0].message.contains("ask the agent nothing"), "{checked:?}");

    let asked = format!("prompt: 'Implement `def max(items: list) -> int`'\n{tests}");
    assert_eq!(verdicts(&run(&lab, "pass\n", &asked)), ["error"; 2]);
    let right = "def max(items):\n    return sorted(items)[-1]\n";
    assert_eq!(verdicts(&run(&lab, right, &asked)), ["passed"; 2]);
    // Those that a test's text means something else by, too.
    for name in ["type", "callable", "compile", "eval", "open", "raises"] {
        let asked = format!(
            "prompt: 'Write def {name}(x), x and one more.'\ntests:\n  - assert {name}(1) == 2\n  - assert {name}(5) == 6\n"
        );
        let answers =
            [1, 2].map(|more| run(&lab, &format!("def {name}(x):\n    return x + {more}\n"), &asked));
        assert_eq!(answers.each_ref().map(verdicts), [["passed"; 2], ["failed"; 2]], "{name}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Else whoever defines it is the measure of its own answers, and everybody else lacks it.
pub fn a_builtin_that_the_prompt_only_speaks_of_is_pythons() {
    let lab = Lab::with_judge(1, TIGHT);
    let forbidden = [
        "Do not use the built-in `sorted()` function.",
        "`sorted(xs)` must not be used.",
        "It works like `sorted(xs)`.",
    ];
    let cheat = "def order(xs):\n    return xs\nsorted = order\n";
    let honest = "def order(xs):\n    xs = list(xs)\n    xs.sort()\n    return xs\n";
    for said in forbidden {
        let text = format!(
            "prompt: Define order(xs), its items in order. {said}\ntests:\n  - assert order([3, 1]) == sorted([3, 1])\n"
        );
        assert_eq!(verdicts(&run(&lab, cheat, &text)), ["failed"], "{said}");
        assert_eq!(verdicts(&run(&lab, honest, &text)), ["passed"], "{said}");
    }
    let asked = "prompt: Write a function `sorted(xs)` that does not change xs.\ntests:\n  - assert sorted([3, 1]) == [1, 3]\n";
    assert_eq!(verdicts(&run(&lab, cheat, asked)), ["failed"]);
    assert_eq!(lab.close(), Vec::<String>::new());
}
