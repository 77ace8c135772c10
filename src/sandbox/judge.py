"""The judge: evaluates the assertions of tasks. Trusted code only; no agent code ever comes here.

An assertion calls the agent's functions by name; each such call goes to the host as a request and comes back as a
claim, which is decoded into exact builtin types and nothing else.

From the host                                   To the host
  T json          learn a task                    r           ready
  G u32 json      grade a run, numbered           t json      learnt: what is wrong with it, and what is known ahead
  v u32 json      the claim of an agent's call    c C|S json  a request to the agent
  s u32 json      what a script left              p json      one test's result
  e u32           the agent ended instead         d           graded
Answers that carry another run's number are passed over.
"""
import ast
import builtins
import reprlib
import struct
import warnings

MAX_MESSAGE = 500
PLAIN_NAMES = frozenset(vars(builtins))
EXCEPTIONS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and not issubclass(kind, BaseExceptionGroup)
}
BRIEF = reprlib.Repr()
BRIEF.maxstring = BRIEF.maxother = 80
BRIEF.maxlong = 40
BRIEF.maxlist = BRIEF.maxtuple = BRIEF.maxset = BRIEF.maxfrozenset = BRIEF.maxdict = 8


# Not Exceptions: an assertion that catches `Exception`, or `raises(Exception)`, must not take these for its own.
class Ended(BaseException):
    """The agent's process ended, or was ended, in the middle of a call."""


class Unusable(BaseException):
    """The agent gave nothing that an assertion could look at: no such function, no plain data."""


def brief(value):
    try:
        return BRIEF.repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


class Stopped(RuntimeError):
    """The agent's StopIteration: as itself it would end an assertion's `map` early, and `all` of nothing holds."""


EXCEPTIONS["StopIteration"] = Stopped


def rebuilt(names, text):
    """An exception with this text that is of all these builtin kinds: an agent's own may descend from several."""
    kinds = [EXCEPTIONS[name] for name in dict.fromkeys(filter(EXCEPTIONS.__contains__, map(str, names)))] or [Exception]
    error = kinds[0].__new__(kinds[0])
    error.args = (text,)
    leaves = tuple(kind for kind in kinds if not any(issubclass(k, kind) and k is not kind for k in kinds))
    if len(leaves) == 1 and str(error) == text:
        return error
    try:
        mixed = type(leaves[0].__name__, leaves, {"__str__": lambda self: text})
        return mixed.__new__(mixed)
    except TypeError:
        return error  # no class can be all of these: a claim that no agent's exception made


class Script:
    """What `python agent.py ...` left."""

    def __init__(self, stdout, stderr, returncode):
        self.stdout, self.stderr, self.returncode = stdout, stderr, returncode

    def __repr__(self):
        return f"(stdout {brief(self.stdout)}, stderr {brief(self.stderr[-200:])}, returncode {self.returncode})"


class Function:
    """A function of the agent: calling it asks the cell."""

    def __init__(self, name, run):
        self._name, self._run = name, run

    def __call__(self, *args, **kwargs):
        return self._run.call(self._name, args, kwargs)

    def __repr__(self):
        return f"<the agent's {self._name}>"

    def __eq__(self, other):
        raise Unusable(f"{self._name} was compared and not called")

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __iter__ = __len__ = __contains__ = __eq__
    __hash__ = None


class Agent:
    """`agent` in an assertion."""

    def __init__(self, run):
        self._run, self._output = run, None

    def run(self, *args, stdin=""):
        return self._run.script([str(arg) for arg in args], str(stdin))

    @property
    def output(self):
        if self._output is None:
            self._output = self.run("--task", self._run.task.prompt)
        return self._output.stdout


class raises:
    """`with raises(ValueError): ...` holds if the block raises that exception."""

    def __init__(self, *kinds):
        if not kinds or not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
            raise TypeError("raises takes exception types")
        self.kinds = kinds

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind is None:
            raise AssertionError(f"{' or '.join(k.__name__ for k in self.kinds)} was not raised")
        self.value = value
        shown = StopIteration if issubclass(kind, Stopped) else kind
        return issubclass(shown, self.kinds) and not issubclass(kind, (Ended, Unusable))


