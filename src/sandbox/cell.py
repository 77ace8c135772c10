"""The cell's supervisor, PID 1 of the container that agent code runs in.

It never runs agent code itself: it has agent.py compiled once and forks a fresh process whenever agent code is
to run. It knows no task, no expected value and no other agent, so there is nothing here worth stealing;
and it is not dumpable, so the processes that share its user can't read, trace or open what is its own.
Whatever a process of the agent says is passed on as a claim.

From the host                                   To the host
  L source        compile this agent              r json     ready
  R json          begin a run                     l json     compiled, or where it does not
  C json          call a function                 v json     the agent's claim: a value or an exception
  S json          run as `python agent.py ...`    s i32 u32 ...   exit code and stdout, with its length, and stderr of a script
  W               tell what the run has had       w json     its CPU time, and its wait for a CPU
  E               end the run                     x json     the agent's process ended meanwhile
  K               end it now, drop what waits     o          the output limit was passed
  B frames        do all this, one by one         e u32 json stderr   the run has ended; what it used
                                                  k json     the same, after K
The end of stdin ends the cell.
"""
import _sitebuiltins
import gc
import select

# Nothing is imported above that a cell can do without: every file comes through the engine's storage, and each fork
# copies what is there.
WRITABLE = (HOME, "/dev/shm", "/dev/mqueue")
MARKABLE = [f"/proc/{name}" for name in ("sysvipc/shm", "sysvipc/sem", "sysvipc/msg", "net/dev", "net/snmp", "self/limits")]
CPU_ACCOUNTS = ("/sys/fs/cgroup/cpuacct/cpuacct.usage", "/sys/fs/cgroup/cpu.stat")
STDERR_TAIL = 2000  # bytes kept for people to read
OOM_COUNTERS = (
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
)
MLOCK_ONFAULT = 1  # reading all of it now would double the time to start
MAX_SCRIPT = (8 << 20) - 8  # what the host accepts


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


class Orders:
    """What the host says. What is to be done later stays out of this process's memory, which the agent's processes
    begin as a copy of: the arguments of a later call may hold what another agent answered to an earlier one."""

    def __init__(self):
        self.shelf, self.begin, self.end = os.memfd_create("later"), 0, 0
        self.waiting = select.poll()
        self.waiting.register(0, select.POLLIN)

    def next(self, before_waiting):
        """The next order, or None at the end of the stream."""
        while self.begin == self.end:
            if not self.waiting.poll(0):
                before_waiting()
            header = exactly(5)
            length = int.from_bytes(header[:4], "big")
            if header[4:] != b"B":
                return header and (header[4:], exactly(length))
            self.shelve(length)
        header = os.pread(self.shelf, 5, self.begin)
        length = int.from_bytes(header[:4], "big")
        self.begin += 5 + length
        return header[4:], os.pread(self.shelf, length, self.begin - length)

    def hear(self):
        """Takes one order that has come, and shelves it unless it is urgent; its kind, or None at the end."""
        if not (header := exactly(5)):
            return None
        kind, length = header[4:], int.from_bytes(header[:4], "big")
        if kind not in (b"K", b"W"):
            self.shelve(length, b"" if kind == b"B" else header)
        return kind

    def shelve(self, length, header=b""):
        if self.begin == self.end:
            self.drop()
        self.end += os.pwrite(self.shelf, header, self.end)
        while length:
            count = os.splice(0, self.shelf, length, offset_dst=self.end)
            self.end, length = self.end + count, length - count
            if not count:
                os._exit(0)  # the host is gone

    def drop(self):
        self.begin = self.end = 0
        os.ftruncate(self.shelf, 0)


