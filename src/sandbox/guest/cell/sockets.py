"""Sockets of TCP: the kernel asks the supervisor before it makes one for the agent, and there are never many.

What waits in them is memory of the kernel's, which control groups of version 1 don't count. How much that is for each is the
container's setting (engine/spec.rs). What is accepted needs no leave, but somebody who connects to it, who does.
"""
import errno

MOST_SOCKETS = 192  # of all kinds that live when one of TCP is wanted
SOCKET_COUNTS = "/proc/net/sockstat"
SOCKET_PATIENCE = 1  # seconds for those that the agent has left to be gone: on a busy machine this process comes late to them
SOCKET_TICK = 20  # milliseconds between two looks whether they are
NOTIFICATION, ANSWER = 80, 24  # bytes
RECEIVE, SEND = 0xC0502100, 0xC0182101
GO_ON = 1


class Sockets:
    def __init__(self):
        self.listener, self.cpu, self.waiting = None, 0.0, []
        self.counts = opened([SOCKET_COUNTS])

    def descriptor(self):
        """Readable when the kernel asks; None where it never does."""
        return self.listener

    def begin(self):
        """A new run."""
        self.cpu, self.waiting = 0.0, []

    def cpu_ms(self):
        """CPU time that the run's questions have taken of this process."""
        return round(self.cpu * 1000)

    def answer(self, poll, events):
        """Answers a question of the kernel's. It is the agent who makes this work."""
        before = time.thread_time()
        if not events & select.POLLIN:  # nobody is left who could ask
            poll.unregister(self.listener)
        elif asked := self.asked():
            self.waiting.append((asked, time.monotonic() + SOCKET_PATIENCE))
        self.cpu += time.thread_time() - before
        self.settle()

    def settle(self):
        """Answers the questions that can be answered now, the oldest first."""
        if not self.waiting:
            return
        before, now = time.thread_time(), time.monotonic()
        room = MOST_SOCKETS - self.alive()  # what is granted here is not among those that live yet
        while self.waiting and (room > 0 or now >= self.waiting[0][1]):
            self.reply(self.waiting.pop(0)[0], room > 0)
            room -= 1
        self.cpu += time.thread_time() - before

    def asked(self):
        """The number of the question; None if who asked has ended meanwhile."""
        notification = memory(NOTIFICATION)
        if libc.ioctl(self.listener, Long(RECEIVE), notification) < 0:
            return None
        return notification.raw[:8]

    def reply(self, asked, is_room):
        error, flags = (0, GO_ON) if is_room else (-errno.ENFILE, 0)
        libc.ioctl(self.listener, Long(SEND), asked + struct.pack("qiI", 0, error, flags))

    def alive(self):
        """Sockets in the cell's network; none where the kernel does not tell."""
        return sum(int(content(counts).split(None, 3)[2]) for counts in self.counts)
