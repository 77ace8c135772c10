"""The test's side of a run: names of the agent's module, and its objects (this text is put before the judge's).

All that an object of the agent's says of itself is a claim. So it never decides a verdict: equality, order and truth that its
class defines are refused, and no value of the test's goes to it by an operator where the test may have expected plain data.
"""

TEST_FILE = "task"  # as tracebacks call it
OUR_FILE = sys._getframe().f_code.co_filename
TOLD_OPERATIONS = {"__len__": "len", "__iter__": "iter", "__next__": "next", "__str__": "str", "__repr__": "repr", "__bool__": "bool"}


class JudgePeer(Contents, TestPeer):
    """The test's side of a run."""

    ending = (Ended,)
    passing = (*ending, Unusable)

    def __init__(self, run):
        super().__init__(2, run.task.max_value)
        self.run, self.reading, self.is_over = run, False, False
        self.aside = None  # what a thread of the agent's own has brought about, and the test has to hear of
        self.library, self.ears = Library(run.task.library), Ears()
        self.lonely = Kept()  # exceptions of the test's that no agent had a part in
        self.questions, self.contents = 0, {}  # put so far; by the numbers of objects, after how many they were looked at, and what they held

    # -- what a test does with what is the agent's --

    def call(self, owner, name, args, named):
        """Calls a function of the agent's module, or a method of an object of the agent's."""
        if owner is None:
            what, args_sent = {"f": name}, args
        elif said := self.by_content(name, owner, args, named):
            return said[0]
        else:
            self.guard(name, owner, (*args, *named.values()))
            what, args_sent = {"o": "method", "t": self.tag(owner)}, (name, *args)
        label = name if owner is None else f"{type(owner).__name__}.{name}"
        value = self.question_and_answer(label, what, args_sent, named, args)
        if owner is None:
            self.note_made(name, value)
        self.note_kin(owner, value)
        return value

    def note_made(self, name, value):
        """Notes an object that a test makes by its class's name, or that class: so it expects no plain data in its place."""
        proxy = self.inner(value) if self.run.task.kind_named(name) == "class" else None
        if proxy is None and isinstance(value, BaseException) and self.run.task.kind_named(name) == "class":
            proxy = vars(value).get("agents_handle")
        if proxy is not None and name in (type(proxy).__name__, link_of(proxy).name):
            link_of(proxy).made = True

    def inner(self, value):
        """The agent's object that a value is, or is the data of; None if it is none."""
        if type(value) in self.subclasses.values():
            return value._agentmill
        return value if issubclass(type(value), Proxy) else None

    def attribute(self, owner, name):
        if owner is None:
            value = self.question_and_answer(name, {"f": name, "o": "itself"}, (), {}, None)
            self.note_made(name, value)
            return value
        if name.startswith("_agentmill"):
            raise AttributeError(name)
        value = super().attribute(owner, name)
        if name in NAMES and issubclass(type(value), str):
            return str.__str__(value)[:]  # the library writes programs with such names in them
        if not self.may_learn(owner, (None,)):
            self.note_query(name, value, owner)
        return value

    def note_query(self, name, value, owner):
        """Notes what can be called by a name that a method of plain data has. `startswith = bool` would be Python's own, and
        agree with everything here."""
        is_asking = name in QUERIES or name in TAKING_AWAY and owner is not None and about_of(owner).builtin in DATA_KINDS
        if is_asking and issubclass(type(value), Proxy):
            link_of(value).query = name
        elif is_asking and callable(value):
            self.guard(name, owner, (None,))

    def check_field(self, name, value):
        """Fields of named tuples and exceptions are the agent's as attributes of its objects are."""
        if issubclass(type(value), Proxy):
            self.note_query(name, value, None)
        elif name in QUERIES and callable(value):
            raise TypeError

    def given(self, known):
        return GIVEN_BUILTINS.get(known, known)

    def ask_module(self, op, name, args=()):
        """Has a name of the agent's module stand for something else, or for nothing."""
        return self.question_and_answer(f"agent.{name}", {"f": name, "o": op}, args, {}, None)

    def ask(self, op, target, args=(), named={}):
        if BRIEF.thread == _thread.get_ident():
            return f"<the agent's {type(target).__name__}>"
        if op == "set" and about_of(target).builtin == "type" and (made := described_anew(args[1])):
            op, args = made[0], (args[0], *made[1:])
        if op == "__exit__":
            return self.leave({"o": op}, target, (), *args)
        if op == "await" and args[:1] == ("__aexit__",):
            return self.leave({"o": op}, target, args[:1], *args[1:])
        if op[:2] == "__" and (said := self.by_content(op, target, args, named)):  # others, such as `get`, are no methods
            return said[0]
        if op == "__contains__" and not self.may_learn(target, args):
            return self.search(target, *args)
        if op in ARITHMETIC or op in TAKING_AWAY:
            self.guard(op, target, args)
        if op == "__call__" and (query := link_of(target).query):
            self.guard(query, target, (*args, *named.values()), is_made=False)  # whatever it is, it stands for such a method
        return self.asked_of(op, target, args, named)

    def asked_of(self, op, target, args=(), named={}):
        """The agent's answer, or exception."""
        name = type(target).__name__
        label = f"{TOLD_OPERATIONS[op]}({name})" if op in TOLD_OPERATIONS else f"{name}.{op}"
        if op in ("get", "method"):
            label = f"{name}.{args[0]}"
        value = self.question_and_answer(label, {"o": op, "t": self.tag(target)}, args, named, args if op in GIVEN else None)
        if op == "__call__" and link_of(target).made and link_of(target).name:
            self.note_made(link_of(target).name, value)  # of a class that setup has imported
        self.note_kin(target, value)
        return value

    def tag(self, target):
        return Coder(self).tagged(target, 0)

    def question_and_answer(self, *question):
        with self.lines.turn:
            line = self.lines.of_thread()
            if line.in_message or self.is_over:
                raise Unasked
            self.questions += 1
            if question[1].get("o") not in LOOKS:
                self.contents.clear()
            return self.answer_to(line, *question)

    def answer_to(self, line, label, what, args, named, shown):
        coder = Coder(self, tuple(line.exchanges))
        note = label if shown is None else f"{label}({told_arguments(shown, named)})"
        try:
            coder.wanted = surroundings = self.surroundings()
            if surroundings:
                what = what | {"with": surroundings}
            question = self.question(coder, what, args, named)
        except NotPlain as error:
            raise self.run.unsendable(label, error) from None
        note = self.run.calls.begin(note, "._" not in label)  # Python itself looks at such names
        outer, line.failed = line.failed, None
        try:
            claim = self.take_turns(line, question, coder)
        except NotPlain as error:
            raise Unusable(f"what {label} returned {error}") from None
        finally:
            failed, line.failed = (self.aside if line.failed is None else line.failed), outer
            self.aside = failed if line.number != MAIN else None  # another thread of the test's may end by it, and nobody hear of that
        # Of several objects, which one it is tells something, too: where a test's function asks, it may be asked until that holds.
        self.has_given |= "raised" in claim or not is_handle(claim.get("value")) or bool(line.exchanges)
        try:
            return self.run.accept(self, coder, label, note, claim)
        finally:
            if failed is not None:
                note.append("though an assertion failed on what it gave the test" if isinstance(failed, AssertionError) else "")
                raise failed

    def no_word(self):
        """Between two questions nothing of the agent's goes on, unless it has something to call: then it does, on its own clock."""
        is_open = any(line.turns for line in self.lines.lines.values() if line.number % 2 == 0)
        return super().no_word() if is_open or self.objects else None

    def answer_aside(self, word):
        """Answers a thread of the agent's own. What it brings about in the test, the test hears of when its question is answered."""
        line = self.lines.of_thread()
        try:
            text = self.answer(self.asked_in(word) or {})
        except self.passing as error:
            text, line.failed = dumps({"raised": {"name": type(error).__name__}}), error
        self.aside, line.failed = line.failed if self.aside is None else self.aside, None
        return text

    def surroundings(self):
        """The surroundings of a call: replacements and settings of the test's, and whether it listens."""
        told = {} if self.run.task.is_plain and sys.stdout is REAL["sys"]["stdout"] else self.changed()
        if (chance := CHANCE.told()) is not None:
            told["chance"] = self.tag(chance)
        return told

    def changed(self):
        """Changes that a test has made to its own process: a plain one none, unless `output_of` has it print elsewhere."""
        told = self.ears.wanted()
        if places := [[*place, self.tag(value)] for *place, value in self.library.replaced(self.refuse_replacement)]:
            told["places"] = places
        if (arguments := self.library.arguments()) is not None:
            told["argv"] = arguments
        if (environment := self.library.environment()) is not None:
            told["environ"] = environment
        if decimals := decimal_settings():
            told["decimal"] = decimals
        return told

    def refuse_replacement(self, name):
        raise Unusable(f"{name} {STAYS}")

    def line_of(self, content):
        """A line of the agent's file, as a claim tells it."""
        return line if type(line := content.get("line")) is int and 0 <= line < 1 << 31 else 0

    def shown_member(self, coder, member, depth):
        peer, owner, name = member_of(member)
        return {"n": name} if owner is None and past_of(member) is NOTHING else coder.tagged(member.resolved(), depth)

    def asking(self, question):
        return question

    def asked_in(self, said):
        asked = said.get("ask")
        return asked if type(asked) is dict else None

    def exchange(self, text):
        claim = parse(self.run.put_question(ToCell.Call, FAILURES.untold(text)))
        if type(claim) is not dict:
            raise NotPlain("is no claim")
        return claim

    def outcome(self, coder, claim):
        overheard = claim.pop("overheard", None)
        self.reading = True
        try:
            end = ended(lambda: super(JudgePeer, self).outcome(coder, claim))  # first, as what was overheard may be of a class that is told there
            if type(overheard) is dict:
                self.has_given = True
                self.ears.hear(self, overheard, coder.wanted)
            return end()
        finally:
            self.reading = False

    # -- what is not an agent's to decide --

    def compare(self, op, proxy, other):
        about, other = about_of(proxy), resolved(other)
        if about.builtin in VIEWS and op in ("__eq__", "__ne__"):
            return COMPARISONS[op](self.view(proxy), self.view(other)) if self.is_alike(about, other) else NotImplemented
        if op not in about.own | about.changed and not (op == "__ne__" and "__eq__" in about.own):
            if about.builtin in DATA_KINDS:
                return COMPARISONS[op](self.data(proxy), self.data(other))
            if op in ("__eq__", "__ne__") and proxy is other:
                return op == "__eq__"
            if issubclass(type(other), Proxy) or other is None or is_class(about, other) or op not in ("__eq__", "__ne__"):
                return NotImplemented  # Python has identity for it, and no order
            raise Unusable(f"{brief(other)} is compared with what is a {type(proxy).__name__}, not plain data; {self.parts(proxy)}")
        raise Unusable(f"`{SYMBOLS[op]}` of an object of the agent's is not the agent's to decide; {self.parts(proxy)}; {OWN_OPERATORS}")

    def is_alike(self, about, other):
        """True if a kind of view may be equal to this."""
        kinds = {"mappingproxy": (dict, VIEWS["mappingproxy"]), "memoryview": (bytes, bytearray, memoryview)}
        kinds = kinds.get(about.builtin, VIEWS["SimpleNamespace"])
        return about_of(other).builtin == about.builtin if issubclass(type(other), Proxy) else isinstance(other, kinds)

    def view(self, value):
        if issubclass(type(value), Proxy):
            return self.ask("view", value)
        return viewed(value) if type(value) in VIEWS.values() else value

    def truth(self, proxy):
        if about_of(proxy).builtin in DATA_KINDS and not {"__bool__", "__len__"} & about_of(proxy).own:
            return bool(self.data(proxy))
        if about_of(proxy).builtin not in DATA_KINDS and not {"__bool__", "__len__"} & about_of(proxy).can:
            return True  # as Python has it: the class has no say in it
        hint = "compare its len()" if "__len__" in about_of(proxy).can else f"say `is not None`, or {self.parts(proxy)}"
        raise Unusable(f"the truth of an object of the agent's ({type(proxy).__name__}) is not the agent's to decide; {hint}")

    def hash(self, proxy):
        if "__eq__" in about_of(proxy).own and not self.reading:
            raise Unusable(f"the hash of an object of the agent's is not the agent's to decide; {self.parts(proxy)}")
        return object.__hash__(proxy)

    def parts(self, proxy):
        name = type(proxy).__name__
        return f"compare plain parts of the {name}, such as its attributes, list(...), str(...) or vars(...) of it"

    def is_instance(self, value, kind):
        name = member_of(kind)[2] if type(kind) is Member else link_of(kind).name
        value = resolved(value)
        if isinstance(value, BaseException):
            return name in vars(value).get("agents_kinds", ())
        if is_record(value):
            return type(value).__name__ == name
        if (inner := self.inner(value)) is not None:
            return self.ask("isinstance", inner, (kind,)) is True
        if is_mock(value) and is_stand_in(value.__class__):
            return descends(value.__class__, kind)  # it is specified by a class of the agent's
        return self.fits(value, resolved(kind), isinstance)

    def is_subclass(self, kind, of):
        is_own = not is_stand_in(kind) and isinstance(kind, type)
        if is_own and issubclass(kind, BaseException):
            return issubclass(kind, caught(of))
        if is_own and write_known(kind) is None:
            return self.fits(kind, resolved(of), issubclass)  # no class of the test's descends from theirs
        return super().is_subclass(kind, of)

    def fits(self, value, kind, check):
        """True if what is not the agent's is of a class of the agent's: of a protocol, what has the names that this wants. The value,
        which may be what a test expects, does not go there."""
        if not is_stand_in(kind):  # one would say that it is a class, and ask here again
            return isinstance(kind, type) and check(value, kind)
        wanted = "__instancecheck__" in about_of(kind).own and self.ask("instances", kind)
        if type(wanted) is list and all(type(name) is str for name in wanted):
            return all(hasattr(value, name) for name in wanted)
        if wanted is True:
            name = link_of(kind).name
            raise Unusable(f"{check.__name__}() would hand a value of the test's to {name}, which says by itself what its instances are")
        return False

    def guard(self, op, target, args, is_made=None):
        """Keeps a value that the test expects from going to an object where it expects plain data."""
        if op in SAYINGS and not is_made and not self.may_learn(target, (None,)):
            raise Unusable(f"{op}() of an object of the agent's ({type(target).__name__}) is not the agent's to decide; {self.parts(target)}")
        if op == "join" and not any(hasattr(arg, "__iter__") for arg in args):
            return  # of a thread: texts are joined out of something
        is_taken_away = op in TAKING_AWAY and self.holds_data(target, op) and not link_of(target).is_kin
        if (op in ARITHMETIC or op in QUERIES or is_taken_away) and not self.may_learn(target, args, is_made):
            raise Unusable(
                f"{op} would hand a value of the test's to an object of the agent's ({type(target).__name__}) where plain data "
                f"may be meant; {self.parts(target)}{self.unsaid(target)}"
            )

    def holds_data(self, target, op):
        """True for an object that is made of data which changes, and for what is called in place of such a method of it."""
        return about_of(target).builtin in DATA_KINDS or link_of(target).query == op

    def unsaid(self, target):
        """A hint for authors whose class would be one if they said so."""
        name = type(target).__name__
        is_unsaid = name[:1].isupper() and self.run.task.kind_named(name) != "class"
        return f"; if {name} is to be a class, say so in the prompt" if is_unsaid else ""

    def may_learn(self, target, args, is_made=None):
        """True if the test itself has made the object, or gives it nothing but objects of the agent's, and functions and classes, which no data is."""
        if is_made is None:
            is_made = issubclass(type(target), Proxy) and link_of(target).made
        return is_made or all(self.inner(arg) is not None or isinstance(arg, FUNCTIONS_AND_CLASSES) for arg in args)

    def search(self, target, wanted):
        can = about_of(target).can
        if "__iter__" not in can and ("__contains__" in can or "__getitem__" not in can):
            raise Unusable(f"`in` would hand a value of the test's to an object of the agent's ({type(target).__name__}), which says by itself what is in it; {self.parts(target)}{self.unsaid(target)}")
        return any(item is wanted or item == wanted for item in target)

    def leave(self, what, target, first, kind, error, _):
        """Ends a `with` block. An exception goes on, whatever the object says, unless the block raised it by itself or the
        agent did: what a test asserts, or comes upon when it looks at a value, is not for an object to pass over, nor to see.
        One that nobody has raised, or none, ends no block: the answer to a call by name is a value like others, if no other is on its way."""
        if isinstance(error, self.passing):
            return False
        is_own = self.is_blocks_own(error)
        is_raised = getattr(error, "__traceback__", None) is not None
        if is_raised and not is_own:
            self.withheld.add(error)
        what = what | {"t": self.tag(target)}
        passed = self.question_and_answer(f"{type(target).__name__}.__exit__", what, (*first, kind, error, None), {}, None)
        if not is_raised and sys.exc_info()[1] is None:
            return passed
        return is_own and self.is_told_true(passed) and is_left_by_the_test() and not is_through_assertions(error)

    def is_told_true(self, answer):
        """True if the agent says that an answer of its own is true, be it no bool: it could have said True as well."""
        if not issubclass(type(answer), Proxy):
            return bool(answer)
        decides = {"__bool__", "__len__"} & about_of(answer).can
        return not decides or self.ask("__bool__", answer) is True

    def is_blocks_own(self, error):
        """True for an exception that the agent has raised, or a block without the agent, which may be passed over at the agent's word."""
        return error in self.agents_errors or error in self.lonely or is_raised_by_block(error)

    def may_pass_over(self, error, manager):
        """True if a manager of the test's may pass over an exception: one that the agent was given may do so at its word, as an ExitStack
        with a `push`."""
        return id(manager) not in self.numbers or self.is_blocks_own(error) and error not in FAILURES

    def alone(self, work):
        """Does what no agent has a part in, in a `with` block: what it raises is raised by the block itself."""
        try:
            return work()
        except Exception as error:
            self.lonely.add(error)
            raise

    def refuse_descent(self, name):
        raise Unusable(f"a class of the test's can't descend from {name}, which is the agent's and stays in its cell")


