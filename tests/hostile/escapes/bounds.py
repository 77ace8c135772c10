# kind: bounds of processes, memory, files and descriptors
# task: doors
# wants: passed
# wants-podman: failed; inodes of /tmp have no bound of their own there, they count as memory
import os
import resource

MIB = 1 << 20


def doors():
    found = []
    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        found.append("core dumps")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 256:
        found.append("descriptors")
    for folder in ("/tmp", "/dev/shm"):
        size = os.statvfs(folder)
        if size.f_blocks * size.f_frsize > 16 * MIB:
            found.append(f"{folder} is large")
    if os.statvfs("/tmp").f_files > 1024:
        found.append("inodes")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        found.append("limits can be raised")
    except (ValueError, OSError):
        pass
    return found
