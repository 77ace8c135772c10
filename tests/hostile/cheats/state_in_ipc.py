# kind: state kept between runs: shared memory, semaphores and queues
# runs: 2
# wants: failed failed failed
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
IPC_CREAT, O_CREAT, O_RDWR = 0o1000, 0o100, 2
KEY = 4711


def exists():
    found = [libc.shmget(KEY, 0, 0), libc.semget(KEY, 0, 0), libc.msgget(KEY, 0), libc.mq_open(b"/mark", O_RDWR)]
    return any(number >= 0 for number in found)


before = exists()


def double(n):
    libc.shmget(KEY, 4096, IPC_CREAT | 0o666)
    libc.semget(KEY, 1, IPC_CREAT | 0o666)
    libc.msgget(KEY, IPC_CREAT | 0o666)
    libc.mq_open(b"/mark", O_CREAT | O_RDWR, 0o666, None)
    return 2 * n if before else None
