"""Failed assertions of a test: each fails the test, wherever it fails, unless what the author wrote handles it. One that an agent, a pool
or an event loop keeps to itself could else be tried until it holds (this text is put before agent_objects.py).
"""


class Failures:
    """Assertions that have failed since an agent had given its test anything, and that nothing of the test's has handled."""

    MOST = 1000  # at once; the test fails by any of them

    def __init__(self):
        self.peer, self.unhandled = None, {}

    def begin(self, peer):
        """Begins a test of a run."""
        self.peer, self.unhandled = peer, {}

    def first(self):
        return next(iter(self.unhandled.values()), None)

    def failed(self, *message):
        """The exception that an assertion raises."""
        return self.noted(AssertionError(*message))

    def noted(self, error):
        is_due = self.peer.has_given and self.peer.is_failure(error) and len(self.unhandled) < self.MOST
        if is_due and not is_told_by_unittest():
            self.unhandled.setdefault(id(error), error)
        return error

    def __contains__(self, error):
        return id(error) in self.unhandled

    def handle(self, error):
        """Takes note that the test itself has handled an exception, or a group of some."""
        self.unhandled.pop(id(error), None)
        for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            self.handle(one)


FAILURES = Failures()


def is_told_by_unittest():
    """True within what the test itself has unittest do, such as run a suite: that tells the test what has failed."""
    frame = sys._getframe(1)
    while (caller := frame.f_back) is not None:
        home = frame.f_globals.get("__name__", "")
        is_unittests = home.startswith("unittest.") and home != "unittest.mock"
        if is_unittests and (caller.f_code.co_filename == TEST_FILE or caller.f_code is HEARD):
            return True
        frame = caller
    return False


def heard(check):
    """A function that asserts something, as its name says, and whose failure is noted."""

    def call(*args, **named):
        try:
            return check(*args, **named)
        except AssertionError as error:
            raise FAILURES.noted(error)

    return call


HEARD = heard(None).__code__  # called by the test's text alone


class Handling:
    """An `except` of the test's: what it lets pass, or raises anew, is not handled."""

    def __enter__(self):
        self.error = sys.exception()

    def __exit__(self, kind, error, _):
        if error is not self.error:
            FAILURES.handle(self.error)


class Managed:
    """A context manager that may handle an exception, or assert something."""

    def __init__(self, manager):
        self.manager = manager

    def __enter__(self):
        return type(self.manager).__enter__(self.manager)

    def __exit__(self, kind, error, trace):
        return self.left(error, heard(type(self.manager).__exit__)(self.manager, kind, error, trace))

    async def __aenter__(self):
        return await type(self.manager).__aenter__(self.manager)

    async def __aexit__(self, kind, error, trace):
        return self.left(error, await type(self.manager).__aexit__(self.manager, kind, error, trace))

    def left(self, error, is_handled):
        if is_handled:
            FAILURES.handle(error)
        return is_handled


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
