# kind: chroot, mount, unshare, setns, /proc/1/root
# task: doors
# wants: passed
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, NEWNET, NEWPID, NEWCGROUP = 0x20000, 0x10000000, 0x40000000, 0x20000000, 0x2000000


def works(call):
    try:
        return call() not in (None, -1) or call() is None
    except OSError:
        return False


def doors():
    attempts = {
        "chroot": lambda: os.chroot("/tmp"),
        "mount tmpfs": lambda: libc.mount(b"x", b"/tmp", b"tmpfs", 0, None),
        "mount proc": lambda: libc.mount(b"proc", b"/tmp", b"proc", 0, None),
        "bind": lambda: libc.mount(b"/", b"/tmp", None, 4096, None),
        "remount": lambda: libc.mount(None, b"/", None, 32, None),
        "umount": lambda: libc.umount2(b"/proc", 2),
        "pivot_root": lambda: libc.syscall(155, b"/tmp", b"/tmp"),
        "root of 1": lambda: os.listdir("/proc/1/root"),
        "cwd of 1": lambda: os.listdir("/proc/1/cwd"),
        "setns": lambda: libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0),
        "open_by_handle_at": lambda: libc.open_by_handle_at(-100, ctypes.create_string_buffer(64), 0),
        "fsopen": lambda: libc.syscall(430, b"tmpfs", 0),
        "open_tree": lambda: libc.syscall(428, -100, b"/", 1),
    }
    attempts |= {f"unshare {flag:#x}": lambda flag=flag: libc.unshare(flag) for flag in (NEWUSER, NEWNS, NEWNET, NEWPID, NEWCGROUP)}
    attempts["clone into a user namespace"] = lambda: libc.syscall(56, NEWUSER | 17, 0, 0, 0, 0)
    return [name for name, call in attempts.items() if works(call)]
