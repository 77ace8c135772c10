"""Objects that stay where they are: what is no plain data travels by handle, and whoever holds a handle asks about it.

Cell and judge each have a Peer, the same on either side. It numbers the objects that it has shown to the other, makes a
proxy for each handle that it is given, and puts the questions that are asked of a proxy. The answer may be another question, as
where a function of the test's is called by the agent's; so the two take turns until an answer comes
(this text is put behind operations.py).
"""
MAX_OBJECTS = 100_000  # that a side shows the other in a run
MAX_TURNS = 60  # questions within questions
MAX_NAMES = 200  # that are told of a class
PARTS = frozenset(("value", "raised", "changed", "share", "news", "around"))  # of an answer


COPIED = frozenset(("pattern", "library", "raisable"))  # tags of the test's patterns and classes, of which the agent has its own


class Peer:
    """One side of a run: the objects that it has shown the other, and the proxies of those that it was shown."""

    tags = frozenset(("h", "o", "w", "exception", "shared"))
    latest = LATEST

    def __init__(self, first_key, max_value=MAX_VALUE):
        self.max_value = max_value  # bytes of one as JSON
        self.shares = Shares(first_key)
        self.keys = self.shares.keys
        self.objects, self.numbers, self.kinds = [], {}, {}
        self.proxies, self.classes, self.subclassed_values = {}, {}, {}
        # Classes made for what the other side has told, which end with the run: of named tuples, exceptions, and plain types.
        self.records, self.strange, self.subclasses = {}, {}, {}
        self.met = {}  # classes of the exceptions of library modules that the other side has raised, by their names
        self.lines, self.pasts = Lines(first_key, self), Pasts(self)
        # True if the other side has given this one anything but objects of its own: as an answer, to an object of this side, or by
        # changing a container.
        self.has_given = False

    # -- values that are no plain data --

    def shown(self, coder, value, depth):
        """The tag by which the other side gets such a value."""
        if issubclass(type(value), Member):
            return self.shown_member(coder, value, depth)
        if issubclass(type(value), Proxy):
            return {"o": link_of(value).number}
        if "agents_base" in vars(type(value)):
            return {"o": link_of(value._agentmill).number}
        if isinstance(value, BaseException):
            return {"exception": self.told_of(value)}
        if is_record(value):
            return {"w": [record(coder, value, depth + 1), self.handle(value)]}
        for base, copy in IMMUTABLE:
            if issubclass(type(value), base):
                return {"w": [coder.tagged(copy(value), depth + 1), self.handle(value)]}
        return {"h": self.handle(value)}

    def shown_member(self, coder, member, depth):
        return coder.tagged(member.resolved(), depth)

    def number(self, value):
        """The number by which the other side may name this object from now on."""
        if id(value) not in self.numbers:
            if len(self.objects) >= MAX_OBJECTS:
                raise NotPlain(f"is one object more than the {MAX_OBJECTS} that a run may show")
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return self.numbers[id(value)]

    def handle(self, value):
        """An object's number, its class's number, and when this class is shown first, what that offers."""
        number, kind = self.number(value), type(value)
        about = None
        if kind not in self.kinds:
            self.kinds[kind] = len(self.kinds)
            about = described(kind)
        name = value.__name__ if isinstance(value, type) else None
        return [number, self.kinds[kind], about, name]

    def seen(self, coder, tag, body, depth):
        """The value of which the other side sent this."""
        if tag == "h":
            return self.proxy(body)
        if tag == "o":
            return self.objects[body]
        if tag == "shared":
            return self.shares.containers[body]
        if tag == "exception":
            return rebuilt(self, body)
        data, handle = body
        return self.subclassed(coder.decode(data, depth), self.proxy(handle))

    def forget_kinds(self, known):
        """Forgets what was to be told of classes since so many were known: it is not said after all."""
        while len(self.kinds) > known:
            self.kinds.popitem()

    def proxy(self, handle):
        number, kind, about, name = handle
        if type(number) is not int or type(kind) is not int or len(self.proxies) > MAX_OBJECTS:
            raise TypeError
        if about is not None:
            self.classes[kind] = proxy_class(about := About(about), self.guise(about))
        if number not in self.proxies:
            proxy = self.proxies[number] = object.__new__(self.classes[kind])
            object.__setattr__(proxy, "_agentmill", Reference(self, number, name))
        return self.proxies[number]

    def subclassed(self, data, proxy):
        """Plain data of a class that adds to it: it is that data, and other attributes are asked for."""
        number = link_of(proxy).number
        if number not in self.subclassed_values:
            base = type(data)
            if not issubclass(base, IMMUTABLE_TYPES):
                raise TypeError
            about = about_of(proxy)
            of_enum = OF_ENUMS if base is int else TEXTS_OF_ENUMS  # a text has its own length and parts, whatever is claimed
            changed = frozenset(FORWARDED & about.changed), frozenset(of_enum & about.of_enum)
            kind = self.subclasses.get((base, changed)) or subclass_of(base, *changed)
            self.subclasses[base, changed] = kind
            value = tuple.__new__(kind, data) if issubclass(base, tuple) else base.__new__(kind, data)
            value._agentmill = proxy
            self.subclassed_values[number] = value
        return self.subclassed_values[number]

    # -- questions and answers --

    def ask(self, op, target, args=(), named={}):
        """Puts a question to the other side; what it answers, or raises."""
        with self.lines.turn:
            line = self.lines.of_thread()
            coder = Coder(self, tuple(line.exchanges))
            question = self.question(coder, {"o": op, "t": coder.tagged(target, 0)}, args, named)
            return self.outcome(coder, self.take_turns(line, question, coder))

    def question(self, coder, what, args, named):
        if news := self.shares.news(self):
            what = what | {"news": news}
        if around := self.shares.around(coder.outer):
            what = what | {"around": around}
        listed = ", ".join(map(coder.encode, args))
        named = ", ".join(f"{dumps(key)}: {coder.encode(value)}" for key, value in named.items())
        self.watch(coder)
        return f'{dumps(what)[:-1]}, "a": [{listed}], "k": {{{named}}}}}'

    def watch(self, coder):
        """Begins to follow the containers that a call is given, if the other side may look at them before it is over."""
        if self.objects or self.proxies:
            coder.seen = [*map(snapshot, coder.mutables)]

    def take_turns(self, line, question, coder):
        """Says something to the other side, and answers its questions until it has answered this one."""
        if line.turns >= MAX_TURNS:
            raise RecursionError(f"more than {MAX_TURNS} calls between the agent and the test")
        line.turns += 1
        line.exchanges.append(coder)
        try:
            reply = self.say(line, self.asking(question))
            while (asked := self.asked_in(reply)) is not None:
                reply = self.say(line, self.answer(asked))
            return reply
        finally:
            line.turns -= 1
            line.exchanges.remove(coder)

    def say(self, line, text):
        if line.is_silent:
            raise AttributeError("this is no time to ask the other side")
        line.is_silent = True
        try:
            return self.said_back(line, text)
        finally:
            line.is_silent = False

    def said_back(self, line, text):
        return self.lines.say(line, text)

    def exchange(self, text):
        """Takes a word across, and one back; None if there is nobody any more."""
        raise NotImplementedError

    def answer_aside(self, word):
        """The text that answers what a thread of the other side's asks on a line of its own."""
        raise NotImplementedError

    def may_ask(self):
        """True if a thread of this side's may have something to ask."""
        return True

    def no_word(self):
        """The word by which the other side may go on while this one has nothing to say; None if it may not."""
        return PASS_IDLY

    def outcome(self, coder, claim):
        """The value of a claim; raises the exception of one."""
        given = len(coder.mutables)
        if not claim.keys() <= PARTS:
            raise NotPlain("is no claim")
        if type(claim.get("raised")) is dict:
            self.follow(coder, given, claim)
            raise rebuilt(self, claim["raised"])
        if "value" not in claim:
            raise NotPlain("is no claim")
        value = coder.decode(claim["value"])
        self.follow(coder, given, claim)
        return value

    def follow(self, coder, given, claim):
        """Does to containers of this side what the other side has done to its own."""
        try:
            coder.apply(claim.get("changed", ()), given)
            self.shares.take_keys(coder.mutables, claim.get("share", ()))
            self.shares.hear(self, claim.get("news", ()))
            self.shares.hear_around(coder.outer, claim.get("around", ()))
        except (LookupError, TypeError, ValueError, AttributeError):
            raise NotPlain("is no claim") from None

    def answer(self, question):
        """The text that answers a question of the other side."""
        with self.lines.turn:
            return self.answer_in_turn(question)

    def answer_in_turn(self, question):
        line = self.lines.of_thread()
        coder = Coder(self, tuple(line.exchanges))
        line.exchanges.append(coder)
        try:
            return self.answer_with(coder, question)
        finally:
            line.exchanges.remove(coder)

    def answer_with(self, coder, question):
        try:
            self.shares.hear(self, question.get("news", ()))
            self.shares.hear_around(coder.outer, question.get("around", ()))
            target = self.target(coder, question)
            args = [coder.decode(item) for item in question["a"]]
            named = {name: coder.decode(item) for name, item in question["k"].items()}
        except NotPlain as error:
            return dumps({"unfit": str(error)})
        except (LookupError, TypeError, ValueError, AttributeError):
            return dumps({"unfit": "is no question"})
        self.watch(coder)
        before = coder.mutables and f"[{', '.join(map(dumps, [*question['a'], *question['k'].values()]))}]"
        tops = {id(item) for item in (*args, *named.values())}
        try:
            try:
                value = self.lines.at_work(self.perform, question.get("o"), target, args, named)
            finally:
                count = len(coder.mutables)  # that both sides know; those of the value come next
            claim = f'{{"value": {coder.encode(value)}'
            tops.add(id(value))
            value = None
        except NotPlain as error:
            self.kinds.clear()  # what was to be told of classes was not
            return dumps({"unfit": str(error)[:1000]})
        except self.passing:
            raise
        except BaseException as error:
            claim = f'{{"raised": {dumps(self.told_of(error))}'
        try:
            coder.seen.clear()
            changed = before and coder.changes([*args, *named.values()], "" if coder.is_followed else before, count)
        except NotPlain as error:
            return dumps({"unfit": f"leaves in an argument what {error}"[:1000]})
        args = named = target = None
        claim += self.told_beside(coder, changed, tops) + "}"
        if len(claim) > (most := max_claim(self.max_value)):
            return dumps({"unfit": f"is larger than {most} bytes with the arguments that it has changed"})
        return claim

    def told_beside(self, coder, changed, tops):
        """The part of an answer beside the value: what has become of containers."""
        text = f', "changed": {changed}' if changed else ""
        if coder.mutables and (keys := self.shares.give_keys(coder, tops)):
            text += f', "share": {dumps(keys)}'
        if self.shares.containers and (news := self.shares.news(self)):
            text += f', "news": {dumps(news)}'
        if around := self.shares.around(coder.outer):
            text += f', "around": {dumps(around)}'
        return text

    ending = ()  # exceptions after which nobody answers
    passing = ()  # exceptions that are not the other side's business

    def attribute(self, owner, name):
        if name == "__signature__":
            return self.signature(owner)
        return self.ask("get", owner, (name,))

    def signature(self, function):
        import inspect

        parts, returned = self.ask("signature", function)
        none = inspect.Parameter.empty
        made = lambda name, kind, default, note: inspect.Parameter(
            name, kind, default=default[0] if default else none, annotation=note[0] if note else none
        )
        return inspect.Signature([made(*part) for part in parts], return_annotation=returned[0] if returned else none)

    def call(self, owner, name, args, named):
        return self.ask("method", owner, (name, *args), named)

    def compare(self, op, proxy, other):
        return self.ask(op, proxy, (other,))

    def truth(self, proxy):
        return self.ask("__bool__", proxy)

    def hash(self, proxy):
        return self.ask("__hash__", proxy)

    def is_instance(self, value, kind):
        return self.ask("isinstance", value, (kind,))

    def is_subclass(self, kind, of):
        return self.ask("issubclass", kind, (of,))

    def refuse_descent(self, name):
        raise TypeError(f"a class can't descend from {name}, which is not here")

    def told_of(self, error):
        return raised(self, error)

    def may_tell(self, error):
        """False for an exception of which the other side learns the classes alone."""
        return True

    def check_field(self, name, value):
        """Raises TypeError for what no named tuple nor exception may hold under this name."""

    def given(self, known):
        """The object of this side for a class or function of Python's that the other side gives."""
        return known

    def known_kind(self, name):
        """The class of exceptions that stands here for the other side's of this name; None if there is none."""
        return known_kind(name)

    def guise(self, about):
        """Attributes that a class of proxies has beside its operations."""
        return {}

    def kind_of_record(self, name, names, place=None):
        """The class of named tuples of this name and with these fields."""
        if (key := (name, names, place)) not in self.records:
            self.records[key] = record_class(name, names)
        return self.records[key]

    def place_of_record(self, kind):
        """The place of a class of named tuples among those of the test's that were shown; None if it is none of them."""
        return None

    def own_error(self, content):
        """The exception of this side that has come back."""
        return None

    def line(self, error):
        """Where in the agent's file it happened."""
        return None

    def target(self, coder, question):
        return coder.decode(question["t"])

    def perform(self, op, target, args, named):
        return PERFORM[op](target, *args, **named)


