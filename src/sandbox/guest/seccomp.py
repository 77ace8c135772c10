"""Seccomp filters of our own, inside the engine's default profile.

A judge's keeps its processes from each other's memory, limits and namespaces: more than that no test's Python is denied. Of a cell's
the first is the whole cell's: calls that no task needs and that profile lets through, because they reach far into the kernel,
past the network namespace, or to other processes. The second is the agent's processes' alone: they change nothing of how they are
scheduled, keep to their process group, collect their children, and send the forker no signal. A third, where a task has files,
leaves modes as they are.

They need no file beside the engine and hold under every engine. On a machine that is not listed here, or where the kernel
refuses them, the engine's profile stands alone.
"""
import _struct as struct
import errno

_CALLS = {  # by machine: what `AUDIT_ARCH` calls it, and its numbers of calls
    "x86_64": (
        0xC000003E,
        {
            "add_key": 248, "request_key": 249, "keyctl": 250, "ptrace": 101, "process_vm_readv": 310,
            "process_vm_writev": 311, "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240, "userfaultfd": 323,
            "perf_event_open": 298, "bpf": 321, "socket": 41, "socketpair": 53, "prlimit64": 302, "setpriority": 141,
            "ioprio_set": 251, "sched_setparam": 142, "sched_setscheduler": 144, "sched_setaffinity": 203,
            "sched_setattr": 314, "clone": 56, "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155,
            "mbind": 237, "set_mempolicy": 238, "migrate_pages": 256, "move_pages": 279, "setpgid": 109, "setsid": 112,
            "fcntl": 72, "ioctl": 16, "rt_sigaction": 13, "setsockopt": 54, "memfd_create": 319, "io_setup": 206, "sysinfo": 99,
            "seccomp": 317,
            "kill": 62, "tkill": 200, "tgkill": 234, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
            "chmod": 90, "fchmod": 91, "fchmodat": 268, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "add_key": 217, "request_key": 218, "keyctl": 219, "ptrace": 117, "process_vm_readv": 270,
            "process_vm_writev": 271, "shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180, "userfaultfd": 282,
            "perf_event_open": 241, "bpf": 280, "socket": 198, "socketpair": 199, "prlimit64": 261, "setpriority": 140,
            "ioprio_set": 30, "sched_setparam": 118, "sched_setscheduler": 119, "sched_setaffinity": 122,
            "sched_setattr": 274, "clone": 220, "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41,
            "mbind": 235, "set_mempolicy": 237, "migrate_pages": 238, "move_pages": 239, "setpgid": 154, "setsid": 157,
            "fcntl": 25, "ioctl": 29, "rt_sigaction": 134, "setsockopt": 208, "memfd_create": 279, "io_setup": 0, "sysinfo": 179,
            "seccomp": 277,
            "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
            "fchmod": 52, "fchmodat": 53, "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7,
        },
    ),
}  # fmt: skip
_EVERYWHERE = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "pidfd_getfd": 438, "clone3": 435,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
    "pidfd_send_signal": 424, "fchmodat2": 452, "setxattrat": 463, "memfd_secret": 447,
}  # fmt: skip
_DENIED_IN_JUDGES = (
    "io_uring_setup", "io_uring_enter", "io_uring_register", "pidfd_getfd", "add_key", "request_key", "keyctl", "ptrace",
    "process_vm_readv", "process_vm_writev", "shmget", "semget", "msgget", "userfaultfd", "perf_event_open", "bpf", "unshare", "setns",
    "mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
    "migrate_pages", "move_pages",
)  # fmt: skip
_DENIED = (*_DENIED_IN_JUDGES, "mq_open", "mbind", "set_mempolicy", "io_setup", "memfd_create", "memfd_secret", "sysinfo")
_NAMESPACES = 0x7E020000  # flags of clone that ask for a new one: Podman's profile lets any process have them
_UNIX, _INTERNET = 1, (2, 10)
# Bytes that wait in other sockets than these are not counted by control groups of version 1, and netlink's by no version.
_STREAM, _TYPE, _TCP = 1, 0xF, (0, 6)
_SOL_SOCKET, _BUFFERS = 1, (7, 8, 32, 33)  # options that set how much may wait, which the kernel takes as a wish anyway
_ONLY_ITSELF = {  # which argument names the process, with 0 for the caller
    "prlimit64": 0, "sched_setparam": 0, "sched_setscheduler": 0, "sched_setaffinity": 0, "sched_setattr": 0,
    "setpriority": 1, "ioprio_set": 1,
}  # fmt: skip

