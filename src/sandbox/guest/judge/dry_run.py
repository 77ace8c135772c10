"""Dry run: a task's tests without an agent. It finds out what they will ask, and what is wrong with them that no agent can mend (this text is put after the judge's).
"""
MAX_ASKED = 10_000  # requests
MAX_KEPT = 4 << 20  # bytes of requests: more is asked one by one


class Unaskable(TypeError):
    """An argument that is no plain data, and not because an answer is part of it."""


# Exceptions that an agent's answers can't bring about, wherever they were put.
CERTAIN = (ImportError, NameError, Unaskable)


class any_raises(raises):
    """`raises`, satisfied whatever the block does."""

    def __exit__(self, kind, value, _):
        self.value = self.type = Anything()
        return not isinstance(value, TooMuch)

    def match(self, pattern):
        re.compile(pattern)
        return self.value


# Of a program that ends and prints nothing.
SILENCE = {ToCell.Stdin: struct.pack(">iI", 0, 0), ToCell.Talk: struct.pack(">?iI", False, 0, 0)}


class DryPeer(JudgePeer):
    """The test's side where nobody answers."""

    passing = (*JudgePeer.passing, TooMuch)

    def said_back(self, line, text):
        self.run.ask(ToCell.Call, text)
        return {}

    def call(self, owner, name, args, named):
        value = super().call(owner, name, args, named)
        if self.run.task.kind_named(name) == "function":
            return value
        self.run.is_foreseen = False  # what is asked of the objects of a class depends on what they are
        return Made(name, self.run.suspect) if owner is None else value

    def shown(self, coder, value, depth):
        if issubclass(type(value), Anything):
            raise NotPlain("is a Anything")
        value = value.meant() if type(value) is Watched else value
        self.run.is_foreseen &= type(value) is Member  # it may be asked about
        self.run.has_shown |= type(value) is not Member  # and be changed
        return super().shown(coder, value, depth)

    def truth(self, proxy):
        return True

    def refuse_replacement(self, name):
        if name not in self.run.refused:
            self.run.refused.add(name)
            self.run.complain({"test": self.run.test, "line": self.run.line(), "message": f"{name} {STAYS}"})
        super().refuse_replacement(name)

    def refuse_descent(self, name):
        if self.run.asked or Anything.touched:  # else it is a fault
            self.run.note_elsewhere(f"a class of the test's can't descend from {name}, which is the agent's and stays in its cell: no agent passes that comes to this")
        super().refuse_descent(name)