def max_claim(max_value):
    """Bytes of a claim: of a value, and of arguments that were changed."""
    return 3 * max_value


def described(kind):
    """A class as the other side is told of it: its name, the operations, the methods, and whether equality and order are its own."""
    known = frozenset(name for each in kind.__mro__ for name in vars(each))
    can = [name for name in OPTIONAL if name in known and getattr(kind, name, None) is not None]
    methods = [name for each in kind.__mro__[:20] for name, value in vars(each).items() if name[:1] != "_" and is_method(value)]
    base = next((base for base in (list, dict, set, bytearray, type) if issubclass(kind, base)), object)
    names = (*OWN, "__instancecheck__") if base is type else OWN
    own = [name for name in names if getattr(kind, name, None) is not getattr(base, name, None)]
    own = own if base is not dict else [name for name in own if not is_counters(kind, name)]
    is_known = kind.__module__ == "builtins" or kind in VIEWS.values()
    builtin = kind.__name__ if is_known else base.__name__ if base is not object else None
    abstract = [base.__name__ for base in kind.__mro__ if base.__module__ in ABSTRACT or base is ABC]
    told = {"name": kind.__name__[:LONGEST_NAME], "can": can, "own": own, "methods": methods[:MAX_NAMES], "builtin": builtin}
    told["library"], told["is_library"], told["is_dataclass"] = library_base(kind), is_of_library(kind), "__dataclass_fields__" in known
    base = next((base for base in (*IMMUTABLE_TYPES, BaseException, list, dict, set, bytearray) if issubclass(kind, base)), None)
    of_enum = [name for name in OF_ENUMS if getattr(lying_in(kind, name), "__module__", None) == "enum"]
    return told | {"abstract": abstract, "changed": overridden(kind, base) if base else [], "of_enum": of_enum}


