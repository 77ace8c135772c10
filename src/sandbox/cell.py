"""The cell's supervisor, PID 1 of the container that agent code runs in.

It never runs agent code itself: it compiles agent.py once and forks a fresh process whenever agent code is
to run. It knows no task, no expected value and no other agent, so there is nothing here worth stealing;
and it is not dumpable, so the processes that share its user can't read, trace or open what is its own.
Whatever a process of the agent says is passed on as a claim.

From the host                                   To the host
  L source        compile this agent              r json     ready
  R json          begin a run                     l json     compiled, or where it does not
  C json          call a function                 v json     the agent's claim: a value or an exception
  S json          run as `python agent.py ...`    s json     stdout, stderr and exit code of a script
  W               tell what the run has had       w json     its CPU time, and its wait for a CPU
  E               end the run                     x json     the agent's process ended meanwhile
  K               end it now, drop what waits     o          the output limit was passed
                                                  e json     the run has ended; what it used
                                                  k json     the same, after K
The end of stdin ends the cell.
"""
import _sitebuiltins
import gc
import select
import warnings
from _collections import deque

# Nothing is imported above that a cell can do without: every file comes through the engine's storage, and each fork
# copies what is there. What agents import most is imported for a source that names it, once, and every fork has it.
WARM = frozenset("""abc argparse bisect collections contextlib copy dataclasses datetime decimal enum fractions functools
    hashlib heapq itertools json math operator random re statistics string textwrap threading typing""".split())
WRITABLE = (HOME, "/dev/shm", "/dev/mqueue")
MARKABLE = [f"/proc/{name}" for name in ("sysvipc/shm", "sysvipc/sem", "sysvipc/msg", "net/dev", "net/snmp", "self/limits")]
STDERR_TAIL = 2000  # bytes kept for people to read
OOM_COUNTERS = (
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
)
MAX_REPLY = MAX_VALUE + 4096
MLOCK_ONFAULT = 1  # reading all of it now would double the time to start
MAX_FRAME = 8 << 20  # what the host accepts


class passing:
    """Lets these errors pass."""

    def __init__(self, *kinds):
        self.kinds = kinds

    def __enter__(self):
        pass

    def __exit__(self, kind, error, trace):
        return kind is not None and issubclass(kind, self.kinds)


class Abandoned(Exception):
    """The host wants the run ended now."""


