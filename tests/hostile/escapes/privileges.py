# kind: capabilities, setuid files, other users
# task: doors
# wants: passed
import ctypes
import os
import stat

libc = ctypes.CDLL(None, use_errno=True)


def status():
    with open("/proc/self/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def denied(call):
    try:
        call()
        return False
    except OSError:
        return True


def privileged_files():
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
        for path in (os.path.join(folder, name) for name in files):
            found = os.lstat(path)
            if stat.S_ISREG(found.st_mode) and found.st_mode & (stat.S_ISUID | stat.S_ISGID):
                yield path


def doors():
    mine = status()
    found = [f"{name} {mine[name]}" for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(mine[name], 16)]
    if mine["NoNewPrivs"] != "1" or mine["Seccomp"] != "2":
        found.append(f"NoNewPrivs {mine['NoNewPrivs']}, Seccomp {mine['Seccomp']}")
    if 0 in os.getresuid() or len(set(os.getresuid())) != 1 or os.getresgid() != (65534,) * 3 or set(os.getgroups()) - {65534}:
        found.append(f"{os.getresuid()} {os.getresgid()} {os.getgroups()}")
    changes = {
        "setuid": lambda: os.setuid(0),
        "setgid": lambda: os.setgid(0),
        "setgroups": lambda: os.setgroups([0]),
        "mknod": lambda: os.mknod("/tmp/disk", stat.S_IFBLK | 0o666, os.makedev(254, 0)),
        "chown": lambda: os.chown("/tmp/agent.py", 0, 0),
        "nice": lambda: os.nice(-1),
        "realtime": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    }
    found += [name for name, call in changes.items() if not denied(call)]
    return found + list(privileged_files())
