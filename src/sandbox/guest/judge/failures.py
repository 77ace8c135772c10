"""Failed assertions of a test: each fails the test, wherever it fails, unless what the author wrote handles it. One that an agent, a pool
or an event loop keeps to itself could else be tried until it holds (this text is put before agent_objects.py).
"""
import collections

__unittest = True  # so unittest's tracebacks are without frames of ours


class Failures:
    """Assertions that have failed since an agent had given its test anything, and that nothing of the test's has handled."""

    MOST = 1000  # at once; the test fails by any of them

    def __init__(self):
        self.peer, self.unhandled = None, {}
        self.explanations = collections.deque(maxlen=self.MOST)  # of the run's

    def begin(self, peer):
        """Begins a test of a run."""
        if peer is not self.peer:
            self.explanations.clear()
        self.peer, self.unhandled = peer, {}
        if any(name.partition(".")[0] == "unittest" for name in peer.run.task.library):
            listen_to_unittest()

    def told(self, *compared):
        """The message of a comparison that does not hold. Plain Python has none, so a test may hand on the text of its AssertionError."""
        self.explanations.append(text := comparison(*compared))
        return text

    def told_none(self, value):
        """The message, if any, of an assertion about what a call has returned: None, as of a helper that asserts by itself, holds for nobody."""
        if value is not None:
            return ()
        self.explanations.append(text := f"None {DOES_NOT_HOLD}")
        return (text,)

    def untold(self, word):
        """A word to the agent without these messages, which tell what is right."""
        told = sorted(self.explanations, key=len, reverse=True) if DOES_NOT_HOLD in word else ()
        for text in (form for text in told for form in (text, repr(text)[1:-1])):
            word = word.replace(dumps(text)[1:-1], "")
        return word

    def first(self):
        """The first that is still unhandled at the end of a test."""
        for error in forgotten_errors():
            self.ended(error)
        return next(iter(self.unhandled.values()), None)

    def failed(self, *message):
        """The exception that an assertion raises."""
        return self.noted(AssertionError(*message))

    def raising(self, raised):
        """The exception, or its class, of a `raise` of the test's. An AssertionError is noted."""
        kind = raised if issubclass(type(raised), type) else type(raised)
        if is_stand_in(raised) or not issubclass(kind, AssertionError):
            return raised
        return self.noted(raised if kind is not raised else kind())

    def noted(self, error):
        is_due = self.peer.has_given and self.peer.is_failure(error) and len(self.unhandled) < self.MOST
        if is_due:
            self.unhandled.setdefault(id(error), error)
        return error

    def certain(self, error):
        """The exception at which every call of a function ends. If it is the agent that has called it, there is nothing to guess."""
        if is_called_by_agent(sys._getframe(1)):
            self.handle(error)
            self.peer.certain.add(error)
        return error

    def __contains__(self, error):
        return id(error) in self.unhandled

    def ended(self, error, is_threads=False):
        """Takes note of an exception, if any, that has ended a thread, or a function of the test's in a pool or loop: one of the agent's
        keeps it from what would be asserted, now or later."""
        is_due = error in self.peer.agents_errors and (is_threads or any(frames_of_test(error)))
        if is_due and len(self.unhandled) < self.MOST:
            self.unhandled.setdefault(id(error), error)

    def handle(self, error):
        """Takes note that the test itself has handled an exception, or a group of some."""
        self.unhandled.pop(id(error), None)
        for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            self.handle(one)


FAILURES = Failures()


def forgotten_errors():
    """The exceptions of tasks of event loops that nobody has asked for."""
    tasks = sys.modules.get("asyncio.tasks")
    for task in tuple(tasks._all_tasks) if tasks else ():
        if task.done() and getattr(task, "_log_traceback", False):
            yield task._exception


def listen_to_unittest():
    """Has unittest say what it catches in its cases and by `assertRaises`: it tells the test of that. An event loop that runs in a case
    tells neither."""
    from unittest import case

    if hasattr(case, "_is_heard"):
        return
    case._is_heard = True
    part, catch = case._Outcome.testPartExecutor, case._AssertRaisesContext.__exit__
    case._Outcome.testPartExecutor = lambda *args, **named: OfUnittest(part(*args, **named))

    def caught(self, kind, error, trace):
        is_handled = catch(self, kind and stood_for(kind), error, trace)
        return caught_by_unittest(error, is_handled) if is_called_by_test() else is_handled

    case._AssertRaisesContext.__exit__ = caught


