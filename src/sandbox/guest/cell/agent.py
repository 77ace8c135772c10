"""The forked process: agent code runs in it, so everything here may be watched and bent by the agent.

It shares the cell's program text (the files in the order of guest/mod.rs)
and what was made ahead of the agent's module: it takes what it is asked on descriptor 3 and makes claims on descriptor 4.
"""
import _signal as signal
import builtins
import sys
import time

HOME = "/tmp"
AGENT = HOME + "/agent.py"
OPEN_MAX = os.sysconf("SC_OPEN_MAX")
SEED = 0  # of `random` in every process: what an agent draws is drawn again when it is run again
prctl = libc.prctl
# Looked up now: each process would look anew for what it is the first to use.
close_range, change_folder, duplicate, handle_signal = os.closerange, os.fchdir, os.dup2, signal.signal
interrupt, on_interrupt = signal.SIGINT, signal.default_int_handler
process_time = time.process_time  # which a test may replace


def become_agent(channel, ends):
    """Leaves all of the forker's descriptors behind but those that are for this process."""
    channel.close()
    *ends, workplace = ends
    change_folder(workplace)
    for number, descriptor in enumerate(ends):  # all of them lie above the places that they go to
        duplicate(descriptor, number, inheritable=number < 3)
    close_range(len(ends), OPEN_MAX)
    handle_signal(interrupt, on_interrupt)
    prctl(PR_SET_DUMPABLE, 1)


def serve(wire, module, codes, modules):
    """Does what this process was made for: to answer calls, or to be a script; returns its exit code."""
    if (frame := wire.wait()) is None:
        return 0
    purpose = loads(frame[1])
    if purpose["environment"]:
        os.environ.update(purpose["environment"])
    if purpose["files"]:
        guard_modes(prctl)
    if modules:
        sys.meta_path.insert(0, ModuleFinder(modules))
    if chance := sys.modules.get("random"):
        chance.seed(SEED)
    if purpose["script"]:
        os.closerange(3, 5)
        return run_script(codes, modules, purpose["argv"])
    if module is None:
        return serve_calls(wire, new_module("agent"), codes, purpose)
    return serve_calls(wire, module, codes[1:], purpose)


def deepen(frames, calls=0):
    """Gives the agent the depth of recursion that so many frames below it have taken, and so many calls in C, which count
    up to Python 3.11."""
    more = frames + calls * (sys.version_info < (3, 12))
    sys.setrecursionlimit(sys.getrecursionlimit() + more)


def frames_below():
    """The frames below that of the caller."""
    depth, frame = 0, sys._getframe(1)
    while frame := frame.f_back:
        depth += 1
    return depth


def new_module(name, path=AGENT):
    module = type(sys)(name)
    module.__file__, module.__builtins__ = path, builtins
    return module


def take_stage(module, arguments):
    sys.modules["__main__"] = sys.modules[module.__name__] = module
    sys.argv = arguments
    sys.path.insert(0, HOME)  # only here: what all share must import nothing that an agent wrote


def serve_calls(wire, module, codes, purpose):
    """Imports the agent, as far as it is left to do, and answers calls until the supervisor ends this process."""
    take_stage(module, purpose["argv"])
    deepen(1, 2)  # one call less than a script has, as this code was seen at work
    broken, peer = None, AgentPeer(module, wire, purpose["value"])
    try:
        for code in codes:
            exec(code, module.__dict__)
    except SystemExit as request:
        peer.exit = exit_status(request.code)  # a script without a main guard; what it defined so far can be called
        if not purpose["may_exit"]:
            broken = claim("broken", {**raised(peer, request), "exit": peer.exit})
    except BaseException as error:
        broken = claim("broken", raised(peer, error))
    deepen(7)
    answer_calls(peer, broken)


def answer_calls(peer, broken=None):
    """Answers calls until there are no more, each with the claim that the agent is broken if it is."""
    peer.broken, main = broken, peer.lines.of_thread()
    with peer.lines.turn:
        question = peer.lines.say(main, None, is_owed=False)
        while question is not None:
            question = peer.lines.say(main, peer.answer_aside(question), is_owed=False)


