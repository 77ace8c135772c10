"""Lines: dialogues that threads of both sides have at the same time, over one wire that takes a word there and a word back.

A thread that asks has a line of its own; what is said on it is answered by one thread of the other side. As long as neither side has a
second thread there is one line, and the wire is its own. From then on words tell their lines, and a clerk on each side, a thread that does
nothing else, takes them across. A side whose turn it is and that has nothing to say passes, so that the other side's threads get on (this
text is put before peer.py).
"""
import _thread

MAIN = 0  # number of the line that is there from the beginning; the agent's own lines have odd numbers, the test's even ones
MAX_LINES = 16  # of a side's own threads; more of them wait for each other, as each takes a thread of the other side's
# Words of a side that has nothing to say: it is at work, or it waits.
PASS, PASS_IDLY = '{"pass": "busy"}', '{"pass": "idle"}'
# Seconds without a word after which a clerk passes: at first; where both only wait, the agent's; and the test's, in which the agent's
# processes rest and its clock does.
SOON, LATE, LATEST = 0.001, 0.02, 0.1


class Line:
    """One dialogue: the word that has come and is not taken yet, and how deep it is in questions within questions."""

    def __init__(self, number):
        self.number, self.turns = number, 0
        self.failed, self.may_hold = None, False  # the assertion that has failed, and whether it may be one that is waited for
        self.exchanges = []  # the coders of those that are under way, one within the other
        self.is_silent = False  # what is asked now, by a finalizer, must not take the answer that something else waits for
        self.in_message = False
        self.is_owed = self.is_waiting = self.is_late = False
        self.word, self.bell = None, _thread.allocate_lock()
        self.bell.acquire()

    def wake(self):
        if self.bell.locked():
            self.bell.release()

    def fail(self, error, may_hold):
        """Notes the first assertion that fails. One that the same call, made once more, finds to hold was only waited for."""
        if self.failed is None:
            self.failed, self.may_hold = error, may_hold

    def hold(self):
        """Notes that such a call has found it to hold."""
        if self.may_hold:
            self.failed, self.may_hold = None, False


