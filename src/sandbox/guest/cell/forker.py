"""The forker: the process that the agent's processes are forked from.

It is made before the first question and told none: it learns the agent's source, makes its module ahead, and from then on
hears only that another process is wanted, and gets the ends of the pipes for it. Questions and answers pass it by, from the
supervisor's pipes to the agent's. What it forks becomes the supervisor's child and not its own, so it does not even
learn how an agent's process ends.
"""
import _socket
import _struct as struct

CLONE_PARENT, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x8000, 0x200000, 0x1000000
PR_GET_TID_ADDRESS = 40
PATIENCE = 30  # seconds for what takes a millisecond, on a machine that is busy
ENDS = 6  # descriptors of a new process: stdin, stdout, stderr, what it is asked, what it claims, the folder that it begins in
WANTED = b"."  # the one thing that the forker is ever told
python_api = CLibrary(HoldingFunction)
# Looked up now: each process would look anew for what it is the first to use.
system_call, before_fork = python_api.syscall, python_api.PyOS_BeforeFork
after_fork = {True: python_api.PyOS_AfterFork_Child, False: python_api.PyOS_AfterFork_Parent}


class ForkerGone(Exception):
    """The forker has ended, or can't fork: no process of the agent is to be had in this cell."""


class Forker:
    """The supervisor's way to the forker."""

    def __init__(self, files, cpu_seconds):
        self.channel, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        for limit in _socket.SO_RCVTIMEO, _socket.SO_SNDTIMEO:
            self.channel.setsockopt(_socket.SOL_SOCKET, limit, struct.pack("ll", PATIENCE, 0))
        self.pid = os.fork()
        if self.pid == 0:
            try:
                leave_all_but(theirs.fileno())
                serve_forks(theirs, files, cpu_seconds)
            finally:
                os._exit(1)
        theirs.close()

    def loaded(self):
        """Milliseconds of CPU that the source has taken; and, if Python does not compile it, a line or None, and why. Beside it
        the descriptor by which the kernel asks about sockets, if it does."""
        try:
            said, ancillary, _, _ = self.channel.recvmsg(1 << 16, _socket.CMSG_SPACE(4))
            return loads(said), struct.unpack("i", ancillary[0][2])[0] if ancillary else None
        except (OSError, ValueError):
            return {"cpu_ms": 0, "line": None, "message": "Python does not survive it"}, None

    def fork(self, ends):
        """The pid of a new process of the agent with these descriptors."""
        try:
            self.channel.sendmsg([WANTED], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack(f"{ENDS}i", *ends))])
            pid = int.from_bytes(self.channel.recv(4), "big")
        except OSError:
            pid = 0
        if not pid:
            raise ForkerGone
        return pid


def leave_all_but(channel):
    """Closes every descriptor but stderr and the channel: above all those that the host's words come by."""
    os.closerange(3, channel)
    os.closerange(channel + 1, OPEN_MAX)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def serve_forks(channel, files, cpu_seconds):
    """Makes the agent's module ahead and forks, until the supervisor ends."""
    try:
        codes, modules = compiled(files, cpu_seconds)
    except Refused as refusal:
        line, message = refusal.args
        return channel.send(dumps({"cpu_ms": cpu_ms(), "line": line, "message": message[:1000]}).encode())
    warm_up((*codes, *modules.values()))
    module = made_ahead(codes[0])
    listener = guard_forker(prctl, os.getpid())
    deepen(frames_below() + 2)  # what is forked stands two frames higher when it comes to the agent
    gc.freeze()  # forked processes then share these pages
    fork = way_to_fork()
    tell_loaded(channel, listener)
    while ends := received(channel):
        if not (pid := fork()):
            become_agent(channel, ends)
            leave(serve(Wire(3, 4), module, codes, modules) or 0)
        for end in ends:
            os.close(end)
        channel.send(pid.to_bytes(4, "big"))


def tell_loaded(channel, listener):
    """Says that processes can be had, and gives the supervisor alone the descriptor by which the kernel asks about sockets."""
    given = [] if listener is None else [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", listener))]
    channel.sendmsg([dumps({"cpu_ms": cpu_ms()}).encode()], given)
    if given:
        os.close(listener)


def cpu_ms():
    """Milliseconds of CPU that this process and those that it has collected have had."""
    return round(sum(os.times()[:4]) * 1000)


def received(channel):
    """The descriptors for a new process; nothing at the end of the stream."""
    wanted, ancillary, _, _ = channel.recvmsg(1, _socket.CMSG_SPACE(ENDS * 4))
    return wanted and struct.unpack(f"{ENDS}i", ancillary[0][2])


def way_to_fork():
    """Forks a child of this process's parent, when called: its pid, or 0 in it."""
    address = Address()
    if (call := CLONE_CALLS.get(os.uname().machine)) and prctl(PR_GET_TID_ADDRESS, _ctypes.byref(address)) == 0:
        number, last_two = call
        flags = Long(CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | signal.SIGCHLD)
        arguments = number, flags, None, None, *last_two(address)
        return lambda: clone_for_parent(arguments)
    return fork_twice


def fork_twice():
    """The first child ends at once, so the second falls to the supervisor, which is the cell's init."""
    reader, writer = os.pipe()
    if (between := os.fork()) == 0:
        os.close(reader)
        if (pid := os.fork()) == 0:
            os.close(writer)
            return 0
        os.write(writer, pid.to_bytes(4, "big"))
        os._exit(0)
    os.close(writer)
    pid = int.from_bytes(os.read(reader, 4), "big")
    os.close(reader)
    os.waitpid(between, 0)
    return pid


# The numbers of clone, and where its last two arguments stand: the address of the thread's id, and its local storage.
CLONE_CALLS = {"x86_64": (56, lambda address: (address, None)), "aarch64": (220, lambda address: (None, address))}


def clone_for_parent(arguments):
    """As `os.fork`, by the call that can name the parent; the C library finds its thread's id where it keeps it."""
    before_fork()
    pid = system_call(*arguments)
    after_fork[pid == 0]()
    if pid < 0:
        os._exit(1)  # the supervisor sees it gone: this cell makes no more processes
    return pid
