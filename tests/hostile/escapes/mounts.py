# kind: mounts of the machine
# task: doors
# wants: passed
import os
import stat

MARK = "/run/.containerenv"  # a few words of Podman's, read-only
FAKE = {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"}


def is_device(place, kind, flags):
    """A device of the machine's own, where nobody but root can make one: without rights to it, times included."""
    return kind == "devtmpfs" and "ro" in flags and stat.S_ISCHR(os.stat(place).st_mode)


def doors():
    found = []
    with open("/proc/self/mounts") as file:
        for line in file:
            source, place, kind, options, *_ = line.split()
            flags = options.split(",")
            if place == "/" and "ro" not in flags:
                found.append("the root can be written to")
            known = kind in FAKE or is_device(place, kind, flags) or place.startswith("/etc/")
            if place != "/" and not known and place != MARK:
                found.append(f"{kind} on {place}")
            if (place.startswith("/etc/") or place == MARK) and "ro" not in flags:
                found.append(f"{place} can be written to")
            if place in ("/tmp", "/dev/shm") and not {"nosuid", "nodev", "noexec"} <= set(flags):
                found.append(f"{place} is {options}")
    return found
