"""The cell's supervisor, PID 1 of the container that agent code runs in.

It runs no agent code, and no process that does is forked from it: that is the forker's, which has never held a question.
It knows no expected value and no other agent; and it is not dumpable, so the processes that share its user
can't read, trace or open what is its own. Whatever a process of the agent says is passed on as a claim.

It does what the frames of ToCell ask for and tells what came of it by those of FromCell.
The end of stdin ends the cell.
"""
import _sitebuiltins
import gc
import select

# Nothing is imported above that a cell can do without: every file comes through the engine's storage, and each fork
# copies what is there.
WRITABLE = (HOME, "/dev/shm", "/dev/mqueue")
MARKABLE = [f"/proc/{name}" for name in ("sysvipc/shm", "sysvipc/sem", "sysvipc/msg", "net/dev", "net/snmp", "self/limits")]
CHILDREN = ("/proc/1/task/1/children",)
SA_NOCLDSTOP = 1
MLOCK_ONFAULT = 1  # reading all of it now would double the time to start
MAX_SCRIPT = MAX_PAYLOAD - 8


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
    """Orders of the host; several may come at once and wait here."""

    def __init__(self):
        self.shelf, self.urgent = bytearray(), b""
        self.waiting = select.poll()
        self.waiting.register(0, select.POLLIN)

    def next(self, before_waiting):
        """The next order, or None at the end of the stream."""
        while not self.shelf:
            if not self.waiting.poll(0):
                before_waiting()
            kind, payload = self.read()
            if kind != ToCell.Batch:
                return kind and (kind, payload)
            self.shelf += payload
        length = int.from_bytes(self.shelf[:4], "big")
        kind, payload = bytes(self.shelf[4:5]), bytes(self.shelf[5 : 5 + length])
        del self.shelf[: 5 + length]
        return kind, payload

    def hear(self):
        """Takes one order that has come, and shelves it unless it is urgent; its kind, or None at the end."""
        kind, payload = self.read()
        if kind in (ToCell.Kill, ToCell.Weigh, ToCell.Bytes, ToCell.Taken):
            self.urgent = payload
        elif kind:
            self.shelf += payload if kind == ToCell.Batch else framed(kind, payload)
        return kind

    def read(self):
        header = bytes(exactly(5))
        return (header[4:], bytes(exactly(int.from_bytes(header[:4], "big")))) if header else (None, None)

    def drop(self):
        self.shelf.clear()