class Missing(BaseException):
    """A name that the agent's module has not."""


OF_CODE, CO_COROUTINE = ("__code__", "__func__", "_is_coroutine"), 0x80


class Code:
    """The code of a function of the test's, as far as it says whether that is a coroutine's or a generator's, and what its parameters are; and
    the function of a method."""

    __class__ = property(lambda self: type(deepen))
    __code__ = property(lambda self: self)
    __signature__ = property(lambda self: with_first(link_of(self._method).peer.signature(self._method)))

    def __call__(self, it, /, *args, **named):
        return self._method(*args, **named)  # which is bound

    def __init__(self, method, told):
        self._method = method
        self.co_flags, self.co_argcount, self.co_posonlyargcount, self.co_kwonlyargcount, self.co_varnames = told


def with_first(signature):
    """The signature of a method's function, of which the method has all parameters but the first."""
    names = signature.parameters.keys()
    kinds = [part.kind for part in signature.parameters.values()][:1]
    made = __import__("inspect").Parameter("self" if "self" not in names else "_self", kinds[0] if kinds == [0] else 1)
    return signature.replace(parameters=[made, *signature.parameters.values()])


def coroutine_mark():
    """The mark of what `asyncio` takes for a coroutine's function, as an AsyncMock has it."""
    import asyncio.coroutines

    return getattr(asyncio.coroutines, "_is_coroutine", None)


class AgentPeer(Peer):
    """The agent's side of a run: it answers what the test asks, and asks about what it was given."""

    tags = Peer.tags | COPIED | {"n"}
    latest = LATE

    def __init__(self, module, wire, max_value):
        super().__init__(1, max_value)
        self.module = module
        self.names, self.wire, self.broken, self.exit, self.cpu = module.__dict__, wire, None, None, 0.0
        self.record_places = {}  # of the test's classes of named tuples, by what stands for them here
        self.originals = {}  # what stands for the test's patterns and classes, as these were told, by the ids of the agent's own

    def exchange(self, text):
        if text is not None:  # nothing, at first
            self.wire.put(FromCell.Claim, text.encode())
        frame = self.wire.wait()
        return frame and loads(frame[1])

    def said_back(self, line, text):
        if (word := super().said_back(line, text)) is None:
            os._exit(0)
        return word

    def may_ask(self):
        return bool(self.proxies)

    def no_word(self):
        """Idle is what has had hardly any CPU time since this was asked last."""
        before, self.cpu = self.cpu, process_time()
        return PASS_IDLY if self.cpu - before < self.lines.idle else PASS

    def answer_aside(self, word):
        return self.broken or self.answer(word)

    def asking(self, question):
        return f'{{"ask": {question}}}'

    def asked_in(self, said):
        return said if "a" in said else None

    def answer_in_turn(self, question):
        surroundings = question.get("with")
        try:
            if surroundings is None:
                return super().answer_in_turn(question)
            with Surroundings(self, surroundings) as around:
                answer = super().answer_in_turn(question)
            return answer[:-1] + around.overheard() + "}"
        except Missing as missing:
            return dumps({"missing": self.alike(missing.args[0]), "exit": self.exit})

    def alike(self, name):
        """The module's name that differs from this one in upper and lower case only; where there is none, this one."""
        others = (other for other in list(self.names) if type(other) is str and other.lower() == name.lower())
        return next(others, name)

    def target(self, coder, question):
        if question.get("o") in ("assign", "remove", "names"):
            return question["f"]
        return self.member(question["f"]) if "f" in question else super().target(coder, question)

    def member(self, name):
        if name in self.names:
            return self.names[name]
        try:
            return self.names["__getattr__"](name)  # a module may have one for what it makes when it is asked for
        except Exception:
            raise Missing(name) from None

    def perform(self, op, target, args, named):
        if op is None:
            return target(*args, **named)
        if op in ("assign", "remove"):
            return self.change(op, target, *args)
        if op == "names":
            return sorted(self.names)
        if op in ("property", "classmethod"):
            name, *functions = args
            return setattr(target, name, NAMED[op](*functions))
        return target if op == "itself" else super().perform(op, target, args, named)

    def change(self, op, name, value=None):
        """Sets or deletes a name of the agent's module."""
        if op == "remove":
            self.names.pop(name, None)
        else:
            self.names[name] = value

    def seen(self, coder, tag, body, depth):
        if tag == "n":
            return self.member(body)
        if tag not in COPIED:
            return super().seen(coder, tag, body, depth)
        value = self.copy(coder, tag, body, depth)
        self.originals[id(value)] = value, {tag: body}
        return value

    def copy(self, coder, tag, body, depth):
        """The agent's own of what both sides have."""
        if tag == "pattern":
            return __import__("re").compile(coder.decode(body[0], depth), body[1])
        return getattr(module_named(body[0]), body[1]) if tag == "library" else raisable(self, *body)

    def shown(self, coder, value, depth):
        _, original = self.originals.get(id(value), (None, None))
        return original or super().shown(coder, value, depth)

    def proxy(self, handle):
        proxy = super().proxy(handle)
        if handle[2] is not None:
            about_of(proxy).first = proxy
            if about_of(proxy).builtin == "type":
                take_classes()
        return proxy

    def kind_of_record(self, name, names, place=None):
        kind = super().kind_of_record(name, names, place)
        if place is not None:
            self.record_places[kind] = place
        return kind

    def place_of_record(self, kind):
        return self.record_places.get(kind)

    def guise(self, about):
        return guise_of(about)

    def attribute(self, owner, name):
        if name == "__dataclass_fields__":
            return fields_of(self, owner)
        if name in OF_CODE and (told := self.ask("flags", owner)) is not None:
            return Code(owner, told) if name != "_is_coroutine" else told[0] & CO_COROUTINE and coroutine_mark()
        return super().attribute(owner, name)

    def outcome(self, coder, reply):
        if "unfit" in reply:
            raise TypeError(f"what the test's function returned {reply['unfit']}")
        return super().outcome(coder, reply)

    def known_kind(self, name):
        """One that Python obeys is itself here, where it ends nothing but what the agent does."""
        itself = (EXCEPTIONS.get(name) or known_class(name)) if name in HARMLESS else None
        return itself or super().known_kind(name)

    def own_error(self, content):
        """The agent's own exception that has passed through a function of the test's."""
        return self.objects[content["own"]] if "own" in content else None

    def line(self, error):
        return last_line(error.__traceback__)