def lying_in(kind, name):
    """A method as it lies in a class or those that it descends from, not in the class of the class; None if there is none."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def is_counters(kind, name):
    """True for the equality that a class has from Counter: it is that of a dict, but for what is counted as 0."""
    return name in ("__eq__", "__ne__") and getattr(getattr(kind, name), "__module__", None) == "collections"


def library_base(kind):
    """The dotted name of the first class of Python's library that a class is or descends from, and whose objects are no plain data."""
    bases = (base for base in kind.__mro__ if is_of_library(base) and dotted(base) not in LIBRARY)
    return next((dotted(base) for base in bases if base.__module__ not in (*ABSTRACT, "abc", "typing") or issubclass(base, type)), None)


def is_of_library(kind):
    """True for a class that other programs know by its dotted name, too."""
    return known_class(dotted(kind)) is kind


# Modules of abstract classes: `isinstance` knows an object by those that its class descends from.
ABSTRACT = ("collections.abc", "numbers")


def abstract_class(name):
    """The abstract class of this name; None if there is none."""
    if name == "ABC":
        return ABC
    for module in ("_collections_abc", "numbers"):
        if type(name) is str and name in getattr(home := __import__(module), "__all__"):
            return getattr(home, name)
    return None


# Methods by which a class decides by itself over equality, order, and truth.
OWN = ("__hash__", "__bool__", "__len__", *COMPARISONS)