# Denied to the agent's processes: time that they would then wait is no wait that others caused.
_SCHEDULING = (
    "setpriority", "ioprio_set", "sched_setparam", "sched_setscheduler", "sched_setaffinity", "sched_setattr",
)  # fmt: skip
_SIGNALLING = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")  # the first argument names the process
_OWNERSHIP = {"fcntl": (8, 10, 15), "ioctl": (0x8901, 0x8902)}  # commands that have the kernel send signals, to anybody
_SIGCHLD = 17
_EVERYBODY = 0xFFFFFFFF  # as a process, and the forker is among them

_MODES = ("chmod", "fchmod", "fchmodat", "fchmodat2")
_ATTRIBUTES = ("setxattr", "lsetxattr", "fsetxattr", "setxattrat")  # an access list is one, and changes the mode

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ASK, _ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
_X32 = 0x40000000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8


def _head(arch):
    """The beginning of a filter, which leaves the call's number to look at: (code, jump if so, jump if not, operand)."""
    yield from [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    yield from [(_LOAD, 0, 0, 0), (_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]


def _without(machine, denied):
    """The beginning of a filter, as the kernel's classic BPF: none of these calls, and none that change how other processes run."""
    arch, numbers = _CALLS[machine]
    numbers = {**numbers, **_EVERYWHERE}
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    yield from _head(arch)
    for name in denied:
        yield from [(_EQUAL, 0, 1, numbers[name]), refuse]
    for name, argument in _ONLY_ITSELF.items():
        yield from [(_EQUAL, 0, 4, numbers[name]), (_LOAD, 0, 0, 16 + 8 * argument), (_EQUAL, 0, 1, 0), allow, refuse]


def _of_judge(machine):
    """The filter of a judge's processes."""
    yield from _without(machine, _DENIED_IN_JUDGES)
    yield (_RETURN, 0, 0, _ALLOW)


def _of_cell(machine):
    """The filter of the whole cell."""
    _, numbers = _CALLS[machine]
    numbers = {**numbers, **_EVERYWHERE}
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    yield from _without(machine, _DENIED)
    # Its flags lie in memory, out of a filter's sight; everybody falls back to clone.
    yield from [(_EQUAL, 0, 1, numbers["clone3"]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    yield from [(_EQUAL, 0, 4, numbers["clone"]), (_LOAD, 0, 0, 16), (_ANY_BIT, 0, 1, _NAMESPACES), refuse, allow]
    yield from _sockets(numbers)
    yield allow


def _sockets(numbers):
    """Unix sockets, and those of TCP within the cell's own network; no choice of how much may wait in them."""
    allow = (_RETURN, 0, 0, _ALLOW)
    no_family, no_protocol = ((_RETURN, 0, 0, _ERRNO | number) for number in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT))
    yield from [(_EQUAL, 0, 4, numbers["socketpair"]), (_LOAD, 0, 0, 16), (_EQUAL, 0, 1, _UNIX), allow, no_family]
    yield from [(_EQUAL, 0, 15, numbers["socket"]), (_LOAD, 0, 0, 16), (_EQUAL, 0, 1, _UNIX), allow]
    yield from [(_EQUAL, 2, 0, _INTERNET[0]), (_EQUAL, 1, 0, _INTERNET[1]), no_family]
    yield from [(_LOAD, 0, 0, 24), (_AND, 0, 0, _TYPE), (_EQUAL, 1, 0, _STREAM), no_protocol]
    yield from [(_LOAD, 0, 0, 32), (_EQUAL, 1, 0, _TCP[0]), (_EQUAL, 0, 1, _TCP[1]), allow, no_protocol]
    yield from [(_EQUAL, 0, 4 + 2 * len(_BUFFERS), numbers["setsockopt"]), (_LOAD, 0, 0, 24), (_EQUAL, 1, 0, _SOL_SOCKET), allow]
    yield (_LOAD, 0, 0, 32)
    for option in _BUFFERS:
        yield from [(_EQUAL, 0, 1, option), (_RETURN, 0, 0, _ERRNO)]


def _of_agents(machine, forker, on_socket):
    """The filter of the agent's processes; `on_socket` is the answer to those that want a socket of TCP."""
    arch, numbers = _CALLS[machine]
    numbers = {**numbers, **_EVERYWHERE}
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    nobody = (_RETURN, 0, 0, _ERRNO | errno.ESRCH)
    allow = (_RETURN, 0, 0, _ALLOW)
    yield from _head(arch)
    for name in (*_SCHEDULING, "pidfd_send_signal"):
        yield from [(_EQUAL, 0, 1, numbers[name]), refuse]
    # They succeed and change nothing: by its group the supervisor ends all that a run has started, at once.
    for name in ("setpgid", "setsid"):
        yield from [(_EQUAL, 0, 1, numbers[name]), (_RETURN, 0, 0, _ERRNO)]
    yield from [(_EQUAL, 0, 5, numbers["socket"]), (_LOAD, 0, 0, 16)]
    yield from [(_EQUAL, 1, 0, _INTERNET[0]), (_EQUAL, 0, 1, _INTERNET[1]), (_RETURN, 0, 0, on_socket), allow]
    for name, commands in _OWNERSHIP.items():
        yield from [(_EQUAL, 0, 2 + 2 * len(commands), numbers[name]), (_LOAD, 0, 0, 24)]
        for command in commands:
            yield from [(_EQUAL, 0, 1, command), refuse]
        yield allow
    # A parent that ignores the ends of its children would keep their time out of every account.
    yield from [(_EQUAL, 0, 8, numbers["rt_sigaction"]), (_LOAD, 0, 0, 16), (_EQUAL, 0, 5, _SIGCHLD)]
    yield from [(_LOAD, 0, 0, 24), (_EQUAL, 0, 2, 0), (_LOAD, 0, 0, 28), (_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _ERRNO), allow]
    for name in _SIGNALLING:
        yield from [(_EQUAL, 0, 5, numbers[name]), (_LOAD, 0, 0, 16)]
        yield from [(_EQUAL, 0, 1, forker), nobody, (_EQUAL, 0, 1, _EVERYBODY), nobody]
        yield (_LOAD, 0, 0, 0)
    yield allow


def _without_modes(machine):
    """The filter of the agent's processes where there are files that they must not change. Changing a mode succeeds and does
    nothing, so that copies of the files, which take over their modes, can be made and written to."""
    arch, numbers = _CALLS[machine]
    numbers = {**numbers, **_EVERYWHERE}
    yield from _head(arch)
    for names, answer in (_MODES, 0), (_ATTRIBUTES, errno.EPERM):
        for name in (name for name in names if name in numbers):
            yield from [(_EQUAL, 0, 1, numbers[name]), (_RETURN, 0, 0, _ERRNO | answer)]
    yield (_RETURN, 0, 0, _ALLOW)


def filter_judge(prctl):
    """Puts this process and all that it will start behind the filter of a judge."""
    _install(prctl, _of_judge)


def filter_cell(prctl):
    """Puts this process and all that it will start behind the filter of the cell."""
    _install(prctl, _of_cell)


def guard_forker(prctl, forker):
    """Puts this process, which is the forker, and all that it will fork behind the filter of the agent's processes. The descriptor
    by which the kernel asks about their sockets; None where it is too old to ask, and they have as many as they want."""
    if (machine := os.uname().machine) not in _CALLS:
        return None
    program, _kept = _program(_of_agents(machine, forker, _ASK))
    listener = libc.syscall(_CALLS[machine][1]["seccomp"], _SET_MODE_FILTER, _NEW_LISTENER, program)
    if listener >= 0:
        return listener
    _install(prctl, lambda machine: _of_agents(machine, forker, _ALLOW))
    return None


def guard_modes(prctl):
    """Puts this process, which is the agent's, and all that it will start behind the filter that leaves modes as they are."""
    _install(prctl, _without_modes)


def _install(prctl, steps):
    if (machine := os.uname().machine) in _CALLS:
        program, _kept = _program(steps(machine))
        prctl(_PR_SET_SECCOMP, _MODE_FILTER, program)


def _program(steps):
    """A filter as the kernel takes it, and what it points at, which must live as long."""
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = memory(len(program), program)
    return struct.pack("HP", len(program) // 8, _ctypes.addressof(buffer)), buffer
