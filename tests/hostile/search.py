"""Looks through everything a cell can see for two texts, and says which of them are there.

The first comes in pieces, so that this search does not find itself; the second is whole, and must be found.
"""
import gc
import os
import sys


def files():
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
        for path in (os.path.join(folder, name) for name in names):
            if os.path.isfile(path) and not os.path.islink(path):
                yield path
    for process in filter(str.isdigit, os.listdir("/proc")):
        for name in ("environ", "cmdline", "comm", "maps", "status", "mounts", "limits", "stat", "cgroup", "mountinfo"):
            yield f"/proc/{process}/{name}"
    for folder, _, names in os.walk("/sys/fs/cgroup"):
        yield from (os.path.join(folder, name) for name in names)


def contents():
    for path in files():
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            while chunk := os.read(descriptor, 1 << 20):
                yield chunk
        except OSError:
            pass
        finally:
            os.close(descriptor)


def memories():
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
                for line in maps:
                    yield from areas(memory, line)
        except OSError:
            pass


def areas(memory, line):
    area, rights, *_ = line.split()
    start, end = (int(number, 16) for number in area.split("-"))
    while rights.startswith("r") and start < end:
        try:
            memory.seek(start)
            chunk = memory.read(min(1 << 20, end - start))
        except (OSError, OverflowError, ValueError):
            return
        yield chunk
        start += len(chunk) or end


def objects():
    frame = sys._getframe()
    while frame := frame.f_back:
        yield repr(frame.f_locals).encode()
    for module in list(sys.modules.values()):
        yield repr(vars(module)).encode(errors="replace") if hasattr(module, "__dict__") else b""
    for found in gc.get_objects():
        for item in gc.get_referents(found):
            if type(item) is str:
                yield item.encode(errors="replace")
            elif type(item) in (bytes, bytearray):
                yield bytes(item)


def descriptors():
    for number in os.listdir("/proc/self/fd"):
        try:
            yield os.readlink(f"/proc/self/fd/{number}").encode()
        except OSError:
            pass
    yield repr(os.environ).encode() + repr(sys.argv).encode()


def search(before, middle, name, after, argument):
    # A text put together here would be found here: only its halves are ever looked for, side by side.
    first, second = (before + middle).encode(), (name + after).encode()
    whole = argument.encode()
    found = set()
    for source in (descriptors, contents, memories, objects):
        for chunk in source():
            place = chunk.find(first)
            while place >= 0:
                if chunk.startswith(second, place + len(first)):
                    found.add("secret")
                place = chunk.find(first, place + 1)
            if whole in chunk:
                found.add("argument")
    return sorted(found)
