# kind: taking the supervisor's limits away
# runs: 2
# wants: failed failed failed
import resource


def double(n):
    try:
        resource.prlimit(1, resource.RLIMIT_AS, (1, 1))
        resource.prlimit(1, resource.RLIMIT_DATA, (1, 1))
    except OSError:
        pass
    return "x" * 900_000
