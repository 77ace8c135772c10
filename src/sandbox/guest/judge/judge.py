"""The judge: evaluates the assertions of tasks. Trusted code only; no agent code ever comes here.

An assertion calls the agent's functions by name; each such call goes to the host as a request and comes back as a
claim, which is decoded into exact builtin types and nothing else.

It takes the frames of ToJudge and answers by those of FromJudge. Answers that carry another run's number are passed over.
"""
import gc
import json  # for claims: else each run's process would have to
import marshal
import reprlib
import resource
import signal
import struct




class Brief(reprlib.Repr):
    """Values as messages show them. An object of the agent's is not asked how."""

    thread = None  # that it is at work in

    def repr1(self, value, level):
        if issubclass(type(value), Member):
            return f"<the agent's {member_of(value)[2]}>"
        if issubclass(type(value), Proxy):
            return f"<the agent's {link_of(value).name or type(value).__name__}>"
        if (base := vars(type(value)).get("agents_base")) is not None:
            value = tuple.__new__(base, value) if issubclass(base, tuple) else base.__new__(base, value)
        return super().repr1(value, level)


SMALL = frozenset((int, float, bool, type(None)))
BRIEF = Brief()
BRIEF.maxstring = BRIEF.maxother = 80
BRIEF.maxlong = 40
BRIEF.maxlist = BRIEF.maxtuple = BRIEF.maxset = BRIEF.maxfrozenset = BRIEF.maxdict = 8


def brief(value):
    if type(value) is int and value.bit_length() > 1000:
        return f"<an int of {value.bit_length()} bits>"
    is_small = type(value) in SMALL or type(value) is str and len(value) <= BRIEF.maxlong
    if is_small and len(text := repr(value)) <= BRIEF.maxlong:
        return text  # as it would be below, and most values are such
    outer, BRIEF.thread = BRIEF.thread, _thread.get_ident()
    try:
        return BRIEF.repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
    finally:
        BRIEF.thread = outer


def last_lines(text, most=200):
    """The end of a text: whole lines, unless the last one is too long."""
    if len(text) <= most:
        return text
    line, _, rest = text[-most:].partition("\n")
    return f"...{rest or line}"


READS_INPUT = '; what reads input when the file is run belongs below `if __name__ == "__main__":`'


class Misused(AttributeError):
    """An attribute that an object of the judge's own has for no agent: the mistake is the author's."""


Misused.__name__ = "AttributeError"  # as which a test may catch it


class Script:
    """The outputs and exit code of `python agent.py ...`."""

    def __init__(self, stdout, stderr, returncode):
        self.stdout, self.stderr, self.returncode = stdout, stderr, returncode

    def __getattr__(self, name):
        raise Misused(f"what agent.run(...) gives has no {name}; it has stdout, stderr and returncode")

    def __repr__(self):
        return f"(stdout {brief(self.stdout)}, stderr {brief(last_lines(self.stderr))}, returncode {self.returncode})"


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


# ---- runs ----


class Calls:
    """The last calls of a test, and what came of them, for its message."""

    def __init__(self):
        self.notes = collections.deque(maxlen=3)

    def begin(self, text, is_told=True):
        """The note of a call, which takes what comes of it as it comes."""
        note = [text]
        if is_told:
            self.notes.append(note)
        return note

    def told(self):
        return "; ".join(map(" ".join, self.notes))


