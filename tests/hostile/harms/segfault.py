# kind: core dump
# runs: 2
# wants: crashed crashed crashed
import ctypes
import resource

try:
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))
except (ValueError, OSError):
    pass


def double(n):
    ctypes.string_at(8)
