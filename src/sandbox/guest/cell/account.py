"""The account of a run: CPU time that its processes have had, memory, and the time that the machine owes them.

A run is owed time in which the process that it waits for was ready and got no CPU, because others had it. Waits that an
agent makes itself are no such thing: while its own processes have all the CPU that they may have, nothing is owed.
"""
import time

SAMPLE = 100  # milliseconds between two looks at a process that works on
NOTABLE = 0.01  # seconds of waiting for which it is worth to look at all that runs
TICKS = os.sysconf("SC_CLK_TCK")


class Account:
    def __init__(self, forker):
        self.forker = forker
        self.own = opened(f"/proc/{pid}/schedstat" for pid in (os.getpid(), forker))
        self.cpu = 0.0
        self.begin(1)

    def begin(self, cpus):
        """A new run, which may use so many CPUs; one that does one thing at a time gets no more of one than there is."""
        self.rate = min(cpus, 1.0)
        self.rss, self.owed, self.cpu_before = 0, 0.0, self.cpu
        self.watched, self.waited, self.last = None, 0.0, (time.monotonic(), self.cpu, self.own_waits())

    def add(self, used):
        """A process has ended."""
        self.cpu += used.ru_utime + used.ru_stime
        self.rss = max(self.rss, used.ru_maxrss)

    def sample(self, pid):
        """Looks at a process that works on."""
        self.note(pid, longest_wait(pid))
        self.settle()

    def sample_last(self, pid):
        """Looks at a process that has ended or has collected one. Most have hardly waited: then the rest is left to the next look."""
        with passing(OSError):
            self.note(pid, wait_of(f"/proc/{pid}"))
        if self.waited > NOTABLE or time.monotonic() - self.last[0] > SAMPLE / 1000:
            self.settle()

    def look(self, pid):
        """Looks at a process that has answered, if that was not done for a while: it may answer often."""
        if time.monotonic() - self.last[0] > SAMPLE / 1000:
            self.sample_last(pid)

    def note(self, pid, waits):
        """Adds what a process has waited since it was looked at last."""
        if pid != self.watched:
            self.watched, self.waits_before = pid, 0.0
        self.waited += max(0.0, waits - self.waits_before)
        self.waits_before = max(waits, self.waits_before)

    def settle(self):
        """Adds what is owed for the time since this was done last."""
        now = time.monotonic(), self.cpu + cpu_of_others(self.forker), self.own_waits()
        elapsed, cpu, own = (new - old for new, old in zip(now, self.last))
        self.owed += max(0.0, min(self.waited + own, elapsed - cpu / self.rate))
        self.last, self.waited = now, 0.0

    def own_waits(self):
        """Waits for a CPU of the supervisor and the forker, in seconds."""
        return sum(schedstat(descriptor)[1] for descriptor in self.own)

    def weigh(self, pid):
        self.sample(pid) if pid else self.settle()
        cpu = self.last[1] - self.cpu_before
        return {"cpu_ms": round(cpu * 1000), "owed_ms": round(self.owed * 1000)}

    def used(self):
        return {"cpu_ms": round((self.cpu - self.cpu_before) * 1000), "max_rss_kib": self.rss}


def schedstat(descriptor):
    """Seconds on a CPU, and seconds of waiting for one; zeros where the kernel keeps no such account."""
    try:
        return [int(word) / 1e9 for word in os.pread(descriptor, 100, 0).split()[:2]]
    except OSError:
        return [0.0, 0.0]


def longest_wait(pid):
    """The longest that a thread of the process has been ready to run without a CPU to run on, in seconds."""
    longest = 0.0
    with passing(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with passing(OSError):
                longest = max(longest, wait_of(f"/proc/{pid}/task/{thread}"))
    return longest


def wait_of(thread):
    """How long this thread has been ready to run without a CPU to run on, in seconds; OSError if it is gone."""
    descriptor = os.open(f"{thread}/schedstat", os.O_RDONLY)
    try:
        return schedstat(descriptor)[1]
    finally:
        os.close(descriptor)


def cpu_of_others(forker):
    """CPU time of the agent's living processes and of those children that they have collected, in seconds."""
    seconds = 0.0
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (os.getpid(), forker):
            with passing(OSError), open(f"/proc/{name}/stat", "rb") as file, open(f"/proc/{name}/schedstat", "rb") as exact:
                # Ticks are of all its threads, and whole; nanoseconds are of its first.
                ticks = [int(word) / TICKS for word in file.read().rpartition(b")")[2].split()[11:15]]
                seconds += max(sum(ticks[:2]), int(exact.read().split()[0]) / 1e9) + sum(ticks[2:])
    return seconds
