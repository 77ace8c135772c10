"""The judge's supervisor, PID 1 of its container: passes frames between the host and a worker, the process that runs tasks'
Python, and says how that died. It runs nothing of a task itself, so a test can end the worker only; the next order gets a
new one (this text is put after the worker's).
"""
import mmap
import select

TICK = 1  # seconds between two looks at a silent worker
SLEEP = 3  # times its CPU time that a test may sleep, at most
ORDERS = (ToJudge.Learn, ToJudge.DryRun, ToJudge.Grade)
ENDS = (FromJudge.Learnt, FromJudge.DryRan, FromJudge.Done)

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


class Supervisor:
    def __init__(self, seconds):
        self.seconds, self.specs = seconds, {}
        self.host, self.worker = Pipe(0, os.dup(1)), None
        os.dup2(2, 1)  # what a task's author prints must not get between the frames

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

    def pass_on(self, kind, payload):
        if kind == ToJudge.Learn:
            self.specs[loads(payload)["key"]] = payload
        if kind in ORDERS:
            self.busy, self.asked, self.answered, self.asleep, self.overslept = True, 0, 0, 0, False
            if self.worker is None:
                self.start()
            self.fresh, self.used = not self.used, True
            mark(SETUP, False)
        if self.worker is not None:
            self.answered += kind not in ORDERS
            self.worker.put(kind, payload)

    def start(self):
        """A worker that knows all tasks."""
        (its_input, order), (answer, its_output) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for descriptor in (0, order, answer, self.host.writer):
                    os.close(descriptor)
                os.open(os.devnull, os.O_RDONLY)  # in place of what the host says
                with open("/proc/self/oom_score_adj", "w") as score:
                    score.write("1000")  # where memory runs out, it is this process that goes
                Worker(Wire(its_input, its_output), self.specs, self.seconds).serve()
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(its_input)
        os.close(its_output)
        self.worker, self.used = Pipe(answer, order), False

    # -- from the worker --

    def hear(self):
        alive = self.worker.fill()
        while (frame := self.worker.take()) is not None:
            kind = frame[0]
            self.asked += kind in (FromJudge.Question, FromJudge.Fetch, FromJudge.Consult)
            if kind == FromJudge.Result:
                self.asleep = 0
            self.busy = kind not in ENDS
            self.host.put(*frame)
        if not alive:
            self.bury()

    def look(self):
        """Ends a worker that sleeps too long while nobody else's answer is waited for."""
        with open(f"/proc/{self.pid}/stat") as stat:
            state = stat.read().rpartition(")")[2].split()[0]
        if state == "Z":
            return self.bury()  # a child of its own holds the pipe
        self.asleep += TICK * (state != "R" and self.answered >= self.asked)
        if self.asleep > SLEEP * self.seconds:
            self.overslept = True
            os.kill(self.pid, signal.SIGKILL)

    def bury(self):
        """Tells how the worker died, and ends what it left."""
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = os.waitpid(self.pid, 0)[1]
        for descriptor in (self.worker.reader, self.worker.writer):
            os.close(descriptor)
        self.worker = None
        if self.busy:
            test, asked = struct.unpack("<ii", PLACE[:])
            cause, how = self.cause(status)
            death = {"test": None if test == SETUP else test, "asked": bool(asked), "fresh": self.fresh, "cause": cause, "how": how}
            self.host.put(FromJudge.Died, dumps(death).encode())

    def cause(self, status):
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        if self.overslept:
            return "sleep", ""
        if number == signal.SIGPROF:
            return "time", ""
        if number == signal.SIGKILL:
            return "memory", ""
        return "end", f"signal {number}" if number else f"exit code {os.WEXITSTATUS(status)}"
