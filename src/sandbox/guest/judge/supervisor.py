"""The judge's supervisor, PID 1 of its container: passes frames between the host and a worker, the process that runs tasks'
Python, and says how that died. It runs nothing of a task itself, so a test can end the worker only.

A worker that has run a task is ended, with all that it has started and all files that it has made, unless it was a plain one
(plain.py), and before any that is not: the next run's is forked from this process, which no task has been in (this text is put
after the worker's).

Neither is dumpable, and a filter keeps each from the other's limits. The worker is where objects of agents are dealt with: if one of them came by a file or a call of its choice
there, this process, and so what other agents get, would still be out of its reach.
"""
import gc
import itertools
import mmap
import select

TICK = 1  # seconds between two looks at a silent worker
MAX_LEARNING = 10  # times what a test may take, for compiling a task
OVERTIME = 2  # seconds of CPU time that a worker may have beyond what its own clock allows a run
SLEEP = 3  # times its CPU time that a test may sleep, at most
SLEEP_IN_VAIN = 2  # seconds of a test that has asked an agent in a dry run, in which none will do what it may wait for
KEYS = {ToJudge.DryRun: 4, ToJudge.Grade: 8}  # orders to run a task, and where its key stands
ORDERS = (ToJudge.Learn, *KEYS)
LAST = (FromJudge.DryRan, FromJudge.Done)  # words of a worker, which has run a task then
ENDS = (FromJudge.Learnt, *LAST)
ASKING = (FromJudge.Question, FromJudge.Fetch, FromJudge.Consult)  # words that want an answer
WORDS = {  # by the order that they answer; a Compiled and a Kept are dealt with before
    ToJudge.Learn: (FromJudge.Learnt,),
    ToJudge.DryRun: (FromJudge.Fault, FromJudge.Result, *ASKING, FromJudge.DryRan),
    ToJudge.Grade: (FromJudge.Fault, FromJudge.Result, *ASKING, FromJudge.Done),
}

# Shared with the worker, so that it is known where that was when it died: a test, and whether the agent had been asked.
PLACE = mmap.mmap(-1, 8)
SETUP = -1


def mark(test, asked):
    PLACE[:] = struct.pack("<ii", test, asked)


class Pipe(Wire):
    """Frames over descriptors that never block: who reads late must not keep the other side from being heard."""

    def __init__(self, reader, writer):
        super().__init__(reader, writer)
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

    def flush(self):
        try:
            super().flush()
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.outbox.clear()  # its reader has died, which its own pipe will tell


class Sealed:
    """Frames that begin with a secret of the two ends: `/proc/self/fd` leads to their pipes, and what somebody else has written there is
    nobody's word."""

    def __init__(self, reader, writer, seal):
        super().__init__(reader, writer)
        self.seal = seal

    def put(self, kind, payload=b""):
        super().put(kind, self.seal + payload)

    def take(self, limit=MAX_FRAME):
        frame = super().take(limit + len(self.seal))
        if frame is None:
            return None
        kind, payload = frame
        if not payload.startswith(self.seal):
            raise OverflowError("a frame without the seal")
        return kind, payload[len(self.seal) :]


class SealedPipe(Sealed, Pipe):
    """The supervisor's end."""


class SealedWire(Sealed, Wire):
    """The worker's end."""

    def take(self, limit=MAX_FRAME):
        try:
            return super().take(limit)
        except OverflowError:
            os._exit(1)