class DryRun(Run):
    """A run without an agent, which finds out what one will be asked, and what no agent can mend: the author's own code
    fails before it asks anything, or takes more than half of the time that a test has."""

    raises, in_all = any_raises, float("inf")

    def __init__(self, host, task, seconds):
        self.watched = {} if task.is_plain else watch(task.library, self.note_evaluated)
        watch_measures({name.split(".")[0] for name in task.library}, self.note_measured)
        super().__init__(host, 0, task, seconds)
        self.peer = DryPeer(self)
        self.requests, self.is_foreseen, self.count, self.size = [], True, 0, 0
        self.suspicions, self.test, self.trusting, self.untold = Suspicions(task.shown), None, {}, {}
        self.files, self.elsewhere = OwnFiles(task.is_plain), {}
        self.refused = set()  # names of Python's library that a test has replaced in vain
        self.has_shown, self.early = False, {}  # an object of the task's to the agent; failures before anything is asked

    def report(self, first):
        """Tells each fault as it is found; what will be asked."""
        Anything.touched = 0
        error, self.scope = self.set_up()
        self.scope |= {name: it for name, it in self.watched.items() if name not in self.scope and name not in self.task.agents_own}
        if error is not None:
            self.doubt(None, error)
        else:
            self.look_up(first)
        for test in range(first, len(self.task.tests) if error is None else 0):
            self.asked, Anything.touched, Anything.decided, self.test = False, 0, 0, test
            self.enter(test)
            self.calls = Calls()
            error = self.carry_out(test, self.scope)
            self.suspicions.end(error)
            if error is not None:
                self.note_elsewhere(self.files.missed(error) if self.asked else None)
                self.doubt(test, error)
        foreseen = self.requests if self.is_foreseen else None
        doubtful = [*self.untold.values(), *self.elsewhere.values(), *self.early.values(), *self.suspicions.flaws()]
        return {"asks": self.count > 0, "foreseen": foreseen, "doubtful": doubtful, "trusting": [*self.trusting.values()]}

    def note_far(self, got, right):
        return False

    def goes_on(self):
        """Where an answer was looked at, a right one may hold, and then the test asks more. What rests on an object is noted as at the test's end."""
        if not (self.asked or Anything.touched):
            return False
        self.suspicions.end(AssertionError())
        Anything()._itself()  # counted, as a loop may end by an assertion alone
        return True

    def suspect(self, symbol, name):
        self.suspicions.note(self.test, self.line(), symbol, name)

    def note_evaluated(self, name):
        self.is_foreseen = False
        message = (
            f"{name} is given what the agent answers: that would do in the judge whatever an agent wants, and the expected values are "
            "there; compare the text, or call a function of the agent's that evaluates it"
        )
        if name.startswith("inspect."):
            message = f"{name} tells the agent's word: a function may show the text of another one; `validate: {{forbid: [...]}}` looks at the file itself"
        self.note_trust(message)

    def note_measured(self, name):
        self.note_trust(f"{name} is of the judge's process, where no agent is; what an agent may take is for `timeout` and `memory` of the task to say")

    def note_trust(self, message):
        self.trusting.setdefault(self.test, {"test": self.test, "line": self.line(), "message": message})

    def note_elsewhere(self, message):
        if message:
            self.elsewhere.setdefault(self.test, {"test": self.test, "line": self.line(), "message": message})

    def line(self):
        """The line of the task's file that is at work."""
        frame = outward(sys._getframe(), lambda frame: frame.f_code.co_filename != TEST_FILE)
        return frame.f_lineno if frame else self.task.line(self.test)

    def doubt(self, test, error):
        """Tells of an exception as a fault if no answer can have brought it about."""
        if isinstance(error, TooMuch):
            self.is_foreseen = False
        elif isinstance(error, Careless):
            self.complain(self.task.fault(test, error))
        elif not self.asked and not Anything.touched:
            self.doubt_early(test, error)
        elif isinstance(error, Misused):
            self.doubt_use(self.task.fault(test, error))

    def doubt_use(self, flaw):
        """Tells of an attribute that is there for no agent: a fault, or a hint where a look at an answer may keep a test from it."""
        if not Anything.decided:
            self.complain(flaw)
        else:
            self.elsewhere.setdefault(flaw["test"], flaw | {"message": f"{flaw['message']}: no agent passes that comes to this"})

    def doubt_early(self, test, error):
        """Tells of an exception before anything is asked: a fault, or a hint where a test before it may keep that away."""
        flaw = self.task.fault(test, error)
        if isinstance(error, CERTAIN) or not self.may_share(test):
            self.complain(flaw)
        else:
            self.early[test] = flaw | {"message": f"{flaw['message']}, before the agent is asked anything: no agent passes, unless a test before this one keeps that away"}

    def may_share(self, test):
        """True if an earlier test can have put an answer where this one finds it."""
        names = {use.name for use in self.task.uses if use.test == test}
        is_possible = self.count > 0 and any(may_hold(self.scope.get(name)) for name in names)
        return is_possible and (test is None or self.has_shown or may_find_remains(self.task, self.scope, test))

    def look_up(self, first):
        """Names that neither the test, setup nor Python defines, and that can't be the agent's, or that it can't know of."""
        told = set()  # each once for setup, and for a test
        for use in self.task.uses:
            is_due = first == 0 if use.test is None else use.test >= first
            if not is_due or (use.test, use.name) in told or type(self.scope.get(use.name)) is not Member:
                continue
            told.add((use.test, use.name))
            flaw = {"test": use.test, "line": use.line}
            if message := self.suspicion(use):
                self.complain(flaw | {"message": f"{use.name} {message}"})
            elif not self.may_know(use.name):
                self.untold.setdefault(use.name, flaw | {"message": f"{use.name} {UNTOLD}"})

    def suspicion(self, use):
        is_function = any(other.is_function for other in self.task.uses if other.name == use.name)
        if not is_function and use.name in sys.stdlib_module_names:
            return "is not defined: import or define it in setup"
        if not is_function and use.name == "pytest":
            return "is not there: raises and approx are without it; instead of a fixture or parameters write a function, or a loop"
        if is_unmistakable(use.name) and not self.is_prompted(use.name):
            return forgotten(use.name)
        return None if self.is_told(use.name) else misspelt(use.name, self.known()) or forgotten(use.name)

    def may_know(self, name):
        """True if an agent may know of a name: the task's files may tell of it, too, and evaluated text may bind it."""
        return self.task.has_files or name in self.task.evaluated or self.is_told(name)

    def is_told(self, name):
        return re.search(rf"\b{name}\b", self.task.shown) is not None

    def is_prompted(self, name):
        return re.search(rf"\b{name}\b", self.task.prompt) is not None

    def known(self):
        """Names that the author may have meant: Python's, setup's, and the functions of the prompt."""
        own = {name for name, value in self.scope.items() if type(value) is not Member and name.isidentifier()}
        return PLAIN_NAMES | own | set(re.findall(r"(\w+)\s*\(", self.task.shown))

    def complain(self, flaw):
        self.host.put(FromJudge.Fault, dumps(flaw).encode())
        self.host.flush()  # the next test may be this process's last

    # -- questions to nobody --

    def carry_out(self, test, scope):
        code = self.task.tests[test]
        return code.rehearse(self) if type(code) is Case else super().carry_out(test, scope)

    def ask(self, kind, request):
        check_size(request, self.task)
        self.note_asked()
        self.note_elsewhere(self.files.named_in(request) if type(request) is str else None)
        if kind in SILENCE:
            self.count, self.is_foreseen = self.count + 1, False  # cases are too large to be asked ahead
            return SILENCE[kind]
        self.count, self.size = self.count + 1, self.size + len(request)
        if self.count > MAX_ASKED or dumps(MARK)[1:-1] in request:
            raise TooMuch
        if self.size > MAX_KEPT:
            self.is_foreseen = False
        if self.is_foreseen:
            self.requests.append((kind.decode(), request))

    def ask_model(self, prompt):
        self.is_foreseen = False
        if type(prompt) is str and MARK not in prompt and len(prompt.encode(errors="replace")) > MAX_PROMPT:
            raise Careless(f"ask_model takes at most {MAX_PROMPT} bytes")
        if type(prompt) is not str and not issubclass(type(prompt), Anything):
            raise Careless(f"ask_model takes text, not {type(prompt).__name__}")
        return Anything()

    def check_share(self, value):
        if not issubclass(type(value), Anything):
            check_share(value)

    def unsendable(self, name, error):
        """Where an answer stands in a question, what that will be can't be told; else no agent will ever be asked it."""
        return TooMuch() if "Anything" in str(error) else Unaskable(f"an argument of {name} {error}")

    def accept(self, peer, coder, label, note, claim):
        return Anything()

    def script(self, args, stdin):
        decided = Anything.decided
        result = super().script(args, stdin)
        Anything.decided = decided  # nothing goes by the note of the call
        return result

    def left(self, payload):
        return Script(AnyText(), AnyText(), Anything())


UNTOLD = "is defined neither in the tests nor in setup, and named neither in the prompt nor in a public test: no agent can know of it"


def misspelt(name, known):
    """Says so if another name is nearly the same."""
    import difflib

    near = difflib.get_close_matches(name, known, 1, 0.85) if len(name) > 4 else []
    return f"is neither Python's nor setup's, and not named in the prompt; did you mean {near[0]}?" if near else None
