# kind: ptrace, memory and descriptors of the supervisor
# task: doors
# wants: passed
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
ATTACH, SEIZE = 16, 0x4206


class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def opens(path, flags=os.O_RDONLY):
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK))
        return True
    except OSError:
        return False


def lists(path):
    try:
        return bool([os.readlink(f"{path}/{name}") for name in os.listdir(path)])
    except OSError:
        return False


def doors():
    found = [name for name in ("mem", "environ", "maps", "auxv", "pagemap", "syscall", "stack") if opens(f"/proc/1/{name}") and reads(name)]
    found += [name for name in ("fd", "map_files", "task/1/fd") if lists(f"/proc/1/{name}")]
    found += [f"descriptor {number}" for number in range(8) if opens(f"/proc/1/fd/{number}", os.O_WRONLY)]
    buffer = ctypes.create_string_buffer(64)
    mine, theirs = Piece(ctypes.addressof(buffer), 64), Piece(0x400000, 64)
    calls = {
        "ptrace": lambda: libc.ptrace(ATTACH, 1, None, None),
        "seize": lambda: libc.ptrace(SEIZE, 1, None, None),
        "process_vm_readv": lambda: libc.process_vm_readv(1, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0),
        "pidfd_getfd": lambda: libc.syscall(438, os.pidfd_open(1), 1, 0),
    }
    return found + [name for name, call in calls.items() if call() >= 0]


def reads(name):
    try:
        with open(f"/proc/1/{name}", "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False
