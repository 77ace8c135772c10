"""Cases: tests that run the agent as a program on an input, and look at what it prints (this text is put before the
judge's). The input goes from the host to the cell; the answer comes here when it is needed, and goes nowhere else.
"""
import math
import struct


class Case:
    """A test that is a pair of files."""

    def __init__(self, test, name, rule, is_first):
        self.test, self.name, self.rule, self.is_first = test, name, rule, is_first

    def carry_out(self, run):
        """Has the agent run; the exception that says why its output is not right, or None."""
        try:
            self.rule.carry_out(self, run)
        except BaseException as error:
            return error

    def rehearse(self, run):
        """Asks what the agent would be asked, with nobody to answer: an author's program is tried once, on output that is empty."""
        run.ask(ToCell.Stdin, str(self.test))
        if not self.is_first or not (program := getattr(self.rule, "program", None)):
            return None
        error = self.carry_out(run)
        return Careless(program.told(error)) if isinstance(error, CERTAIN) else error

    def input(self, run):
        return run.fetch(self.test, "input")

    def answer(self, run):
        return run.fetch(self.test, "answer")


class Compared:
    """A rule that looks at an output when the program has ended."""

    def carry_out(self, case, run):
        run.calls.begin(f"the program < {case.name}.in")
        left = Left(run.ask(ToCell.Stdin, str(case.test)))
        check_exit(left)
        self.check(case, run, left.stdout)


class Exact(Compared):
    def check(self, case, run, output):
        expected = case.answer(run)
        if output == expected:
            return
        for number, (got, right) in enumerate(zip(output.split(b"\n"), expected.split(b"\n")), 1):
            if got != right:
                raise AssertionError(f"line {number}: expected {shown(right)}, got {shown(got)}")
        lines = expected.count(b"\n"), output.count(b"\n")
        raise AssertionError(f"expected {lines[0]} ends of lines, got {lines[1]}; the lines are right as far as they go")


class Tokens(Compared):
    """Words that are the same, whatever space is between them."""

    def check(self, case, run, output):
        expected, words = case.answer(run), output.split()
        right = expected.split()
        if words == right:
            return
        for number, pair in enumerate(zip(words, right), 1):
            if not self.same(*pair):
                raise AssertionError(f"word {number}: expected {shown(pair[1])}, got {shown(pair[0])}{told_returns(output, expected)}")
        if len(words) != len(right):
            so_far = "; they are right as far as they go" if words and right else ""
            raise AssertionError(f"expected {len(right)} word{'s' * (len(right) != 1)}, got {len(words) or 'none'}{so_far}")

    def same(self, got, right):
        return got == right


class Near(Tokens):
    """The same, where numbers may differ a little."""

    def __init__(self, tolerance):
        self.tolerance = tolerance

    def same(self, got, right):
        if got == right:
            return True
        try:
            got, right = float(got), float(right)
        except ValueError:
            return False
        # Every number is as near to infinity as infinity is large.
        return got == right or math.isfinite(right) and abs(got - right) <= self.tolerance * max(1.0, abs(right))


class Checked(Compared):
    """An author's program looks at the output."""

    def __init__(self, program):
        self.program = program

    def check(self, case, run, output):
        given, answer = case.input(run), case.answer(run)
        if self.program.is_called:
            return self.program.call(*(text.decode("utf-8", "replace") for text in (given, output, answer)))
        self.program.run(given, answer, io.TextIOWrapper(io.BytesIO(output), "utf-8", "replace"), io.StringIO())


class Talked:
    """An author's program talks to the agent's."""

    def __init__(self, program):
        self.program = program

    def carry_out(self, case, run):
        run.calls.begin(f"a dialogue on {case.name}.in")
        talk = Talk(run)
        try:
            self.talk(talk, case.input(run), case.answer(run))
        except Exception:
            check_exit(talk)  # of a program that has failed nothing else need be said
            raise
        talk.close()
        check_exit(talk)

    def talk(self, talk, given, answer):
        if self.program.is_called:
            return self.program.call(talk, given.decode("utf-8", "replace"), answer.decode("utf-8", "replace"))
        ends = TalkFile(talk)
        stdin = io.TextIOWrapper(io.BufferedReader(ends), "utf-8", "replace")
        self.program.run(given, answer, stdin, io.TextIOWrapper(ends, "utf-8", write_through=True))


def check_exit(ended):
    """A program that has failed has no right output."""
    if ended.code:
        lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        how = f"with exit code {ended.code}" if ended.code > 0 else f"by signal {-ended.code}"
        raise Unusable(f"it ended {how}{': ' + lines[-1][:200] if lines else ''}")


class Left:
    """A program's end, of a frame's payload."""

    def __init__(self, payload):
        self.code, length = struct.unpack(">iI", payload[:8])
        self.stdout, self.stderr = payload[8 : 8 + length], payload[8 + length :]


def told_returns(output, expected):
    """Carriage returns in an output, which stand between words like any space: on a screen they are not seen either."""
    return "; there are carriage returns, \\r, in the output" if b"\r" in output and b"\r" not in expected else ""


def shown(word):
    return brief(word.decode("utf-8", "replace"))


RULES = {"exact": Exact, "tokens": Tokens}
ENTRIES = {"checker": "check", "interactor": "interact"}  # functions of authors' programs


def compiled_rule(judging):
    """The rule of a spec with its program compiled; SyntaxError where that is no Python."""
    if type(judging) is str:
        return judging
    [(kind, what)] = judging.items()
    return {kind: what if kind == "float" else compiled_program(what, ENTRIES[kind])}


def has_program(compiled):
    return type(compiled) is dict and not ENTRIES.keys().isdisjoint(compiled)


def rule(compiled):
    if type(compiled) is str:
        return RULES[compiled]()
    [(kind, what)] = compiled.items()
    if kind == "float":
        return Near(what)
    return Checked(Program(what)) if kind == "checker" else Talked(Program(what))