class Supervisor:
    def __init__(self, seconds):
        self.seconds, self.tasks, self.plain = seconds, {}, set()  # tasks are compiled, but code only in a worker
        self.host, self.worker = Pipe(0, os.dup(1)), None
        self.orders, self.busy = collections.deque(), False  # an order waits for the end of the one before
        os.dup2(2, 1)  # what a task's author prints must not get between the frames
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # by which the kernel keeps it from PID 1

    def serve(self):
        self.host.put(FromJudge.Ready)
        while True:
            for descriptor, happened in self.poll():
                if descriptor == 0 and not self.host.fill():
                    os._exit(0)  # the host is gone
                if self.worker and descriptor == self.worker.reader and happened & ~select.POLLOUT:
                    self.hear()
            while (frame := self.host.take()) is not None:
                self.pass_on(*frame)
            self.begin_next()

    def poll(self):
        """Descriptors that can be read or written; none if a worker was silent for a tick."""
        poll = select.poll()
        for wire in filter(None, (self.host, self.worker)):
            wire.flush()
            poll.register(wire.reader, select.POLLIN)
            if wire.outbox:
                poll.register(wire.writer, select.POLLOUT)
        events = poll.poll(TICK * 1000 if self.worker and self.busy else None)
        if not events:
            self.look()
        return events

    # -- from the host --

    def begin(self, kind, payload):
        self.order, self.is_kept = kind, False
        self.busy, self.asked, self.answered, self.asleep, self.overslept, self.overran = True, 0, 0, 0, False, False
        self.is_plain = kind not in KEYS or payload[KEYS[kind] :].decode() in self.plain
        self.has_asked = kind == ToJudge.Grade and struct.unpack(">I", payload[4:8])[0] > 0  # the agent, in a worker before
        self.provide(not self.is_plain)
        self.used = self.state()[1]
        mark(SETUP, False)
        self.worker.put(kind, payload)

    def begin_next(self):
        if self.orders and not self.busy:
            self.begin(*self.orders.popleft())

    def pass_on(self, kind, payload):
        if kind in ORDERS:
            self.orders.append((kind, payload))
            self.begin_next()
        elif self.worker is not None:
            self.answered += 1
            self.worker.put(kind, payload)

    def provide(self, pristine):
        """Sees to it that there is a worker, and one that has run nothing if it must be."""
        if pristine and self.worker and self.is_used:
            self.busy = False
            self.bury()
            self.busy = True
        if self.worker is None:
            self.start()

    def start(self):
        """A worker that knows all tasks."""
        gc.freeze()  # what both have need not be looked at, nor copied for that
        (its_input, order), (answer, its_output) = os.pipe(), os.pipe()
        seal = os.urandom(16)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for descriptor in (0, order, answer, self.host.writer):
                    os.close(descriptor)
                os.open(os.devnull, os.O_RDONLY)  # in place of what the host says
                signal.signal(signal.SIGINT, signal.default_int_handler)
                libc.prctl(PR_SET_DUMPABLE, 1)
                with open("/proc/self/oom_score_adj", "w") as score:
                    score.write("1000")  # where memory runs out, it is this process that goes
                libc.prctl(PR_SET_DUMPABLE, 0)
                Worker(SealedWire(its_input, its_output, seal), self.tasks, self.seconds).serve()
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(its_input)
        os.close(its_output)
        self.worker, self.is_used, self.is_forged = SealedPipe(answer, order, seal), False, False

    # -- from the worker --

    def hear(self):
        alive = self.worker.fill()
        while (frame := self.said()) is not None:
            kind, payload = frame
            if kind == FromJudge.Compiled and self.order == ToJudge.Learn:
                self.keep(payload)
                continue
            if kind == FromJudge.Kept:
                self.is_kept = self.is_plain  # it is not for a worker to say that what it has run leaves nothing
                continue
            self.asked += kind in ASKING
            self.has_asked |= kind == FromJudge.Question
            if not self.is_due(kind):
                self.is_forged = True
                break
            if kind == FromJudge.Result:
                self.asleep = 0
            self.busy = kind not in ENDS
            self.host.put(kind, payload)
            self.is_used |= kind in LAST
            if kind in LAST and not self.is_kept:
                alive = False
                break  # whatever goes on in a worker that has said this, is nobody's
        if not alive or self.is_forged:
            self.bury()

    def is_due(self, kind):
        """True for a word that answers the order. What fails once an agent was asked is not the author's fault."""
        is_late = kind == FromJudge.Fault and self.order == ToJudge.Grade and self.has_asked
        return kind in WORDS[self.order] and not is_late

    def said(self):
        """The worker's next frame; none where somebody else has written to its pipe."""
        try:
            return self.worker.take()
        except OverflowError:
            self.is_forged = True
            return None

    def keep(self, payload):
        """Keeps a task for the workers to come, and loads the modules that it imports: else each of them would have to."""
        about, _, code = payload.partition(b"\0")
        about = loads(about)
        self.tasks[about["key"]] = code
        if about["plain"]:
            self.plain.add(about["key"])
        for name in about["imports"]:
            load(name)

    def look(self):
        """Ends a worker that sleeps too long while nobody else's answer is waited for."""
        state, used = self.state()
        if state == "Z":
            # It may have said its last word since the tick ended. If not, a child of its own holds the pipe.
            return self.hear() if is_readable(self.worker.reader) else self.bury()
        self.asleep += TICK * (state != "R" and self.answered >= self.asked)
        is_in_vain = self.order == ToJudge.DryRun and PLACE[4]
        if self.asleep > (SLEEP_IN_VAIN if is_in_vain else SLEEP * self.seconds):
            self.overslept = True
            os.kill(self.pid, signal.SIGKILL)
        # Its own clock ends it long before, unless a test has stopped that.
        if used - self.used > self.may_use() + OVERTIME:
            self.overran = True
            os.kill(self.pid, signal.SIGKILL)

    def may_use(self):
        """Seconds of CPU time that a worker may have for its order. A dry run may have its time for each test."""
        if self.order == ToJudge.DryRun:
            return self.seconds * (struct.unpack("<i", PLACE[:4])[0] + 2)
        return self.seconds * (Run.in_all if self.order == ToJudge.Grade else MAX_LEARNING)

    def state(self):
        """The worker's state, as the kernel has it, and the seconds of CPU time that it has had."""
        with open(f"/proc/{self.pid}/stat") as stat:
            state, *numbers = stat.read().rpartition(")")[2].split()
        return state, sum(map(int, numbers[10:12])) / os.sysconf("SC_CLK_TCK")

    def bury(self):
        """Ends a worker and all that it has left; tells how it died, if it has died at work."""
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = reaped()[self.pid]
        for folder in WRITABLE:
            clear(folder)
        for descriptor in (self.worker.reader, self.worker.writer):
            os.close(descriptor)
        self.worker = None
        if self.busy:
            test, asked = struct.unpack("<ii", PLACE[:])
            cause, how = self.cause(status)
            death = {"test": None if test == SETUP else test, "asked": bool(asked) or self.has_asked, "cause": cause, "how": how}
            self.host.put(FromJudge.Died, dumps(death).encode())
            self.busy = False

    def cause(self, status):
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if self.overslept:
            return "sleep", ""
        if self.is_forged:
            return "end", "by words that are not its own"
        if number == signal.SIGPROF or self.overran:
            return "time", ""
        if number == signal.SIGKILL:
            return "memory", ""
        return "end", f"signal {number}" if number else f"exit code {os.WEXITSTATUS(status)}"


WRITABLE = ("/tmp", "/dev/shm", "/dev/mqueue")


def is_readable(descriptor):
    """True if there are bytes to read, or the end of them."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def reaped():
    """Waits for the end of all other processes; their statuses."""
    statuses = {}
    try:
        while True:
            pid, status = os.wait()
            statuses[pid] = status
    except ChildProcessError:
        return statuses


def listed(folder):
    """The names in a folder, which not every engine has."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, PermissionError):
        return []


def clear(folder):
    """Removes all that is in a folder, however deep it lies: what lies deeper comes up first, so no path gets too long."""
    names = listed(folder)
    places = map(str, itertools.count())
    while names:
        path = f"{folder}/{names.pop()}"
        if not opened(path):
            os.unlink(path)
            continue
        for inner in os.listdir(path):
            opened(f"{path}/{inner}")
            name = next(place for place in places if not os.path.lexists(f"{folder}/{place}"))
            os.rename(f"{path}/{inner}", f"{folder}/{name}")
            names.append(name)
        os.rmdir(path)


def opened(path):
    """True for a folder, of which we may do anything then."""
    if is_folder := os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
    return is_folder
