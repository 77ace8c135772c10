"""What the supervisor has of an agent's processes, and how it passes on what they say (this text is put before cell.py)."""
import mmap
import select

MADV_WIPEONFORK = 18
MAX_REPLY = MAX_VALUE + 4096
MAX_UNASKED = 64  # claims that are passed over before a question


class Outbox:
    """What the host is told. What an agent says lies in files of the kernel's and never in this process's memory, which the
    agent's processes begin as a copy of: a run would find there what the one before it had left for it."""

    def __init__(self):
        self.file, self.size = os.memfd_create("outbox"), 0
        self.claim, self.stdout, self.stderr = map(os.memfd_create, ("claim", "stdout", "stderr"))
        self.copy = mmap.mmap(-1, 1 << 16, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with passing(OSError):
            self.copy.madvise(MADV_WIPEONFORK)

    def put(self, kind, payload=b""):
        self.size += os.pwrite(self.file, len(payload).to_bytes(4, "big") + kind + payload, self.size)

    def put_files(self, kind, head, *parts):
        """A frame that ends with parts of files: of each its descriptor, where it begins and its length."""
        length = len(head) + sum(part[2] for part in parts)
        self.size += os.pwrite(self.file, length.to_bytes(4, "big") + kind + head, self.size)
        for file, start, count in parts:
            os.lseek(self.file, self.size, os.SEEK_SET)
            self.size += copied(self.file, file, start, count)
        if self.size > 1 << 16:
            self.flush()

    def flush(self):
        """Sends all by way of a copy, which forks get empty: sendfile would put the file's own pages into the pipe, and what
        is written there next would be read in place of what was sent."""
        sent, copy = 0, memoryview(self.copy)
        while sent < self.size:
            count = os.preadv(self.file, [copy[: self.size - sent]], sent)
            sent += count
            rest = copy[:count]
            while rest:
                rest = rest[os.write(1, rest) :]
        if self.size > 1 << 16:
            os.ftruncate(self.file, 0)
        self.size = 0


def copied(target, source, start, count):
    """From file to file, where sendfile copies."""
    done = 0
    while done < count and (step := os.sendfile(target, source, start + done, count - done)):
        done += step
    return done


class Process:
    """One forked process of the agent, and the pipes to it."""

    def __init__(self, main, outbox, told, stdin=None):
        self.is_script = stdin is not None
        inner, self.requests = os.pipe()
        self.replies, replies = os.pipe()
        self.stdout, stdout = os.pipe()
        self.stderr, stderr = os.pipe()
        theirs = (inner, replies, stdout, stderr)
        self.pid = os.fork()
        if self.pid == 0:
            self.become(main, *theirs)
        for descriptor in theirs:
            os.close(descriptor)
        # An agent can open its ends of the pipes for reading, too, and take what this process was told to be there.
        for descriptor in (self.requests, self.replies, self.stdout, self.stderr):
            os.set_blocking(descriptor, False)
        self.head, self.known, self.length, self.claim, self.come = bytearray(5), 0, 0, outbox.claim, 0
        # Of each stream its file, where it begins there and where it ends so far.
        self.printed = {self.stdout: [outbox.stdout, 0, 0], self.stderr: [outbox.stderr, told, told]}
        self.status = None
        self.poll = select.poll()
        for descriptor in (self.replies, self.stdout, self.stderr):
            self.poll.register(descriptor, select.POLLIN)
        self.tell(stdin or b"")

    def become(self, main, inner, replies, stdout, stderr):
        try:
            stdin = inner if self.is_script else os.open(os.devnull, os.O_RDONLY)
            os.dup2(inner, 3, inheritable=False)
            os.dup2(replies, 4, inheritable=False)
            become_agent(stdin, stdout, stderr)
            if self.is_script:
                os.closerange(3, 5)
            leave(main() or 0)
        finally:
            os._exit(1)

    def ask(self, request):
        for _ in range(MAX_UNASKED):  # said while nothing was asked
            self.read_claim()
            if not self.take():
                break
        self.tell(len(request).to_bytes(4, "big") + b"C" + request)

    def tell(self, text):
        self.feed = memoryview(text)
        if not self.write():
            self.poll.register(self.requests, select.POLLOUT)

    def write(self):
        """Writes what the process takes; True when there is nothing more to write."""
        try:
            self.feed = self.feed[os.write(self.requests, self.feed) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self.feed = memoryview(b"")
        if self.feed:
            return False
        if self.is_script:
            os.close(self.requests)
            self.requests = None
        return True

    def read(self, descriptor):
        """Reads what has come, if it is still there; False at the end of the stream."""
        if descriptor == self.replies:
            return self.read_claim()
        printed = self.printed[descriptor]
        count = moved(descriptor, printed[0], 1 << 16, printed[2])
        printed[2] += count or 0
        return count != 0

    def read_claim(self):
        """The same of claims; OverflowError if one says that it is above the limit."""
        if self.known < 5:
            try:
                count = os.readv(self.replies, [memoryview(self.head)[self.known :]])
            except BlockingIOError:
                return True
            self.known += count
            if self.known < 5:
                return count > 0
            self.length, self.come = int.from_bytes(memoryview(self.head)[:4], "big"), 0
            if self.length > MAX_REPLY:
                raise OverflowError
        if self.come < self.length:
            count = moved(self.replies, self.claim, self.length - self.come, self.come)
            self.come += count or 0
            return count != 0
        return True

    def take(self):
        """Whether a whole claim has come; makes room for the next."""
        if self.known < 5 or self.come < self.length:
            return None
        self.known = 0
        return True

    def size(self):
        """How much it has printed."""
        return sum(end - start for _, start, end in self.printed.values())

    def part(self, descriptor):
        file, start, end = self.printed[descriptor]
        return file, start, end - start

    def close(self):
        for descriptor in (self.requests, self.replies, self.stdout, self.stderr):
            if descriptor is not None:
                os.close(descriptor)


def moved(pipe, file, count, place):
    """How many bytes were moved from a pipe into a file; 0 at the end of the stream, None if nothing has come."""
    try:
        return os.splice(pipe, file, count, offset_dst=place, flags=os.SPLICE_F_NONBLOCK)
    except BlockingIOError:
        return None