def caught_by_unittest(error, is_handled):
    if is_handled and not is_asked_by_agent():
        FAILURES.handle(error)
    return is_handled


def is_called_by_test():
    """True if it is the test's text that has called unittest, and not an event loop that an agent has told to."""
    frame = outward(sys._getframe(1), lambda frame: is_ours(frame) or "__unittest" in frame.f_globals)
    return frame is not None and frame.f_code.co_filename == TEST_FILE


def is_asked_by_agent():
    """True within what an agent has asked a test's object for: what a TestCase catches there is told to the agent."""
    return outward(sys._getframe(1), lambda frame: not performs(frame)) is not None


def is_called_by_agent(frame):
    """True for the frame of a function that nothing of the test's has called."""
    caller = outward(frame.f_back, lambda frame: is_ours(frame) and not performs(frame))
    return caller is not None and performs(caller)


def performs(frame):
    """True for the frame that does what an agent has asked for."""
    return frame.f_code is TestPeer.perform.__code__


def is_ours(frame):
    return frame.f_code.co_filename == OUR_FILE


def frames_of_test(error):
    """The frames of the test's that an exception came through."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == TEST_FILE:
            yield trace.tb_frame
        trace = trace.tb_next


def outward(frame, is_passed):
    """The first frame that is not passed over, from this one to its callers; None where a thread begins."""
    while frame is not None and is_passed(frame):
        frame = frame.f_back
    return frame


def heard(check):
    """A function that asserts something, as its name says, and whose failure is noted."""

    def call(*args, **named):
        try:
            return check(*args, **named)
        except AssertionError as error:
            raise FAILURES.noted(error)

    return call


def hearing(check):
    """A method that asserts something, as its name says, where it is not called at once, but handed on."""
    return heard(check) if type(check) is types.MethodType else check


class Handling:
    """An `except` of the test's: what it lets pass, or raises anew, is not handled."""

    def __enter__(self):
        self.error = sys.exception()

    def __exit__(self, kind, error, _):
        if error is not self.error:
            FAILURES.handle(self.error)


class Managed:
    """A context manager that may handle an exception, or assert something. Its methods are found as `with` finds them."""

    def __init__(self, manager):
        self.manager = manager

    def begin(self, enter, leave, kind):
        try:
            enter, self.leave = special(self.manager, enter), special(self.manager, leave)
        except AttributeError:
            raise TypeError(f"{type(self.manager).__name__!r} object does not support the {kind} protocol") from None
        return enter()

    def __enter__(self):
        return self.begin("__enter__", "__exit__", "context manager")

    def __exit__(self, kind, error, trace):
        return self.left(error, heard(self.leave)(kind, error, trace))

    async def __aenter__(self):
        return await self.begin("__aenter__", "__aexit__", "asynchronous context manager")

    async def __aexit__(self, kind, error, trace):
        return self.left(error, await self.leave(kind, error, trace))

    def left(self, error, is_handled):
        is_handled = is_handled and FAILURES.peer.may_pass_over(error, self.manager)
        if is_handled:
            FAILURES.handle(error)
        return is_handled


class OfUnittest(Managed):
    """The manager by which unittest catches what fails in a part of a case."""

    def left(self, error, is_handled):
        return caught_by_unittest(error, is_handled)


class Asserting(Managed):
    """A context manager of the agent's around assertions: no exception passes for it, not even one that the agent has raised."""

    def left(self, error, is_handled):
        return False


def managed(manager):
    """The context manager of a block; of the agent's, it has no say in what has failed."""
    manager = resolved(manager)
    return manager if issubclass(type(manager), Proxy) else Managed(manager)


def asserting(manager):
    """The context manager of a block that asserts something."""
    manager = resolved(manager)
    return Asserting(manager) if issubclass(type(manager), Proxy) else Managed(manager)
