# kind: calls that reach deep into the kernel
# task: doors
# wants: passed
import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {  # by their numbers on x86_64
    "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0), "userfaultfd": (323, 0), "keyctl": (250, 0, -3, 1),
    "add_key": (248, b"user", b"k", b"v", 1, -3), "request_key": (249, b"user", b"k", 0, -3), "init_module": (175, 0, 0, b""),
    "finit_module": (313, 0, b"", 0), "delete_module": (176, b"x", 0), "kexec_load": (246, 0, 0, 0, 0), "reboot": (169, 0, 0, 0, 0),
    "syslog": (103, 3, 0, 0), "settimeofday": (164, 0, 0), "clock_settime": (227, 0, b"\0" * 16), "adjtimex": (159, b"\1" + b"\0" * 207),
    "swapon": (167, b"/tmp/x", 0), "swapoff": (168, b"/tmp/x"), "sethostname": (170, b"x", 1), "acct": (163, b"/tmp/acct"),
    "iopl": (172, 3), "ioperm": (173, 0, 1, 1), "quotactl": (179, 0, 0, 0, 0), "nfsservctl": (180, 0, 0, 0),
    "lookup_dcookie": (212, 0, 0, 0), "open_by_handle_at": (304, -100, 0, 0), "name_to_handle_at": (303, -100, b"/", 0, 0, 0),
    "kcmp": (312, 1, 1, 0, 0, 0), "vhangup": (153,), "fanotify_init": (300, 0, 0), "mbind": (237, 0, 0, 0, 0, 0, 0),
    "io_setup": (206, 8, b"\0" * 8), "memfd_create": (319, b"x", 0), "sysinfo": (99, b"\0" * 128), "io_uring_setup": (425, 1, b"\0" * 120),
}  # fmt: skip


def doors():
    if platform.machine() != "x86_64":
        return []
    return [name for name, (number, *arguments) in CALLS.items() if libc.syscall(number, *arguments) >= 0]
