# kind: reading and writing files of the machine
# task: doors
# wants: passed
import os

SECRET = (
    "/etc/shadow", "/proc/kcore", "/proc/kmsg", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/dev/mem", "/dev/kmsg",
    "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/fuse", "/dev/kvm", "/dev/vsock", "/var/run/docker.sock", "/run/docker.sock",
    "/run/containerd/containerd.sock", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware/dmi", "/sys/kernel/debug",
    "/proc/locks", "/proc/meminfo", "/proc/modules", "/sys/kernel/uevent_seqnum",
)  # fmt: skip
FIXED = (
    "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/overcommit_memory", "/proc/irq/default_smp_affinity",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/release_agent",
    "/proc/1/oom_score_adj", "/sys/kernel/uevent_helper", "/etc/passwd", "/usr/bin/python3.11", "/etc/hosts", "/etc/resolv.conf",
)  # fmt: skip


def opens(path, flags):
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK)
        found = os.read(descriptor, 1) if flags == os.O_RDONLY else True
        os.close(descriptor)
        return bool(found)
    except OSError:
        return False


def creates(folder):
    try:
        path = os.path.join(folder, "mark")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.unlink(path)
        return True
    except OSError:
        return False


def doors():
    found = [f"reads {path}" for path in SECRET if opens(path, os.O_RDONLY)]
    found += [f"writes {path}" for path in FIXED if opens(path, os.O_WRONLY)]
    for folder, folders, _ in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/usr/share", "/usr/lib")]
        if folder not in ("/tmp", "/dev/shm", "/dev/mqueue") and creates(folder):
            found.append(f"creates in {folder}")
    return found