class Supervisor:
    def __init__(self):
        self.host, self.orders = Outbox(), Orders()
        self.gateway, self.files, self.sockets = Gateway(self.host), Files(), Sockets()
        self.wake, wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        hear_ends_only()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # PID 1 ignores what it has no handler for
        self.source = {}
        self.forker, self.process, self.spoilt, self.rests = None, None, False, False
        self.marks, self.folders, self.children = opened(MARKABLE), opened(WRITABLE), opened(CHILDREN)
        self.surroundings = surroundings(self.marks)
        self.begin(b'{"run": 0, "prompt": "", "output": 0, "value": 0, "cpus": 1}')

    def serve(self):
        self.say(FromCell.Ready, {"python": sys.version.split()[0]})
        steps = {
            ToCell.Load: self.load, ToCell.Files: self.place, ToCell.Begin: self.begin, ToCell.Call: self.call,
            ToCell.Script: self.script, ToCell.Stdin: self.stdin, ToCell.Talk: self.talk,
            ToCell.Weigh: self.weigh, ToCell.End: self.end, ToCell.Kill: self.kill,
            ToCell.Bytes: self.gateway.take_bytes, ToCell.Taken: self.gateway.take_credit,
        }  # fmt: skip
        while frame := self.orders.next(self.rest):
            try:
                steps[frame[0]](frame[1])
            except Abandoned:
                self.end(kind=FromCell.Killed)

    def rest(self):
        """Waits for the host. It is not the agent's turn meanwhile: what works on would be on nobody's clock."""
        self.host.flush()
        if self.process:
            self.signal_group(signal.SIGSTOP)
            self.rests = True

    def signal_group(self, number):
        with passing(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def hear(self):
        """Takes what the host says while agent code is running."""
        kind = self.orders.hear()
        if kind is None:
            os._exit(0)  # the host is gone; the kernel ends what else runs here
        if kind == ToCell.Kill and int.from_bytes(self.orders.urgent, "big") == self.run:
            self.orders.drop()
            raise Abandoned
        if kind == ToCell.Weigh:
            self.weigh()
            self.host.flush()
        elif kind == ToCell.Bytes:
            self.gateway.take_bytes(self.orders.urgent)
        elif kind == ToCell.Taken:
            self.gateway.take_credit(self.orders.urgent)

    def say(self, kind, content):
        self.host.put(kind, dumps(content).encode())

    # -- one method per frame --

    def load(self, order):
        """Makes the forker, while nothing has been asked yet."""
        cpu_seconds, self.source = int.from_bytes(order[:4], "big"), taken_apart(order[4:])
        self.forker = Forker(self.source, cpu_seconds)
        self.account = Account(self.forker.pid)
        told, self.sockets.listener = self.forker.loaded()
        self.say(FromCell.Loaded, told)

    def place(self, pieces):
        self.host.put(FromCell.Placed, self.files.take(pieces).encode())

    def begin(self, settings):
        settings = loads(settings)
        self.run, self.prompt = settings["run"], settings["prompt"]
        self.output, self.value, self.may_exit = settings["output"], settings["value"], settings.get("may_exit", True)
        self.printed, self.told = 0, b""
        self.environment, task = dict(settings.get("model") or {}), settings.get("task")
        self.sockets.begin()
        if self.environment:
            self.gateway.open()
        self.task_program = AGENT
        if task:
            self.environment["AGENTMILL_TASK"] = task
            self.task_program = program_of(task, self.source)
        if self.forker:
            self.account.begin(settings["cpus"])

    def call(self, request):
        try:
            if self.process is None:
                self.start(["--task", self.prompt])
            self.process.ask(request)
            self.wake_up()
            claim = self.watch(self.process.take)
        except OverflowError:
            self.stop()
            return self.host.put(FromCell.OverLimit)
        except ForkerGone:
            return self.tell_exit(None)
        if claim is not None:
            return self.host.put(FromCell.Claim, claim)
        self.tell_exit(os.waitstatus_to_exitcode(self.process.status))
        self.stop()

    def script(self, request):
        request = loads(request)
        self.program(request["argv"], request["stdin"].encode("utf-8", "surrogatepass"))

    def stdin(self, stdin):
        """Runs the task's program on a case's input. Each case may print as much as a run may."""
        self.stop()
        self.printed = 0
        self.program([], stdin, self.task_program)

    def program(self, arguments, stdin, path=AGENT):
        """Runs a script of the agent's to its end."""
        self.stop()
        try:
            self.start(arguments, stdin, path)
            self.watch(lambda: None)
        except OverflowError:
            self.stop()
            return self.host.put(FromCell.OverLimit)
        except ForkerGone:
            return self.tell_exit(None)
        ended = self.process
        code = os.waitstatus_to_exitcode(ended.status)
        if code == -signal.SIGKILL:
            self.tell_exit(code)
        else:
            stdout, stderr = ended.printed[ended.stdout], ended.printed[ended.stderr]
            output = struct.pack(">iI", code, len(stdout)) + stdout + stderr
            fits = ended.size() <= MAX_SCRIPT
            self.host.put(FromCell.Output, output) if fits else self.host.put(FromCell.OverLimit)
        self.stop()

    def talk(self, request):
        """Says something to a script and waits for its next line, or for its end."""
        request = loads(request)
        try:
            if request["start"]:
                self.stop()
                self.printed = 0
                self.start([], b"", self.task_program, is_dialogue=True)
                self.dialogue = Dialogue(self.process)
            self.dialogue.say(request["say"].encode("utf-8", "surrogatepass"), request["close"])
            self.wake_up()
            line = self.watch(self.dialogue.line)
        except OverflowError:
            self.stop()
            return self.host.put(FromCell.OverLimit)
        except ForkerGone:
            return self.tell_exit(None)
        if line is not None:
            return self.host.put(FromCell.Line, heard(True, 0, line))
        code = os.waitstatus_to_exitcode(self.process.status)
        if code == -signal.SIGKILL:
            self.tell_exit(code)
        else:
            stderr = self.process.printed[self.process.stderr]
            self.host.put(FromCell.Line, heard(False, code, self.dialogue.rest(), stderr))
        self.stop()

    def wake_up(self):
        """Lets the agent's processes go on."""
        if self.rests:
            self.signal_group(signal.SIGCONT)
            self.rests = False

    def tell_exit(self, code):
        """Tells that the agent's process is gone; without a code there was none to be had."""
        self.spoilt |= code is None
        self.say(FromCell.Exited, {"code": code})

    def weigh(self, _=None):
        account = self.account.weigh(self.process and self.process.pid)
        ours = max(self.gateway.cpu_ms(), self.sockets.cpu_ms())  # the first is all that this process has had, if it counts
        self.say(FromCell.Account, {**account, "cpu_ms": account["cpu_ms"] + ours})

    def kill(self, run):
        if int.from_bytes(run, "big") == self.run:
            self.end(kind=FromCell.Killed)

    def end(self, _=None, kind=FromCell.Ended):
        self.stop()
        self.gateway.close()
        self.remove_folders()
        self.spoilt |= any(strays(self.children, self.forker.pid))
        tidied = not self.spoilt and self.files.are_whole() and tidy(self.folders, self.files.kept)
        clean = tidied and surroundings(self.marks) == self.surroundings
        if not clean:
            self.orders.drop()  # nothing more is to run here
        used = dumps({**self.account.used(), "clean": clean}).encode()
        self.host.put(kind, len(used).to_bytes(4, "big") + used + self.told)

    # -- what they share --

    def start(self, arguments, stdin=None, path=AGENT, is_dialogue=False):
        self.write_agent()
        self.host.flush()
        purpose = {"argv": [path[len(HOME) + 1 :], *arguments], "environment": self.environment, "value": self.value}
        purpose["files"], purpose["may_exit"] = bool(self.files.kept), self.may_exit
        self.process = Process(self.forker, self.files.workplace, purpose, stdin, is_dialogue)
        for descriptor in (0, self.wake, self.gateway.descriptor(), self.sockets.descriptor()):
            if descriptor is not None:
                self.process.poll.register(descriptor, select.POLLIN)

    def write_agent(self):
        # Only a program that opens its own file needs it there; whoever spoilt its place has the loss.
        for path, content in self.source.items():
            with passing(OSError):
                if path != AGENT:
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                file = new_file(path)
                try:
                    os.write(file, content)
                finally:
                    os.close(file)

    def remove_folders(self):
        """Removes what `write_agent` has put into folders, and these; what else lies there keeps them."""
        inner = [path for path in self.source if os.path.dirname(path) != HOME]
        for path in inner:
            with passing(OSError):
                os.unlink(path)
        for path in inner:
            with passing(OSError):
                while (path := os.path.dirname(path)) != HOME:
                    os.rmdir(path)

    def watch(self, reply):
        """Serves the pipes until `reply` gives something or the process has ended; OverflowError if it prints too much."""
        process = self.process
        while True:
            ended = process.status is not None
            tick = SOCKET_TICK if self.sockets.waiting else SAMPLE
            if not (events := process.poll.poll(0 if ended else tick)) and not ended:
                self.account.sample(process.pid)
            self.sockets.settle()
            for descriptor, event in events:
                self.serve_pipe(process, descriptor, event)
            if (frame := reply()) is not None:
                self.account.look(process.pid)
                return frame
            if ended and not any(descriptor in process.printed for descriptor, _ in events):
                return None

    def serve_pipe(self, process, descriptor, event):
        if descriptor == process.replies or descriptor in process.printed:
            if not process.read(descriptor):
                process.poll.unregister(descriptor)
            elif self.printed + process.size() > self.output:
                raise OverflowError
        elif descriptor in process.feeds:
            if process.write(descriptor):
                process.poll.unregister(descriptor)
        elif descriptor == 0:
            self.hear()
        elif descriptor == self.gateway.descriptor():
            self.gateway.serve()
        elif descriptor == self.sockets.descriptor():
            self.sockets.answer(process.poll, event)
        elif descriptor == self.wake:
            self.hear_wake()
            self.account.sample_last(process.pid)  # while there still is something to read of it
            self.reap()
            if process.status is not None:
                self.stop_processes(process)  # its children must not hold the pipes open

    def reap(self, group=-1, options=os.WNOHANG):
        """Collects ended processes of a group, or of all; without options it waits until none is left."""
        with passing(ChildProcessError):
            while (found := os.wait4(group, options))[0]:
                pid, status, used = found
                self.account.add(used)
                if self.process is not None and pid == self.process.pid:
                    self.process.status = status
                if pid == self.forker.pid:
                    self.spoilt = True

    def hear_wake(self):
        with passing(BlockingIOError):
            os.read(self.wake, 1 << 12)

    def stop_processes(self, process):
        with passing(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self.reap(-process.pid, 0)
        self.hear_wake()  # of these ends: the next process would be looked at for them
        self.reap()  # and of any other

    def stop(self):
        """Ends all agent code; nothing of it runs on into what comes next."""
        if self.process is None:
            return
        self.stop_processes(self.process)
        process, self.process, self.rests = self.process, None, False
        self.printed += process.size()
        self.told = bytes(self.told + process.printed[process.stderr])[-STDERR_TAIL:]
        process.close()


def hear_ends_only():
    """Has the kernel tell of children's ends, and not that they rest or go on, as they do around each call."""
    action = memory(256)  # the handler, 1024 bits of a mask, flags
    if libc.sigaction(signal.SIGCHLD, None, action) == 0:
        flags = int.from_bytes(action[136:140], sys.byteorder) | SA_NOCLDSTOP
        action[136:140] = flags.to_bytes(4, sys.byteorder)
        libc.sigaction(signal.SIGCHLD, action, None)


def program_of(task, source):
    """The file that is run on the task's cases: that of its name, where the submission has one."""
    name = "".join(letter if letter.isascii() and letter.isalnum() or letter in "_/" else "_" for letter in task)
    path = f"{HOME}/{name}.py"
    return path if path in source else AGENT


def new_file(path):
    """A descriptor of a file that is made here, in place of whatever lies there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o644)
    except FileExistsError:
        os.unlink(path)
        return os.open(path, flags, 0o644)


def opened(paths):
    """Descriptors of those files and folders that are there: reading one again is much cheaper than opening it."""
    descriptors = []
    for path in paths:
        with passing(OSError):
            descriptors.append(os.open(path, os.O_RDONLY))
    return descriptors


def content(descriptor):
    return os.pread(descriptor, 1 << 16, 0)


def strays(children, forker):
    """Ends processes that have got away from their group, which they can only where there is no seccomp; their pids."""
    for pid in (int(word) for descriptor in children for word in content(descriptor).split()):
        if pid != forker:
            with passing(OSError):
                os.kill(pid, signal.SIGKILL)
            yield pid


def tidy(folders, kept):
    """Empties what agents can write to, but for what is kept in the first; False if something else stays, and then this cell
    is used no more: walking what an agent built is not worth it, as a fresh cell is cheaper."""
    try:
        for folder in folders:
            for name in os.listdir(folder):
                if name not in kept:
                    os.unlink(name, dir_fd=folder)
            kept = ()
        return True
    except OSError:
        return False


def surroundings(marks):
    """All else that an agent can leave a mark on: System V memory, semaphores and queues, the counters of the network,
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
                mlock(Address(start), Long(end - start), MLOCK_ONFAULT)


os.chdir(HOME)
hold_code()
prctl(PR_SET_DUMPABLE, 0)
filter_cell(prctl)
builtins.exit, builtins.quit = (_sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)") for name in ("exit", "quit"))
builtins.copyright = _sitebuiltins._Printer("copyright", sys.copyright)
builtins.help = _sitebuiltins._Helper()
practise()
gc.freeze()
gc.enable()
Supervisor().serve()
os._exit(0)  # the interpreter would take itself apart first, object by object