# ---- tasks ----


class Task:
    """A task's compiled setup and tests; `problems` says what is wrong with them."""

    def __init__(self, spec):
        self.prompt, self.problems = spec["prompt"], []
        self.names, self.is_steady = set(), True
        setup = spec["setup"] or {"text": "", "line": 1}
        self.setup = self.compiled(None, setup, lambda tree: None)
        self.tests = [self.compiled(i, test, check_asserts) for i, test in enumerate(spec["tests"])]

    def compiled(self, test, source, check):
        """A code object that keeps the lines of the task's file, so that every message points there."""
        above = source["line"] - 1
        try:
            tree = parsed(source["text"], source.get("expression", False))
            check(tree)
        except SyntaxError as error:
            return self.problem(test, above + (error.lineno or 1), error.msg)
        except (ValueError, RecursionError, MemoryError) as error:
            return self.problem(test, above + 1, str(error))
        self.names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        self.is_steady &= all(map(is_steady, ast.walk(tree)))
        tree = ast.increment_lineno(ast.fix_missing_locations(OutputName(tree).visit(tree)), above)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", SyntaxWarning)
                return compile(tree, "task", "exec", dont_inherit=True)
        except SyntaxError as error:
            return self.problem(test, error.lineno or above + 1, error.msg)

    def problem(self, test, line, message):
        self.problems.append({"test": test, "line": line, "message": message})


def parsed(text, expression_allowed):
    """The statements of a test; the text of an `assert:` field may be a bare expression."""
    if expression_allowed:
        try:
            value = ast.parse(f"({text}\n)", mode="eval").body
            return ast.Module([ast.copy_location(ast.Assert(value, None), value)], [])
        except SyntaxError:
            pass
    return ast.parse(text)


