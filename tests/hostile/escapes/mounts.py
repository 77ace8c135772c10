# kind: mounts of the machine
# task: doors
# wants: passed
MARK = "/run/.containerenv"  # a few words of Podman's, read-only
FAKE = {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"}


def doors():
    found = []
    with open("/proc/self/mounts") as file:
        for line in file:
            source, place, kind, options, *_ = line.split()
            flags = options.split(",")
            if place == "/" and "ro" not in flags:
                found.append("the root can be written to")
            if place != "/" and kind not in FAKE and not place.startswith("/etc/") and place != MARK:
                found.append(f"{kind} on {place}")
            if (place.startswith("/etc/") or place == MARK) and "ro" not in flags:
                found.append(f"{place} can be written to")
            if place in ("/tmp", "/dev/shm") and not {"nosuid", "nodev", "noexec"} <= set(flags):
                found.append(f"{place} is {options}")
    return found