class Process:
    """One forked process of the agent, and the pipes to it."""

    def __init__(self, main, stdin=None):
        self.is_script = stdin is not None
        inner, self.requests = os.pipe()
        self.replies, replies = os.pipe()
        self.stdout, stdout = os.pipe()
        self.stderr, stderr = os.pipe()
        theirs = (inner, replies, stdout, stderr)
        self.pid = os.fork()
        if self.pid == 0:
            self.become(main, *theirs)
        for descriptor in theirs:
            os.close(descriptor)
        # An agent can open its ends of the pipes for reading, too, and take what this process was told to be there.
        for descriptor in (self.requests, self.replies, self.stdout, self.stderr):
            os.set_blocking(descriptor, False)
        self.wire = Wire(self.replies, None)
        self.feed = memoryview(stdin or b"")
        self.printed = {self.stdout: bytearray(), self.stderr: bytearray()}
        self.status = None

    def become(self, main, inner, replies, stdout, stderr):
        try:
            stdin = inner if self.is_script else os.open(os.devnull, os.O_RDONLY)
            os.dup2(inner, 3, inheritable=False)
            os.dup2(replies, 4, inheritable=False)
            become_agent(stdin, stdout, stderr)
            if self.is_script:
                os.closerange(3, 5)
            leave(main() or 0)
        finally:
            os._exit(1)

    def ask(self, request):
        while self.wire.take(MAX_REPLY) is not None:
            pass  # said while nothing was asked
        self.feed = memoryview(len(request).to_bytes(4, "big") + b"C" + request)

    def write(self):
        """Writes what the process takes; True when there is nothing more to write."""
        try:
            self.feed = self.feed[os.write(self.requests, self.feed) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self.feed = memoryview(b"")
        if self.feed:
            return False
        if self.is_script:
            os.close(self.requests)
            self.requests = None
        return True

    def read(self, descriptor):
        """Reads what has come, if it is still there; False at the end of the stream."""
        try:
            if descriptor == self.replies:
                return self.wire.fill()
            chunk = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return True
        self.printed[descriptor] += chunk
        return bool(chunk)

    def text(self, descriptor):
        return self.printed[descriptor].decode("utf-8", "replace")

    def close(self):
        for descriptor in (self.requests, self.replies, self.stdout, self.stderr):
            if descriptor is not None:
                os.close(descriptor)


class Orders:
    """What the host says. What is to be done later stays out of this process's memory, which the agent's processes
    begin as a copy of: the arguments of a later call may hold what another agent answered to an earlier one."""

    def __init__(self):
        self.shelf, self.end, self.later = os.memfd_create("later"), 0, deque()
        self.waiting = select.poll()
        self.waiting.register(0, select.POLLIN)

    def next(self, before_waiting):
        """The next order, or None at the end of the stream."""
        if self.later:
            kind, length, start = self.later.popleft()
            return kind, os.pread(self.shelf, length, start)
        if not self.waiting.poll(0):
            before_waiting()
        header = exactly(5)
        return header and (header[4:], exactly(int.from_bytes(header[:4], "big")))

    def hear(self):
        """Takes one order that has come, and shelves it unless it is urgent; its kind, or None at the end."""
        if not (header := exactly(5)):
            return None
        kind, length = header[4:], int.from_bytes(header[:4], "big")
        if kind not in (b"K", b"W"):
            self.shelve(kind, length)
        return kind

    def shelve(self, kind, length):
        if not self.later:
            os.ftruncate(self.shelf, 0)
            self.end = 0
        self.later.append((kind, length, self.end))
        while length:
            moved = os.splice(0, self.shelf, length, offset_dst=self.end)
            self.end, length = self.end + moved, length - moved
            if not moved:
                os._exit(0)  # the host is gone


def exactly(length):
    """So many bytes of stdin and none that follow; fewer at its end."""
    data = bytearray()
    while len(data) < length and (chunk := os.read(0, length - len(data))):
        data += chunk
    return bytes(data)


class Supervisor:
    def __init__(self):
        self.host, self.orders = Wire(None, 1), Orders()
        self.wake, wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # PID 1 ignores what it has no handler for
        self.code, self.source, self.process = None, b"", None
        self.surroundings = surroundings()
        self.ooms = oom_kills()
        self.begin(b'{"prompt": "", "output": 0}')

    def serve(self):
        self.say(b"r", {"python": sys.version.split()[0]})
        steps = {b"L": self.load, b"R": self.begin, b"C": self.call, b"S": self.script, b"W": self.weigh, b"E": self.end, b"K": self.kill}
        while frame := self.orders.next(self.host.flush):
            try:
                steps[frame[0]](frame[1])
            except Abandoned:
                self.kill()

    def hear(self):
        """Takes what the host says while agent code is running."""
        kind = self.orders.hear()
        if kind is None:
            os._exit(0)  # the host is gone; the kernel ends what else runs here
        if kind == b"K":
            self.orders.later.clear()
            raise Abandoned
        if kind == b"W":
            self.weigh()
            self.host.flush()

    def say(self, kind, content):
        self.host.put(kind, dumps(content).encode())

    # -- one method per frame --

    def load(self, source):
        self.source = source
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.code = compile(source.decode("utf-8-sig"), AGENT, "exec", dont_inherit=True)
        except SyntaxError as error:
            return self.say(b"l", {"line": error.lineno, "message": str(error.msg)})
        except (ValueError, OverflowError, RecursionError, MemoryError) as error:
            return self.say(b"l", {"line": None, "message": f"{type(error).__name__}: {error}".rstrip(": ")})
        for name in sorted(WARM.intersection(names(self.code))):
            __import__(name)
        gc.freeze()  # forked processes then share these pages
        self.say(b"l", {})

    def begin(self, settings):
        settings = loads(settings)
        self.prompt, self.output = settings["prompt"], settings["output"]
        self.cpu, self.rss, self.printed, self.tail = 0.0, 0, 0, b""
        self.cpu_before = cpu_time()

    def call(self, request):
        if self.process is None:
            self.start(lambda: serve_calls(self.code, self.prompt))
        try:
            self.process.ask(request)
            claim = self.watch(lambda: self.process.wire.take(MAX_REPLY))
        except OverflowError:
            self.stop()
            return self.host.put(b"o")
        if claim is not None:
            return self.host.put(b"v", claim[1])
        self.say(b"x", {"code": os.waitstatus_to_exitcode(self.process.status), "oom_kills": self.new_ooms()})
        self.stop()

    def script(self, request):
        request = loads(request)
        self.stop()
        self.start(lambda: run_script(self.code, request["argv"]), request["stdin"].encode("utf-8", "surrogatepass"))
        try:
            self.watch(lambda: None)
        except OverflowError:
            self.stop()
            return self.host.put(b"o")
        ended = self.process
        code = os.waitstatus_to_exitcode(ended.status)
        if code == -signal.SIGKILL and (ooms := self.new_ooms()):
            self.say(b"x", {"code": code, "oom_kills": ooms})
        else:
            left = {"stdout": ended.text(ended.stdout), "stderr": ended.text(ended.stderr), "code": code}
            left = dumps(left).encode()
            self.host.put(b"s", left) if len(left) <= MAX_FRAME else self.host.put(b"o")
        self.stop()

    def weigh(self, _=None):
        waited = 0 if self.process is None else cpu_wait(self.process.pid)
        self.say(b"w", {"cpu_ms": round((cpu_time() - self.cpu_before) * 1000), "waited_ms": round(waited * 1000)})

    def kill(self, _=None):
        self.end(kind=b"k")

    def end(self, _=None, kind=b"e"):
        self.stop()
        used = {"cpu_ms": round(self.cpu * 1000), "max_rss_kib": self.rss}
        stderr = self.tail[-STDERR_TAIL:].decode("utf-8", "replace")
        clean = tidy() and surroundings() == self.surroundings
        self.say(kind, {**used, "stderr": stderr, "oom_kills": self.new_ooms(), "clean": clean})

    # -- what they share --

    def start(self, main, stdin=None):
        self.write_agent()
        self.host.flush()
        self.process = Process(main, stdin)

    def write_agent(self):
        # Only a program that opens its own file needs it there; whoever spoilt its place has the loss.
        with passing(OSError):
            os.unlink(AGENT)
        with passing(OSError), open(AGENT, "xb") as file:
            file.write(self.source)

    def watch(self, reply):
        """Serves the pipes until `reply` gives something or the process has ended; OverflowError if it prints too much."""
        process, poll = self.process, select.poll()
        for descriptor in (0, self.wake, process.replies, process.stdout, process.stderr):
            poll.register(descriptor, select.POLLIN)
        poll.register(process.requests, select.POLLOUT)
        while True:
            ended = process.status is not None
            events = poll.poll(0 if ended else None)
            for descriptor, _ in events:
                self.serve_pipe(process, poll, descriptor)
            if (frame := reply()) is not None:
                return frame
            if ended and not any(descriptor in process.printed for descriptor, _ in events):
                return None

    def serve_pipe(self, process, poll, descriptor):
        if descriptor == 0:
            self.hear()
        elif descriptor == self.wake:
            with passing(BlockingIOError):
                os.read(self.wake, 1 << 12)
            self.reap(os.WNOHANG)
            if process.status is not None:
                self.stop_processes()  # its children must not hold the pipes open
        elif descriptor == process.requests:
            if process.write():
                poll.unregister(descriptor)
        elif not process.read(descriptor):
            poll.unregister(descriptor)
        elif self.printed + sum(map(len, process.printed.values())) > self.output:
            raise OverflowError

    def reap(self, options):
        """Collects ended processes; with options 0, all of them."""
        with passing(ChildProcessError):
            while (found := os.wait4(-1, options))[0]:
                pid, status, used = found
                self.cpu += used.ru_utime + used.ru_stime
                self.rss = max(self.rss, used.ru_maxrss)
                if self.process is not None and pid == self.process.pid:
                    self.process.status = status

    def new_ooms(self):
        before, self.ooms = self.ooms, oom_kills()
        return self.ooms - before

    def stop_processes(self):
        with passing(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # as PID 1: everything in the cell but this process
        self.reap(0)

    def stop(self):
        """Ends all agent code; nothing of it runs on into what comes next."""
        self.stop_processes()
        if self.process is None:
            return
        process, self.process = self.process, None
        self.printed += sum(map(len, process.printed.values()))
        self.tail += process.printed[process.stderr][-STDERR_TAIL:]
        process.close()


def names(code):
    """All names that code uses and does not keep for itself."""
    yield from code.co_names
    for constant in code.co_consts:
        if type(constant) is type(code):
            yield from names(constant)


def oom_kills():
    """How often the kernel has killed in this cell for lack of memory: a hint; the engine's record decides."""
    for path in OOM_COUNTERS:
        with passing(OSError), open(path) as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def cpu_time():
    """Seconds of CPU that this cell has had, by the kernel's account."""
    with passing(OSError), open("/sys/fs/cgroup/cpuacct/cpuacct.usage") as file:
        return int(file.read()) / 1e9
    with passing(OSError), open("/sys/fs/cgroup/cpu.stat") as file:
        return int(file.readline().split()[1]) / 1e6
    return 0.0


def cpu_wait(pid):
    """The longest that a thread of the process has been ready to run without a CPU to run on, in seconds."""
    longest = 0
    with passing(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with passing(OSError), open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                longest = max(longest, int(file.read().split()[1]))
    return longest / 1e9


def tidy():
    """Empties what agents can write to; False if something stays, and then this cell is used no more."""
    try:
        for entry in (entry for folder in filter(os.path.isdir, WRITABLE) for entry in os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                return False  # walking what an agent built is not worth it: a fresh cell is cheaper
            os.unlink(entry.path)
        return True
    except OSError:
        return False


def surroundings():
    """What else an agent can leave a mark on: System V memory, semaphores and queues, the counters of the network,
    and the limits and the priority of this process, which all that it forks inherits. None if even that is spoilt."""
    try:
        return [*map(content, MARKABLE), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), os.sched_getaffinity(0)]
    except OSError:
        return None


def content(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def hold_code():
    """Keeps what is used of the interpreter's own code in memory. When memory runs out the kernel would drop those pages
    first and read them back, over and over, for many seconds before it ends what took the rest."""
    if (mlock := getattr(libc, "mlock2", None)) is None:
        return
    with passing(OSError), open("/proc/self/maps") as maps:
        for area, rights, *_, name in (line.split() for line in maps):
            if "x" in rights and name.startswith("/"):
                start, end = (int(number, 16) for number in area.split("-"))
                mlock(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MLOCK_ONFAULT)


os.chdir(HOME)
hold_code()
prctl(PR_SET_DUMPABLE, 0)
fence_in(prctl)
builtins.exit, builtins.quit = (_sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)") for name in ("exit", "quit"))
builtins.copyright = _sitebuiltins._Printer("copyright", sys.copyright)
builtins.help = _sitebuiltins._Helper()
gc.freeze()
Supervisor().serve()