class Lines:
    """The lines of a side. All that this side does with the other is done by the thread whose turn it is, which it is not while it waits
    for a word or carries out what it was asked for."""

    current = None  # those of the run that this process is in

    def __init__(self, own, peer):
        self.own, self.exchange, self.answer, self.no_word, self.latest = own, peer.exchange, peer.answer_aside, peer.no_word, peer.latest
        self.may_ask = peer.may_ask
        self.turn, self.clerk, self.idle = _thread.RLock(), None, SOON
        # Words to be sent, and lines on which one has come: they are looked at in their order, as one may rest on what another has told.
        self.unsent, self.come = [], []
        self.lines = {MAIN: Line(MAIN)}
        self.threads = {_thread.get_ident(): self.lines[MAIN]}
        Lines.current = self

    def of_thread(self):
        """The line of the thread that asks."""
        me = _thread.get_ident()
        with self.turn:
            while me not in self.threads:
                self.get_line(me)
            return self.threads[me]

    def get_line(self, me):
        """Gets a thread a line: that of one which has ended, a new one, or where there are too many, one that is not in use now."""
        alive, mine = sys._current_frames(), [line for line in self.lines.values() if line.number and line.number % 2 == self.own % 2]
        users = [thread for thread, line in self.threads.items() if line in mine and not line.turns and not line.is_late]
        left = [thread for thread in users if thread not in alive] or users * (len(mine) >= MAX_LINES)
        if left:
            self.threads[me] = self.threads.pop(left[0])
        elif len(mine) < MAX_LINES:
            self.threads[me] = self.lines[number] = Line(number := self.own + 2 * len(mine))
        else:
            self.rest(Line(None), LATE)

    def lend(self, work):
        """Does some work in another thread, which speaks on this one's line meanwhile."""
        import threading

        line, ends = self.of_thread(), []

        def do():
            self.threads[_thread.get_ident()] = line
            ends.append(ended(work))
            del self.threads[_thread.get_ident()]

        thread = threading.Thread(target=do)
        thread.start()
        thread.join()
        return ends[0]()

    def say(self, line, text, is_owed=True):
        """Says something on a line and waits for the next word there; with `is_owed` the other side has to say one. None is said
        where the other side begins."""
        with self.turn:
            while line.is_late:
                self.rest(line)
            if text is None or self.clerk is None and line.number == MAIN and not (_thread._count() and self.may_ask()):
                word = self.exchange(text)
                if word is None or "line" not in word:
                    return word
                self.engage_clerk()
                line.is_waiting = True
                self.take_in(word)
            else:
                self.unsent.append(f'{text[:-1]}, "line": {line.number}}}')
                self.engage_clerk()
            return self.wait(line, is_owed)

    def wait(self, line, is_owed):
        """The next word on a line; an exception that stands for it is raised."""
        line.is_waiting, line.is_owed = True, is_owed
        try:
            while self.come[:1] != [line]:
                self.rest(line)
        except BaseException:  # of an alarm's: the question is given up, and its answer passed over
            line.is_late = is_owed and line not in self.come
            raise
        finally:
            line.is_waiting = line.is_owed = False
            if line in self.come:
                self.come.remove(line)
            if self.come:
                self.come[0].wake()
        if isinstance(line.word, BaseException):
            raise line.word
        return line.word

    def rest(self, line, seconds=-1):
        """Waits for the line's bell while it is others' turn."""
        state = self.turn._release_save()
        try:
            line.bell.acquire(timeout=seconds)
        finally:
            self.turn._acquire_restore(state)

    def at_work(self, work, *args):
        """Does what may take its time, or wait for other threads, while it is others' turn."""
        state = self.turn._release_save()
        try:
            return work(*args)
        finally:
            self.turn._acquire_restore(state)

    def take_in(self, word):
        """Hands a word to the thread that waits for it, or to a new one; NotPlain if none does."""
        if "pass" in word:
            return
        number = word.pop("line", None)
        line = self.lines.get(number) if type(number) is int else None
        if line is None and type(number) is int and 0 < number < 2 * MAX_LINES + 2 and number % 2 != self.own % 2:
            self.open(number, word)
        elif line is not None and line.is_waiting and line not in self.come:
            self.hand(line, word)
        elif line is not None and line.is_late:
            line.is_late = False
            line.wake()
        else:
            raise NotPlain("is no claim")

    def open(self, number, word):
        """Begins a line of the other side's with a thread that attends to it; where there can be none, that is the answer."""
        line = Line(number)
        try:
            _thread.start_new_thread(self.attend, (line,))
        except RuntimeError:
            return self.unsent.append(f'{{"unfit": "takes a thread more than there may be", "line": {number}}}')
        self.lines[number] = line
        self.hand(line, word)

    def hand(self, line, word):
        line.word = word
        self.come.append(line)
        line.wake()

    def attend(self, line):
        """Answers all that is asked on a line of the other side's."""
        self.threads[_thread.get_ident()] = line
        with self.turn:
            word = self.wait(line, False)
            while True:
                word = self.say(line, self.answer(word), is_owed=False)

    # -- the clerk --

    def engage_clerk(self):
        if self.clerk is None:
            self.clerk = Line(None)
            self.clerk.is_silent = True
            _thread.start_new_thread(self.carry, ())
        self.clerk.wake()

    def carry(self):
        """The clerk's work."""
        self.threads[_thread.get_ident()] = self.clerk
        with self.turn:
            while True:
                if not self.unsent:
                    self.rest(self.clerk, self.idle if self.no_word() else -1)
                if text := self.unsent.pop(0) if self.unsent else self.no_word():
                    self.carry_one(text)

    def carry_one(self, text):
        try:
            word = self.at_work(self.exchange, text)
            if word is None:
                os._exit(0)
            self.idle = min(2 * self.idle, self.latest) if word.get("pass") == "idle" else SOON
            self.take_in(word)
        except BaseException as error:
            self.unsent.clear()
            for line in [*self.lines.values()]:
                if line.is_owed and line not in self.come:
                    self.hand(line, error)
                line.is_late = False