FUNCTIONS_AND_CLASSES = (type, METHOD, *map(type, (is_stand_in, len, str.upper)))


def is_class(about, other):
    """True for two classes, of which the agent's is none that is here. What has no equality of its own is no plain data, be it told as a class."""
    return about.builtin == "type" and isinstance(other, type)


def is_handle(told):
    """True for a claim of None, and of an object that stays with the agent."""
    return told is None or type(told) is dict and told.keys() == {"h"}


OWN_OPERATORS = "docs/tests.md says how a class's own operators are tested"
SYMBOLS = {"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
# Methods of plain data that doesn't change. They only tell something, so what they are given is compared with what is there.
QUERIES = frozenset(name for kind in (str, bytes, tuple, frozenset, int, float) for name in dir(kind) if name[0] != "_")
# Of other types, those that hardly any class of an agent's has by chance: of paths, decimal numbers and networks.
QUERIES |= frozenset("is_relative_to same_quantum compare_total compare_total_mag compare_signal subnet_of supernet_of overlaps".split())

# Of these, those that say yes or no of a text.
SAYINGS = frozenset(name for name in dir(str) if name.startswith("is"))
# Attributes that are names, or texts, wherever Python itself has them.
NAMES = frozenset(("__name__", "__qualname__", "__module__", "__doc__"))


def type_of(value):
    """The class of a value; of an object of the agent's, the agent's class."""
    value = resolved(value)
    if "agents_base" in vars(type(value)):
        value = value._agentmill
    if isinstance(value, BaseException) and vars(value).get("agents_kinds") and type(value).__module__ == "agent":
        value = value if value.agents_handle is None else value.agents_handle
    if not issubclass(type(value), Proxy):
        return value.__class__
    if about_of(value).is_library and (known := claimed_class(about_of(value).library)) is not None:
        return known
    kind = link_of(value).peer.attribute(value, "__class__")
    if issubclass(type(kind), Proxy):
        link_of(kind).made |= link_of(value).made
    if isinstance(kind, type) and (kind in ATOMS or plain_kind(kind) is not None):
        raise Unusable(f"an object of the agent's says that it is of the type {kind.__name__}, and is no plain data")
    return kind


class Matched(type):
    """A class that stands for one of the agent's in a `match`, which takes nothing but classes."""

    def __instancecheck__(self, value):
        return link_of(self.agents).peer.is_instance(value, self.agents)


class Matching:
    """A class in a pattern of a `match`, once it is looked at."""

    def __init__(self, named):
        self.named = named

    @property
    def kind(self):
        kind = resolved(self.named())
        if not issubclass(type(kind), Proxy):
            return kind
        places = tuple(name for name in getattr(kind, "__match_args__", ()) if type(name) is str)
        return Matched(link_of(kind).name or "object", (), {"agents": kind, "__match_args__": places})


def defined(scope):
    """The names of a test, without those that the agent's module has not."""
    for name, value in [*scope.items()]:
        if type(value) is Member and member_of(value)[1] is None and not is_defined(value):
            del scope[name]
    return scope


def is_defined(member):
    try:
        member.resolved()
    except Absent:
        return False
    return True


def caught(kinds):
    """The classes of an `except`, one beside the other as Python wants them: of the agent's own ones, those that its exceptions
    are made of here."""
    if type(kinds) is tuple:
        return tuple(one for kind in kinds for one in caught(kind))
    if type(kinds) is Member:
        peer, _, name = member_of(kinds)
        return (strange_kind(peer, name), *([peer.met[name]] if name in peer.met else []))
    if issubclass(type(kinds), Proxy):
        return (strange_kind(link_of(kinds).peer, link_of(kinds).name),)
    return (kinds, HARMLESS[dotted(kinds)]) if isinstance(kinds, type) and dotted(kinds) in HARMLESS else (kinds,)


def told_arguments(args, named):
    return ", ".join([*map(brief, args), *(f"{key}={brief(value)}" for key, value in named.items())])