def is_method(value):
    return callable(value) and not isinstance(value, (type, staticmethod, classmethod))


IMMUTABLE = COPIES[:3] + tuple(pair for pair in COPIES if pair[0] in (tuple, frozenset, bytes))
IMMUTABLE_TYPES = tuple(base for base, _ in IMMUTABLE)
# Operations that plain data of a class that has its own ones leaves to the object itself.
FORWARDED = frozenset((*ARITHMETIC, *COMPARISONS, "__getitem__", "__contains__", "__call__", "__format__", "__round__"))
FORWARDED |= {"__str__", "__repr__", "__neg__", "__pos__", "__abs__", "__invert__"}


# Operations that the members of an enumeration have from there, as long as nothing but members is given to them.
TEXTS_OF_ENUMS = frozenset("__str__ __repr__ __format__".split())
OF_ENUMS = TEXTS_OF_ENUMS | frozenset("__or__ __and__ __xor__ __invert__ __contains__ __iter__ __len__".split())


def subclass_of(base, changed, of_enum):
    """The class of plain data whose own class has these operations in place of the builtin's."""
    own = {name: forwarding_of_member(base, name) for name in of_enum} | {name: forwarding(name) for name in changed}
    if of_enum:  # by which `repr` alone is another one
        own.setdefault("__str__", base.__repr__ if base.__str__ is object.__str__ else base.__str__)
    return type(base.__name__, (base,), {"agents_base": base, "__hash__": base.__hash__, **own, "__getattr__": asked_of_proxy})


def forwarding(name):
    return lambda self, *args: getattr(type(self._agentmill), name)(self._agentmill, *args)


def forwarding_of_member(base, name):
    of_member, of_base = forwarding(name), getattr(base, name, None)
    is_between_members = name.removeprefix("__") in ("or__", "and__", "xor__")

    def forwarded(self, *args):
        is_other = is_between_members and not all("agents_base" in vars(type(arg)) for arg in args)
        return of_base(self, *args) if is_other else of_member(self, *args)

    return forwarded


def asked_of_proxy(self, name):
    if name == "_agentmill":
        raise AttributeError(name)
    return getattr(self._agentmill, name)
