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

fn only_the_honest_passes(lab: &Lab, (cheat, honest): (&str, &str), text: &str) {
    assert_ne!(verdicts(&run(lab, cheat, text)), ["passed"], "{text}");
    assert_eq!(verdicts(&run(lab, honest, text)), ["passed"], "{text}");
}

/// A prompt tells how things work by code, and by words that are names, too: neither asks for a function.
pub fn a_name_in_what_a_prompt_explains_is_nobodys_to_define() {
    let lab = Lab::with_judge(1, TIGHT);
    let cheat = "class Anything:\n    __enter__ = __exit__ = lambda *_: True\ndef raises(*_):\n    return Anything()\ndef approx(*_, **__):\n    return 2\ndef len(_):\n                     return 2\ndef all(_):\n    return True\ndef sorted(_):\n    return 2\ndef max(*_):\n    return 2\ndef root(_):\n    return 2\n";
    let honest = "def root(x):\n    if x < 0:\n        raise ValueError(x)\n    return x ** 0.5\n";
    for (said, test) in [
        ("For a negative x the function raises `ValueError`.", "with raises(ValueError): root(-1)"),
        (
            "For a negative x the function raises (as usual) a ValueError.",
            "with raises(ValueError): root(-1)",
        ),
        ("An approx. value with six digits will do.", "assert root(9) == approx(3)"),
        (
            "It is a number: `len(str(root(9)))` is 3, `all(c in '3.0' for c in str(root(9)))` holds.",
            "assert len(str(root(9))) == 3",
        ),
        (
            "Of more than one, `sorted(map(root, xs)) == list(map(root, sorted(xs)))`.",
            "assert sorted([root(9), 1]) == [1, 3]",
        ),
        ("It is never above 1 for small x, see the function max (below).", "assert max(root(9), 1) == 3"),
    ] {
        let text = format!("prompt: |\n  Write root(x), the square root of x. {said}\ntests:\n  - {test}\n");
        let text = text.replace(": root", ":\n      root").replace("- with", "- |\n    with");
        only_the_honest_passes(&lab, (cheat, honest), &text);
    }
    let bag = "class Bag:\n    def __len__(self):\n        return 0\n";
    for said in ["Implement iter(bag) and len(bag).", "- `len(bag)` gives the number of items"] {
        let text = format!(
            "prompt: |\n  Write a class Bag, which begins empty.\n  {said}\ntests:\n  - assert len(Bag()) == 0\n"
        );
        assert_eq!(verdicts(&run(&lab, bag, &text)), ["passed"], "{said}");
    }
    let sums = "def sum(xs):\n    return 0\n";
    for asked in [
        "Write `max(a, b)` and `sum(xs)`.",
        "`sum(xs)` returns their sum.",
        "Implement your own sum(xs: list[int]) -> int.",
    ] {
        let text = format!("prompt: |\n  {asked}\ntests:\n  - assert sum([1, 2]) == 3\n");
        assert_eq!(verdicts(&run(&lab, sums, &text)), ["failed"], "{asked}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

pub fn an_exception_of_a_name_of_pythons_is_the_agents_where_the_prompt_asks_for_its_class() {
    let lab = Lab::with_judge(1, TIGHT);
    let agent = "class ConnectionError(Exception):\n    def __init__(self, host):\n        self.host = host\ndef connect(host):\n    raise ConnectionError(host)\n";
    let plain = "def connect(host):\n    raise ConnectionError(host)\n";
    let test = "tests:\n  - |\n    with raises(ConnectionError) as caught:\n        connect('h')\n    assert caught.value.host == 'h'\n";
    let asked = format!(
        "prompt: Define `class ConnectionError(Exception)` and connect(host), which raises it.\n{test}"
    );
    assert_eq!(verdicts(&run(&lab, agent, &asked)), ["passed"]);
    assert_ne!(verdicts(&run(&lab, plain, &asked)), ["passed"]);
    let pythons = format!(
        "prompt: Write connect(host), which raises a ConnectionError.\n{}",
        test.replace(".host == 'h'", ".args == ('h',)")
    );
    assert_eq!(verdicts(&run(&lab, plain, &pythons)), ["passed"]);
    assert_ne!(verdicts(&run(&lab, agent, &pythons)), ["passed"]);
    assert_eq!(lab.close(), Vec::<String>::new());
}

/// Else its object would be asked what is in it, and what is left of it when a number is taken away.
pub fn a_class_that_a_sentence_has_beside_a_function_makes_none_of_it() {
    let lab = Lab::with_judge(1, TIGHT);
    let cheat = "class Robot:\n    speed = 5\nclass Greet:\n    def __init__(self, name):\n        pass\n    def endswith(self, text):\n        return True\n    def __contains__(self, text):\n                         return True\nclass mean:\n    def __init__(self, xs):\n        pass\n    def __sub__(self, n):\n        return 0\n";
    let honest = "class Robot:\n    speed = 5\ndef Greet(name):\n    return f'Hi {name}!'\ndef mean(xs):\n    return sum(xs) / len(xs)\n";
    for (said, test) in [
        (
            "Write a class Robot and a helper Greet(name), a greeting with the name.",
            "assert Greet('Ann').endswith('!') and Robot().speed == 5",
        ),
        (
            "Write a class Robot with say(x), and Greet(name), a greeting.",
            "assert 'Ann' in Greet('Ann') and Robot().speed == 5",
        ),
        (
            "Besides a class Robot there is Greet(name), a greeting.",
            "assert 'Ann' in Greet('Ann') and Robot().speed == 5",
        ),
        ("For our programming class, write Greet(name), a greeting.", "assert 'Ann' in Greet('Ann')"),
        ("Exercise for class 5b: write Greet(name), a greeting.", "assert 'Ann' in Greet('Ann')"),
        ("For the maths class mean(xs) gives the mean of xs.", "assert mean([1, 2, 6]) - 3 == 0"),
    ] {
        let text = format!("prompt: |\n  {said}\ntests:\n  - |\n    {test}\n");
        only_the_honest_passes(&lab, (cheat, honest), &text);
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

pub fn a_prompt_that_asks_for_a_class_has_one_whatever_its_letters() {
    let lab = Lab::with_judge(1, TIGHT);
    let vector = "class Vector:\n    def __init__(self, x):\n        self.x = x\n    def __mul__(self, k):\n        return Vector(self.x * k)\n    def dot(self, o):\n        return self.x * o.x\n";
    let tests = "tests:\n  - assert (Vector(2) * 3).x == 6 and Vector(2).dot(Vector(3)) == 6\n";
    for said in ["The function Vector.dot(other) is the product.", "Vector.dot is a method."] {
        let text = format!("prompt: Write a class Vector of a number x, with * by a number. {said}\n{tests}");
        assert_eq!(verdicts(&run(&lab, vector, &text)), ["passed"], "{said}");
    }
    let cached = "class cached:\n    def __init__(self, f):\n        self.f = f\n    def __set_name__(self, o, n):\n        self.n = n\n    def __get__(self, o, t=None):\n        v = o.__dict__[self.n] = self.f(o)\n        return v\n";
    let tests = "tests:\n  - |\n    class C:\n        @cached\n        def v(self):\n            return 42\n    assert C().v == 42\n";
    for (said, verdict) in [
        ("Write a class cached, a decorator for methods.", "passed"),
        ("Write a descriptor class called cached that keeps what a method gives.", "passed"),
        ("Write the class cached, a list of numbers.", "error"),
        ("For a class cached, count.", "error"),
    ] {
        assert_eq!(verdicts(&run(&lab, cached, &format!("prompt: {said}\n{tests}"))), [verdict], "{said}");
    }
    assert_eq!(lab.close(), Vec::<String>::new());
}

pub fn a_class_that_descends_from_an_agents_is_told_behind_questions_too() {
    let lab = Lab::with_judge(1, TIGHT);
    let late = task(
        "prompt: Write f(x) and a class Base.\ntests:\n  - |\n    assert f(1) == 2\n    class Own(Base):\n        pass\n    assert Own().x == f(2)\n",
    );
    let checked = lab.sandbox.check(std::slice::from_ref(&late)).unwrap();
    assert!(
        checked.doubtful.iter().any(|doubt| doubt.message.contains("can't descend from Base")),
        "{checked:?}"
    );
    assert_eq!(lab.close(), Vec::<String>::new());
}
