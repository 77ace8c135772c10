"""Gateway: carries bytes between the agent's connections to a loopback address and the host, which speaks HTTP on them.

It looks into none of them. Neither side sends more than a window ahead of what the other has taken, so an agent that does
not read, or only writes, fills no memory but its own.
"""
CHUNK = 1 << 14
TOLD = WINDOW // 2  # bytes that the agent takes before the host is told of them: most answers need no word


class Gateway:
    def __init__(self, host):
        self.host, self.links, self.named, self.last = host, {}, {}, 0
        self.listener = self.ready = None
        self.cpu_before = 0

    def open(self):
        """Begins to listen, before there is a process of the agent's that could do so in its stead."""
        self.cpu_before = time.process_time()
        self.ready = select.epoll()
        self.listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC)
        self.listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", PORT))
        self.listener.listen(128)
        self.ready.register(self.listener.fileno(), select.EPOLLIN)

    def close(self):
        for link in list(self.links.values()):
            self.lose(link)
        if self.listener:
            self.listener.close()
            self.ready.close()
        self.listener = self.ready = None

    def descriptor(self):
        """Readable when there is something to serve; None as long as it is closed."""
        return self.ready and self.ready.fileno()

    def cpu_ms(self):
        """CPU time of this process since it opened: carrying is work that the agent causes."""
        return round((time.process_time() - self.cpu_before) * 1000) if self.listener else 0

    def serve(self):
        """Moves what can be moved now."""
        for descriptor, events in self.ready.poll(0):
            if descriptor == self.listener.fileno():
                self.accept()
            elif link := self.links.get(descriptor):
                self.move(link, events)
        self.host.flush()

    def accept(self):
        with passing(OSError):
            descriptor, _ = self.listener._accept()
            link = self.links[descriptor] = Link(_socket.socket(_socket.AF_INET, _socket.SOCK_STREAM, 0, descriptor))
            self.ready.register(descriptor, link.interest())
            self.move(link, select.EPOLLIN)  # it mostly has something to say
            if len(self.links) == MOST_LINKS:
                self.ready.modify(self.listener.fileno(), 0)  # who comes now waits until one ends

    def move(self, link, events):
        before = link.interest()
        if events & select.EPOLLOUT:
            self.push(link)
        if link.socket and events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and link.credit:
            self.pull(link)
        if link.socket and events & (select.EPOLLHUP | select.EPOLLERR):
            self.lose(link)
        self.watch(link, before)

    def pull(self, link):
        try:
            chunk = link.socket.recv(min(link.credit, CHUNK))
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        link.credit -= len(chunk)
        link.said_all = not chunk
        if chunk and not link.name:
            self.last += 1  # in the order in which they begin to speak
            link.name = self.last.to_bytes(4, "big")
            self.named[link.name] = link
        if link.name:
            self.host.put(FromCell.Bytes, link.name + chunk)
        elif link.said_all:
            self.end(link)  # nobody has heard of it

    def push(self, link):
        count = 0
        try:
            while link.waiting and (sent := link.socket.send(link.waiting)):
                del link.waiting[:sent]
                count += sent
        except BlockingIOError:
            pass
        except OSError:
            return self.lose(link)
        link.untold += count
        if link.untold >= TOLD:
            self.host.put(FromCell.Taken, link.name + link.untold.to_bytes(4, "big"))
            link.untold = 0
        if link.is_last and not link.waiting:
            self.end(link)

    def take_bytes(self, payload):
        """Bytes of the host's for a connection; without any it ends once all before have got there."""
        if link := self.named.get(payload[:4]):
            before = link.interest()
            link.waiting += payload[4:]
            link.is_last = len(payload) == 4
            self.push(link)
            self.watch(link, before)
        self.host.flush()

    def take_credit(self, payload):
        if link := self.named.get(payload[:4]):
            before = link.interest()
            link.credit += int.from_bytes(payload[4:], "big")
            self.watch(link, before)

    def watch(self, link, before):
        if link.socket and (interest := link.interest()) != before:
            self.ready.modify(link.descriptor, interest)

    def lose(self, link):
        """The agent has gone without waiting for the end, which the host hears as a second one."""
        for _ in range(1 if link.said_all else 2):
            if link.name:
                self.host.put(FromCell.Bytes, link.name)
        self.end(link)

    def end(self, link):
        self.ready.unregister(link.descriptor)
        link.socket.close()
        link.socket = None
        del self.links[link.descriptor]
        self.named.pop(link.name, None)
        if len(self.links) == MOST_LINKS - 1:
            self.ready.modify(self.listener.fileno(), select.EPOLLIN)


class Link:
    """One connection of the agent's."""

    def __init__(self, socket):
        self.socket, self.descriptor, self.name = socket, socket.fileno(), None
        self.waiting, self.credit, self.untold = bytearray(), WINDOW, 0
        self.said_all = self.is_last = False
        socket.setblocking(False)

    def interest(self):
        wants_more = select.EPOLLIN if self.credit and not self.said_all else 0
        return wants_more | (select.EPOLLOUT if self.waiting else 0)