PURPOSE = b'{"argv": ["agent.py", "--task", "p"], "environment": {}, "value": 1000, "files": false, "may_exit": true, "script": false}'
PRACTICE = [
    b'{"f": "f", "a": [true], "k": {"n": {"t": [null]}}}', b'{"f": "f", "a": [1, [2, "x"], {"d": [["k", 1.5]]}], "k": {}}',
    b'{"f": "g", "a": [], "k": {}}',
]  # fmt: skip
# The interpreter counts eight calls of a function before it notes anything in its code: only from then on different ones tell it more.
ROUNDS = [PRACTICE[:1]] * 8 + [PRACTICE] * 2


def practise():
    """Answers made-up questions, none of the agent's code being here yet. What Python notes in code that it sees at work for the
    first times would else be noted by each process that is forked from this one, in pages of its own."""
    module = new_module("agent")
    module.f, module.g = lambda *args, **named: [args, named], lambda: [][0]
    stage, null = (sys.modules["__main__"], sys.argv, [*sys.path], sys.getrecursionlimit()), os.open(os.devnull, os.O_WRONLY)
    for questions in ROUNDS:
        asked, ask = os.pipe()
        os.write(ask, framed(ToCell.Begin, PURPOSE) + b"".join(framed(ToCell.Call, question) for question in questions))
        os.close(ask)
        serve(Wire(asked, null), module, [], {})
        os.close(asked)
    os.close(null)
    sys.modules["__main__"], sys.argv, sys.path[:], limit = stage
    del sys.modules["agent"]
    sys.setrecursionlimit(limit)


def claim(kind, content):
    return dumps({kind: content})


def last_line(trace):
    """Where in the agent's own file it happened, or what was called from there."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == AGENT:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