def check_asserts(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            if isinstance(node.test, ast.Tuple) and node.test.elts:
                raise SyntaxError("assertion is always true, perhaps remove parentheses?", (None, node.lineno, 0, ""))
            return
        if isinstance(node, (ast.With, ast.Raise)):
            return
    raise SyntaxError("asserts nothing; write `assert ...`", (None, 1, 0, ""))


class OutputName(ast.NodeTransformer):
    """`output` is asked for when it is first looked at, so it becomes `agent.output`."""

    def __init__(self, tree):
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        self.taken = any(n.id == "output" and not isinstance(n.ctx, ast.Load) for n in names)

    def visit_Name(self, node):
        if node.id != "output" or self.taken:
            return node
        agent = ast.copy_location(ast.Name("agent", ast.Load()), node)
        return ast.copy_location(ast.Attribute(agent, "output", ast.Load()), node)


# ---- runs ----


class Run:
    """One agent on one task."""

    def __init__(self, host, number, task):
        self.host, self.number, self.task = host, number, task
        self.calls, self.agents_error = [], None

    def grade(self):
        self.play()
        self.host.put(b"d")

    def play(self):
        scope = self.scope()
        if isinstance(scope, BaseException):
            results = [self.verdict(scope)] * len(self.task.tests)
            for test, result in enumerate(results):
                self.tell(test, *result)
        else:
            for test, code in enumerate(self.task.tests):
                self.calls.clear()
                self.tell(test, *self.verdict(execute(code, dict(scope))))

    def scope(self):
        scope = {name: Function(name, self) for name in self.task.names - PLAIN_NAMES - {"output"}}
        scope.update(prompt=self.task.prompt, agent=Agent(self), raises=raises, __name__="task")
        return execute(self.task.setup, scope) or scope

    def tell(self, test, verdict, message=None):
        self.host.put(b"p", dumps({"test": test, "verdict": verdict, "message": message}).encode())
        if not self.host.inbox:
            self.host.flush()  # answers are not waiting: the host may want to know how far this came

    def verdict(self, error):
        """The verdict and the message for what a test's code raised."""
        if error is None:
            return ("passed",)
        if isinstance(error, Ended):
            return ("ended", self.message(""))
        if isinstance(error, Unusable):
            return ("error", self.message(str(error)))
        if error is self.agents_error:
            return ("error", self.message(""))
        if isinstance(error, AssertionError):
            return ("failed", self.message(str(error)))
        return ("failed", self.message(f"the assertion raised {type(error).__name__}: {error}"))

    def message(self, text):
        calls = "; ".join(self.calls[-3:])
        message = " - ".join(part for part in (text, calls) if part)[:MAX_MESSAGE]
        # Half a character, which an agent's text may hold, is no JSON for others.
        return message.encode(errors="replace").decode() or "the assertion does not hold"

    # -- questions to the agent --

    def call(self, name, args, kwargs):
        try:
            listed = ", ".join(map(encode, args))
            named = ", ".join(f"{dumps(key)}: {encode(value)}" for key, value in kwargs.items())
        except NotPlain as error:
            raise TypeError(f"an argument of {name} {error}") from None
        shown = ", ".join([*map(brief, args), *(f"{key}={brief(value)}" for key, value in kwargs.items())])
        self.calls.append(f"{name}({shown})")
        payload = self.ask(b"C", f'{{"f": {dumps(name)}, "a": [{listed}], "k": {{{named}}}}}')
        try:
            return self.accept(name, payload)
        except NotPlain as error:
            self.calls[-1] += " returned what can't be read"
            raise Unusable(f"what {name} returned {error}") from None

    def accept(self, name, payload):
        claim = parse(payload)
        if type(claim) is not dict or len(claim) != 1:
            raise NotPlain("is no claim")
        [(kind, content)] = claim.items()
        if kind == "value":
            value = decode(content)
            self.calls[-1] += f" returned {brief(value)}"
            return value
        if kind == "missing":
            raise Unusable(f"the agent has no function {name}")
        if kind == "unfit":
            raise Unusable(f"what {name} returned {str(content)[:200]}")
        if kind in ("raised", "broken") and type(content) is dict:
            self.reraise(kind, content)
        raise NotPlain("is no claim")

    def reraise(self, kind, content):
        text = f"{content.get('name')}: {content.get('text')}"[:300]
        if type(content.get("line")) is int:
            text += f" (agent.py line {content['line']})"
        if kind == "broken":
            raise Unusable(f"importing the agent raised {text}")
        self.calls[-1] += f" raised {text}"
        kinds = content.get("kinds")
        self.agents_error = rebuilt(kinds if type(kinds) is list else [], str(content.get("text")))
        raise self.agents_error

    def script(self, args, stdin):
        shown = ", ".join(map(brief, args))
        self.calls.append(f"agent.run({shown})")
        result = self.left(self.ask(b"S", dumps({"argv": args, "stdin": stdin})))
        self.calls[-1] += f" left {result!r}"
        return result

    def left(self, payload):
        code, length = struct.unpack(">iI", payload[:8])
        stdout, stderr = payload[8 : 8 + length], payload[8 + length :]
        return Script(stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"), code)

    def ask(self, kind, request):
        self.host.put(b"c", kind + request.encode())
        while (frame := self.host.wait()) is not None:
            (number,), payload = struct.unpack(">I", frame[1][:4]), frame[1][4:]
            if number != self.number:
                continue
            if frame[0] == b"e":
                self.calls[-1] += " never came back"
                raise Ended
            return payload
        os._exit(0)  # the host is gone


def execute(code, scope):
    """Runs a test's code; what it raised, or None."""
    try:
        exec(code, scope)
    except TooMuch:
        raise
    except BaseException as error:
        return error


def lesson(task, rehearse):
    foreseen = Rehearsal(task).foreseen() if rehearse and not task.problems else None
    return {"flaws": task.problems, "steady": task.is_steady, "foreseen": foreseen}


def main():
    host = Wire(0, os.dup(1))
    os.dup2(2, 1)  # what a task's author prints must not get between the frames
    host.put(b"r")
    tasks = {}
    while (frame := host.wait()) is not None:
        kind, payload = frame
        if kind == b"T":
            spec = loads(payload)
            task = tasks[spec["key"]] = Task(spec)
            host.put(b"t", dumps(lesson(task, spec["rehearse"])).encode())
        elif kind == b"G":
            number, key = struct.unpack(">I", payload[:4])[0], payload[4:].decode()
            Run(host, number, tasks[key]).grade()