class Run:
    """One agent on one task."""

    raises, check_share = raises, staticmethod(check_share)
    in_all = 6  # times what one test may take of CPU time, for all of a run: what an agent returns may make each test dear

    def __init__(self, host, number, task, seconds):
        self.host, self.number, self.task, self.seconds = host, number, task, seconds
        self.calls = Calls()
        self.peer, self.heard = JudgePeer(self), Heard(task)
        self.began = cpu_seconds()
        self.channel, self.is_owed = _thread.RLock(), False  # one question to the host at a time, and whether its answer is to come
        self.asked = False  # the agent, of anything in this run: before, whatever goes wrong is the author's doing

    def grade(self, first):
        """Judges the tests from `first` on. Above 0 it goes on after a worker's death, and nothing is the author's any more:
        a test may rest on what one before it has left in setup's data."""
        self.asked = first > 0
        error, scope = self.set_up()
        if error is not None and not self.asked:
            return self.fault(None, error)
        given_to_setup = self.peer.has_given
        for test in range(first, len(self.task.tests)):
            self.enter(test)
            self.calls = Calls()
            self.peer.begin(given_to_setup)
            raised = first_of(error, lambda: self.carry_out(test, scope), lambda: self.peer.aside, FAILURES.first)
            self.peer.aside = None
            if raised is not None and not self.asked:
                return self.fault(test, raised)
            self.tell(test, *self.verdict(test, raised))

    def approx(self, *values, **bounds):
        """The helper of that name, which tells what is not near; of the right value alone, what equals all that is near to it."""
        if len(values) == 1 and "right" not in bounds:
            return Approx(*values, **bounds)
        return approx(*values, **bounds, note=self.note_far)

    def note_far(self, got, right):
        self.calls.begin(f"{brief(got)} is not nearly {brief(right)}")
        return False

    def enter(self, test):
        """Begins a test, or setup: the kernel ends this process where one takes more CPU time than it may."""
        mark(test, self.asked)
        FAILURES.begin(self.peer)
        left = self.in_all * self.seconds - (cpu_seconds() - self.began)
        signal.setitimer(signal.ITIMER_PROF, max(min(self.seconds, left), SOONEST))

    def set_up(self):
        """Setup's exception, or None, and the names that the tests find."""
        self.enter(SETUP)
        scope = {name: Member(self.peer, None, name) for name in self.task.names - PLAIN_NAMES - {"output"}}
        scope.update(prompt=self.task.prompt, agent=Agent(self), output_of=output_of, __name__="task")
        if self.task.has_raises:
            scope["raises"] = self.raises
        scope |= self.task.helpers
        if "approx" in self.task.helpers:
            scope["approx"] = self.approx
        if self.task.asks_model:
            scope["ask_model"] = self.ask_model
        scope |= {"@resolved": resolved, "@caught": caught, "@told": FAILURES.told, "@none": FAILURES.told_none, "@type": type_of, "@asserting": asserting}
        scope |= {"@failed": FAILURES.failed, "@heard": heard, "@handling": Handling, "@managed": managed, "@raising": FAILURES.raising, "@hearing": hearing}
        scope["@certain"] = FAILURES.certain
        scope |= {"@callable": lambda value: callable(resolved(value)), "@defined": defined, "@issubclass": descends, "@matching": Matching}
        scope |= {"getattr": attribute_or_not} if self.task.hands_getattr else {}
        scope |= {"@attribute": attribute_named, "@getattr": attribute_or_not, "@hasattr": has_attribute, "@setattr": set_attribute}
        scope |= {"@formatting": formatting, "@score": self.check_share, "@message": self.authors_message, "@goes_on": self.goes_on}
        scope |= {"@alone": self.peer.alone, "@raises": raised_by(self.raises), "__file__": "/tmp/task.py"}
        if not self.task.is_plain:
            sys.modules["agent"] = AgentModule(self.peer)
        return execute(self.task.setup, scope), scope

    def carry_out(self, test, scope):
        """Makes a test; what it raised, or None."""
        code = self.task.tests[test]
        return code.carry_out(self) if type(code) is Case else execute(code, self.own(scope))

    def own(self, scope):
        """A test's own names; there, a function that the prompt asks for is the agent's even if Python has one, too."""
        return scope | {name: Member(self.peer, None, name) for name in self.task.agents_own if name not in scope}

    def goes_on(self):
        """True if a test goes on after an assertion that does not hold."""
        return False

    def authors_message(self, message, *compared):
        """The author's message of an assertion that has failed, or both sides of it where the message would ask the agent: an
        answer decides nothing any more, and most runs are made before it is known which assertion fails."""
        return self.unasked(lambda: without_questions(message()), lambda: FAILURES.told(*compared) if compared else "")

    def unasked(self, work, otherwise):
        """The end of some work on a message; of the other where that would ask the agent."""
        line = self.peer.lines.of_thread()
        line.in_message = True
        try:
            return work()
        except Unasked:
            return otherwise()
        finally:
            line.in_message = False

    def fault(self, test, error):
        self.host.put(FromJudge.Fault, dumps(self.task.fault(test, error)).encode())

    def leaves_nothing(self):
        """True if nothing of this run can be in this process when it is over: nothing but plain data has gone either way."""
        return self.task.is_plain and not self.peer.objects and not self.peer.proxies and self.peer.lines.clerk is None

    def tell(self, test, verdict, message=None, share=None):
        result = {"test": test, "verdict": verdict, "message": message, "share": share}
        with self.channel:  # a thread that a test has left may be asking
            self.host.put(FromJudge.Result, dumps(result).encode())
            if not self.host.inbox:
                self.host.flush()  # answers are not waiting: the host may want to know how far this came

    def verdict(self, test, error):
        """The verdict and the message for what a test's code raised."""
        if error is None:
            return ("passed",)
        if type(error) is Worth:
            return ("failed", self.message(f"the score is {error.share!r}"), error.share)
        if type(error) is NoShare:
            return ("error", self.message(said(error)))
        if isinstance(error, Ended):
            return ("ended", self.message(""))
        if isinstance(error, Unusable):
            return ("error", self.message(said(error)))
        if error in self.peer.agents_errors:
            return ("error", self.message(""))
        what = "score" if test in self.task.scores else "assertion"
        if isinstance(error, MemoryError):
            return ("memory", self.message(f"memory ran out in the {what}"))
        if isinstance(error, AssertionError):
            return ("failed", self.message(self.said(error)))
        return ("failed", self.message(f"the {what} raised {type(error).__name__}: {self.said(error)}"))

    def said(self, error):
        return self.unasked(lambda: said(error), lambda: "it has an object of the agent's for its text")

    def message(self, text):
        message = " - ".join(part for part in (text, self.calls.told()) if part)[:900]
        # Half a character, which an agent's text may hold, is no JSON for others.
        return message.encode(errors="replace").decode() or "the assertion does not hold"

    # -- questions to the agent --

    def unsendable(self, name, error):
        return TypeError(f"an argument of {name} {error}")

    def accept(self, peer, coder, label, note, claim):
        """The value of a claim; what else it may be is raised."""
        if "missing" in claim:
            kind, own = self.task.kind_named(label) or "class", claim["missing"]
            hint = f", but it has {own}" if type(own) is str and own != label and own.lower() == label.lower() else ""
            hint += told_exit("; it", claim)
            raise Absent(f"the agent has no {kind} {label}{hint}")
        if "unfit" in claim:
            raise Unusable(f"what {label} returned {shortened(claim['unfit'])}")
        if type(broken := claim.get("broken")) is dict:
            hint = READS_INPUT if broken.get("name") == "EOFError" else ""
            raise Unusable(told_exit("the agent", broken) or f"importing the agent raised {told_error(broken)}{hint}")
        try:
            value = peer.outcome(coder, claim)
        except NotPlain as error:
            note.append("returned what can't be read")
            raise Unusable(f"what {label} returned {error}") from None
        except BaseException as error:
            note.append(f"raised {told_error(claim['raised'])}" if "raised" in claim else f"warned: {said(error)}")
            if error not in peer.errors and error not in FAILURES:  # which a handler of logs may have brought about
                peer.agents_errors.add(error)
            raise
        note.append(f"returned {brief(value)}")
        return value

    def script(self, args, stdin):
        shown = ", ".join(map(brief, args))
        note = self.calls.begin(f"agent.run({shown})")
        try:
            result = self.left(self.ask(ToCell.Script, dumps({"argv": args, "stdin": stdin})))
        except NotPlain as error:
            raise Unusable(f"what agent.run({shown}) printed {error}") from None
        note.append(f"left {result!r}")
        return result

    def left(self, payload):
        code, length = struct.unpack(">iI", payload[:8])
        stdout, stderr = payload[8 : 8 + length], payload[8 + length :]
        return Script(stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"), code)

    def ask(self, kind, request):
        if self.peer.lines.of_thread().in_message or self.peer.is_over:
            raise Unasked
        return self.put_question(kind, request)

    def put_question(self, kind, request):
        check_size(request, self.task)
        self.note_asked()
        payload = self.put(FromJudge.Question, kind + request.encode())
        if not self.task.is_plain:
            self.heard.note()
        if self.task.fills_texts:
            check_templates(payload)
        return payload

    def ask_model(self, prompt):
        """A model's answer to a prompt; the host asks it, within a budget of the judge's own. A prompt that the agent's words have
        made too large, or dear, is the agent's doing."""
        if type(prompt) is not str:
            raise TypeError(f"ask_model takes text, not {type(prompt).__name__}")
        prompt = prompt.encode(errors="replace")
        if len(prompt) > MAX_PROMPT:
            raise Unusable(f"the prompt for ask_model has {len(prompt)} bytes of at most {MAX_PROMPT}")
        advice = self.put(FromJudge.Consult, prompt)
        text = advice[1:].decode()
        self.heard.note()
        if not advice[0]:
            raise Unusable(f"ask_model: {text}")
        self.calls.begin(f"ask_model said {brief(text)}")
        return text

    def fetch(self, test, file):
        """The bytes of a case's input or answer."""
        return self.put(FromJudge.Fetch, dumps({"test": test, "file": file}).encode())

    def note_asked(self):
        self.asked = True
        PLACE[4] = 1

    def put(self, kind, payload):
        """The host's answer to what is put to it now. One that a test gave up, as by an alarm, comes first, and is passed over."""
        with self.channel:
            while self.is_owed:
                self.take_reply()
            self.host.put(kind, payload)
            self.is_owed = True
            return self.take_reply()

    def take_reply(self):
        reply = self.reply()
        self.is_owed = False
        if reply is None:
            raise Ended
        return reply

    def reply(self):
        """The host's next word to this run; None if the agent has ended."""
        while (frame := self.host.wait()) is not None:
            (number,), payload = struct.unpack(">I", frame[1][:4]), frame[1][4:]
            if number != self.number:
                continue
            return None if frame[0] == ToJudge.AgentEnded else payload
        os._exit(0)  # the host is gone


def without_questions(message):
    """A message that needs no answer of the agent's any more."""
    if type(message) is not str:
        said(AssertionError(message))
    return message


def check_size(request, task):
    """Parts that an agent may return can be put together to a question that no frame holds."""
    most = max(MAX_PAYLOAD, max_claim(task.max_value)) - 1
    if len(request) > most:
        raise ValueError(f"the question is too large: {len(request)} bytes of at most {most}")


def told_error(content):
    """An agent's exception in a message."""
    text = f"{shortened(content.get('name'))}: {shortened(content.get('text'))}".removesuffix(": ")
    return f"{text} (agent.py line {content['line']})" if type(content.get("line")) is int else text


def told_exit(who, claim):
    """The end of the agent's import by SystemExit, in a message; nothing where there was none."""
    code = claim.get("exit")
    return f"{who} ended with exit code {code} when it was imported" if type(code) is int and 0 <= code < 256 else ""


def first_of(error, *others):
    """The first exception that is there. The truth of one of the agent's is no matter."""
    for other in others:
        error = other() if error is None else error
    return error


def execute(code, scope):
    """Runs a test's code; what it raised, or None."""
    try:
        exec(code, scope)
    except BaseException as error:
        return error


INTERNAL = (Run, Agent, Script, raises)


SOONEST = 0.001  # seconds; 0 would mean never


def cpu_seconds():
    """CPU time that this process has had."""
    return sum(os.times()[:2])


MAX_GROWTH = 16 << 10  # KiB of memory that runs may leave a worker with


class Worker:
    """The process that runs tasks' Python, as the supervisor orders. It compiles any number of tasks, and runs them until the first
    that may leave something behind in Python: that ends with this process, and is no other run's."""

    def __init__(self, host, tasks, seconds):
        self.host, self.tasks, self.seconds, self.size = host, tasks, seconds, size()

    def serve(self):
        while (frame := self.host.wait()) is not None:
            signal.setitimer(signal.ITIMER_PROF, self.seconds)
            self.obey(*frame)
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.host.flush()

    def obey(self, kind, payload):
        if kind == ToJudge.Learn:
            self.learn(loads(payload))
        elif kind == ToJudge.DryRun:
            (first,), key = struct.unpack(">I", payload[:4]), payload[4:].decode()
            run = DryRun(self.host, self.task(key), self.seconds / 2)
            self.end(run, FromJudge.DryRan, dumps(run.report(first)).encode())
        elif kind == ToJudge.Grade:
            (number, first), key = struct.unpack(">II", payload[:8]), payload[8:].decode()
            run = Run(self.host, number, self.task(key), self.seconds)
            run.grade(first)
            self.end(run, FromJudge.Done)

    def learn(self, spec):
        task = Compiler(spec)
        if not task.flaws:
            self.tasks[spec["key"]] = code = marshal.dumps(task.content())
            about = {"key": spec["key"], "imports": sorted(task.imports), "plain": task.is_plain}
            self.host.put(FromJudge.Compiled, dumps(about).encode() + b"\0" + code)
        learnt = {"flaws": task.flaws, "steady": task.is_steady, "timeless": task.is_timeless}
        self.host.put(FromJudge.Learnt, dumps(learnt).encode())

    def task(self, key):
        CHANCE.begin(key)
        return Task(marshal.loads(self.tasks[key]))

    def end(self, run, kind, payload=b""):
        """Ends a run by its last word; and this process, unless it can be as good as new."""
        run.peer.is_over = True  # threads that tests have left ask nothing any more
        with run.channel:
            self.take_leave(run, kind, payload)

    def take_leave(self, run, kind, payload):
        is_kept = run.leaves_nothing() and size() < self.size + MAX_GROWTH and not any(map(listed, WRITABLE))
        if is_kept:
            self.host.put(FromJudge.Kept)
        self.host.put(kind, payload)
        self.host.flush()
        if not is_kept:
            os._exit(0)
        run.peer.lines.of_thread().is_silent = True
        gc.collect()


def size():
    """The most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(seconds):
    libc.prctl(PR_SET_DUMPABLE, 0)
    filter_judge(libc.prctl)
    gc.enable()
    Supervisor(seconds).serve()