class Supervisor:
    def __init__(self):
        self.host, self.orders = Outbox(), Orders()
        self.wake, wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # PID 1 ignores what it has no handler for
        self.source, self.codes, self.module, self.process = b"", (), None, None
        self.ooms, self.marks, self.folders = opened(OOM_COUNTERS), opened(MARKABLE), opened(WRITABLE)
        self.cpu_account = opened(CPU_ACCOUNTS)[:1]
        self.surroundings = surroundings(self.marks)
        self.oom_kills = oom_kills(self.ooms)
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
            self.orders.drop()
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
            self.codes = compiled(source)
        except Refused as refusal:
            line, message = refusal.args
            return self.say(b"l", {"line": line, "message": message})
        warm_up(self.codes)
        self.module = made_ahead(self.codes[0])
        gc.freeze()  # forked processes then share these pages
        self.say(b"l", {})

    def begin(self, settings):
        settings = loads(settings)
        self.prompt, self.output = settings["prompt"], settings["output"]
        self.cpu, self.rss, self.printed, self.told = 0.0, 0, 0, 0
        self.cpu_before = cpu_time(self.cpu_account)

    def call(self, request):
        if self.process is None:
            self.start(self.serve_calls)
        try:
            self.process.ask(request)
            claim = self.watch(self.process.take)
        except OverflowError:
            self.stop()
            return self.host.put(b"o")
        if claim is not None:
            return self.host.put_files(b"v", b"", (self.host.claim, 0, self.process.length))
        self.say(b"x", {"code": os.waitstatus_to_exitcode(self.process.status), "oom_kills": self.new_ooms()})
        self.stop()

    def script(self, request):
        request = loads(request)
        self.stop()
        self.start(lambda: run_script(self.codes, request["argv"]), request["stdin"].encode("utf-8", "surrogatepass"))
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
            stdout, stderr = ended.part(ended.stdout), ended.part(ended.stderr)
            head = struct.pack(">iI", code, stdout[2])
            self.host.put_files(b"s", head, stdout, stderr) if ended.size() <= MAX_SCRIPT else self.host.put(b"o")
        self.stop()

    def weigh(self, _=None):
        waited = 0 if self.process is None else cpu_wait(self.process.pid)
        self.say(b"w", {"cpu_ms": round((cpu_time(self.cpu_account) - self.cpu_before) * 1000), "waited_ms": round(waited * 1000)})

    def kill(self, _=None):
        self.end(kind=b"k")

    def end(self, _=None, kind=b"e"):
        self.stop()
        used = {"cpu_ms": round(self.cpu * 1000), "max_rss_kib": self.rss}
        ooms = self.new_ooms()
        clean = tidy(self.folders) and surroundings(self.marks) == self.surroundings
        if ooms or not clean:
            self.orders.drop()  # nothing more is to run here
        used = dumps({**used, "oom_kills": ooms, "clean": clean}).encode()
        told = min(self.told, STDERR_TAIL)
        self.host.put_files(kind, len(used).to_bytes(4, "big") + used, (self.host.stderr, self.told - told, told))

    # -- what they share --

    def start(self, main, stdin=None):
        self.write_agent()
        self.host.flush()
        self.process = Process(main, self.host, self.told, stdin)
        for descriptor in (0, self.wake):
            self.process.poll.register(descriptor, select.POLLIN)

    def serve_calls(self):
        if self.module is None:
            return serve_calls(new_module("agent"), self.codes, self.prompt)
        return serve_calls(self.module, self.codes[1:], self.prompt)

    def write_agent(self):
        # Only a program that opens its own file needs it there; whoever spoilt its place has the loss.
        with passing(OSError):
            os.unlink(AGENT)
        with passing(OSError):
            file = os.open(AGENT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                os.write(file, self.source)
            finally:
                os.close(file)

    def watch(self, reply):
        """Serves the pipes until `reply` gives something or the process has ended; OverflowError if it prints too much."""
        process = self.process
        while True:
            ended = process.status is not None
            events = process.poll.poll(0 if ended else None)
            for descriptor, _ in events:
                self.serve_pipe(process, descriptor)
            if (frame := reply()) is not None:
                return frame
            if ended and not any(descriptor in process.printed for descriptor, _ in events):
                return None

    def serve_pipe(self, process, descriptor):
        if descriptor == process.replies or descriptor in process.printed:
            if not process.read(descriptor):
                process.poll.unregister(descriptor)
            elif self.printed + process.size() > self.output:
                raise OverflowError
        elif descriptor == process.requests:
            if process.write():
                process.poll.unregister(descriptor)
        elif descriptor == 0:
            self.hear()
        elif descriptor == self.wake:
            with passing(BlockingIOError):
                os.read(self.wake, 1 << 12)
            self.reap(os.WNOHANG)
            if process.status is not None:
                self.stop_processes()  # its children must not hold the pipes open

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
        before, self.oom_kills = self.oom_kills, oom_kills(self.ooms)
        return self.oom_kills - before

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
        self.printed += process.size()
        self.told = process.printed[process.stderr][2]
        process.close()


def opened(paths):
    """Descriptors of those files and folders that are there: reading one again is much cheaper than opening it."""
    descriptors = []
    for path in paths:
        with passing(OSError):
            descriptors.append(os.open(path, os.O_RDONLY))
    return descriptors


def content(descriptor):
    return os.pread(descriptor, 1 << 16, 0)


def oom_kills(counters):
    """How often the kernel has killed in this cell for lack of memory: a hint; the engine's record decides."""
    for words in (line.split() for counter in counters for line in content(counter).splitlines()):
        if words[0] == b"oom_kill":
            return int(words[1])
    return 0


def cpu_time(account):
    """Seconds of CPU that this cell has had, by the kernel's account."""
    for words in map(bytes.split, map(content, account)):
        return int(words[0]) / 1e9 if len(words) == 1 else int(words[1]) / 1e6
    return 0.0


def cpu_wait(pid):
    """The longest that a thread of the process has been ready to run without a CPU to run on, in seconds."""
    longest = 0
    with passing(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with passing(OSError), open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                longest = max(longest, int(file.read().split()[1]))
    return longest / 1e9


def tidy(folders):
    """Empties what agents can write to; False if something stays, and then this cell is used no more: walking what an
    agent built is not worth it, as a fresh cell is cheaper."""
    try:
        for folder in folders:
            for name in os.listdir(folder):
                os.unlink(name, dir_fd=folder)
        return True
    except OSError:
        return False


def surroundings(marks):
    """What else an agent can leave a mark on: System V memory, semaphores and queues, the counters of the network,
    and the limits and the priority of this process, which all that it forks inherits. None if even that is spoilt."""
    try:
        return [*map(content, marks), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), os.sched_getaffinity(0)]
    except OSError:
        return None


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
