"""Child I/O: the supervisor's ends of the pipes to an agent's processes, and its way to the host."""
import select

MAX_UNASKED = 64  # claims that are passed over before a question


class Outbox:
    """Frames for the host; they wait until `flush`, or until they are many."""

    def __init__(self):
        self.waiting = bytearray()

    def put(self, kind, payload=b""):
        self.waiting += framed(kind, payload)
        if len(self.waiting) > 1 << 16:
            self.flush()

    def flush(self):
        while self.waiting:
            del self.waiting[: os.write(1, self.waiting)]


class Process:
    """One process of the agent, and the pipes to it: the supervisor's ends."""

    def __init__(self, forker, workplace, purpose, stdin=None, is_dialogue=False):
        self.is_dialogue = is_dialogue  # there is more to come on stdin, until it is closed
        inner, self.requests = os.pipe()
        self.replies, replies = os.pipe()
        self.stdout, stdout = os.pipe()
        self.stderr, stderr = os.pipe()
        source, self.stdin = (os.open(os.devnull, os.O_RDONLY), None) if stdin is None else os.pipe()
        theirs = (source, stdout, stderr, inner, replies)
        self.status = None
        self.printed = {self.stdout: bytearray(), self.stderr: bytearray()}
        self.claim, self.wanted = bytearray(), 5
        self.feeds, self.poll = {}, select.poll()
        try:
            self.pid = forker.fork((*theirs, workplace))
        except ForkerGone:
            self.close()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        with passing(OSError):
            os.setpgid(self.pid, self.pid)  # all that it starts stays in its group
        # An agent can open its ends of the pipes for reading, too, and take what this process was told to be there.
        for descriptor in self.ours():
            os.set_blocking(descriptor, False)
        for descriptor in (self.replies, self.stdout, self.stderr):
            self.poll.register(descriptor, select.POLLIN)
        self.max_reply = max_claim(purpose["value"]) + 4096
        purpose = dumps(purpose | {"script": stdin is not None}).encode()
        self.tell(self.requests, framed(ToCell.Begin, purpose))
        if stdin is not None:
            self.tell(self.stdin, stdin)

    def ours(self):
        """The descriptors that are still open."""
        ends = (self.requests, self.replies, self.stdout, self.stderr, self.stdin)
        return [end for end in ends if end is not None]

    def ask(self, request):
        for _ in range(MAX_UNASKED):  # said while nothing was asked
            self.read_claim()
            if self.take() is None:
                break
        self.tell(self.requests, framed(ToCell.Call, request))

    def tell(self, descriptor, text):
        """Writes to the process, now or when it takes more."""
        self.feeds[descriptor] = memoryview(bytes(self.feeds.get(descriptor, b"")) + text)
        if not self.write(descriptor):
            self.poll.register(descriptor, select.POLLOUT)
        else:
            with passing(KeyError):
                self.poll.unregister(descriptor)  # it may be closed by now

    def write(self, descriptor):
        """Writes what the process takes; True when there is nothing more to write."""
        try:
            self.feeds[descriptor] = self.feeds[descriptor][os.write(descriptor, self.feeds[descriptor]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self.feeds[descriptor] = memoryview(b"")
        if self.feeds[descriptor]:
            return False
        if descriptor == self.stdin and not self.is_dialogue:
            os.close(descriptor)
            self.stdin = None
        return True

    def read(self, descriptor):
        """Reads what has come, if it is still there; False at the end of the stream."""
        if descriptor == self.replies:
            return self.read_claim()
        with passing(BlockingIOError):
            chunk = os.read(descriptor, 1 << 16)
            self.printed[descriptor] += chunk
            return bool(chunk)
        return True

    def read_claim(self):
        """Reads what has come of a claim, and nothing behind it, as `read`; OverflowError if it says that it is above the limit."""
        with passing(BlockingIOError):
            for _ in "head", "rest":  # one piece of the rest: a long claim must not keep the host's orders waiting
                if len(self.claim) == self.wanted:
                    break
                chunk = os.read(self.replies, min(self.wanted - len(self.claim), 1 << 16))
                if not chunk:
                    return False
                self.claim += chunk
                if len(self.claim) == 5:
                    self.wanted = 5 + int.from_bytes(self.claim[:4], "big")
                    if self.wanted > 5 + self.max_reply:
                        raise OverflowError
        return True

    def take(self):
        """The claim that has come as a whole, if one has; makes room for the next."""
        if len(self.claim) < 5 or len(self.claim) < self.wanted:
            return None
        claim, self.claim, self.wanted = bytes(self.claim[5:]), bytearray(), 5
        return claim

    def size(self):
        """How much it has printed."""
        return sum(map(len, self.printed.values()))

    def close(self):
        for descriptor in self.ours():
            os.close(descriptor)


def framed(kind, payload):
    return len(payload).to_bytes(4, "big") + kind + payload
