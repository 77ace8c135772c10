"""Measures of a process, as a dry run has them: where a test takes one, it is told of the judge's, in which no agent is (this text is
put behind evaluators.py).
"""
import functools

MEASURES = {
    "time": "process_time process_time_ns thread_time thread_time_ns", "tracemalloc": "get_traced_memory take_snapshot",
    "resource": "getrusage setrlimit", "threading": "active_count enumerate", "sys": "setrecursionlimit", "gc": "get_objects get_count",
}  # fmt: skip


def measuring(home, name, note):
    """A function that measures or bounds its process, and tells of it. To be allowed more is what a test may want for itself."""
    function = getattr(home, name)

    @functools.wraps(function)
    def measured(*args, **named):
        if name != "setrecursionlimit" or args[:1] < (sys.getrecursionlimit(),):
            note(f"{home.__name__}.{name}")
        return function(*args, **named)

    return measured


def watch_measures(library, note):
    """Watches the measures of the modules that a task uses."""
    for home in MEASURES.keys() & library:
        module = __import__(home)
        for name in MEASURES[home].split():
            setattr(module, name, measuring(module, name, note))
