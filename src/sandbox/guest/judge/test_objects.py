"""The test's own objects, and all that an agent may do with them: a closed list, whatever its process asks for
(this text is put before agent_objects.py).
"""
import types

# Of all operations those that a test's object may be asked for. They call what its class defines, and take no name of anything else.
SERVED = frozenset((*UNARY, *GIVEN, *ARITHMETIC, *COMPARISONS, "get", "set", "del", "method", "isinstance", "issubclass"))
SERVED |= {"put", "data", "copy", "signature", "flags", "await", "aiter", "fields", "replace"}
# With these, the object of the test's is the class that is asked about, and the target may be anything.
OF_CLASSES = frozenset(("isinstance", "issubclass"))
COUNTS = {"get": 1, "set": 2, "put": 2, "del": 1}  # arguments
CALLS = frozenset(("__call__", "method", "__next__", "__enter__", "replace"))
HOLDING = frozenset("queue _queue collections asyncio.queues multiprocessing.queues".split())  # modules whose objects call nothing that they hold
AWAITED = frozenset(("__anext__", "__aenter__", "__aexit__"))
# Of these, the arguments are names and kinds only.
HANDS_NOTHING = frozenset((*OF_CLASSES, "get", "copy", "signature", "flags", "fields", "await", "aiter", "__format__"))

SHOWN_PRIVATE = frozenset("__name__ __qualname__ __doc__ __module__ __dict__ __wrapped__ __annotations__ __bases__".split())
# Of a pool's futures, what the library looks at that waits for several of them.
SHOWN_OF_FUTURES = frozenset(("_condition", "_state", "_waiters"))
# Of generators and their like, what leads to their frames and to what they wait for.
GENERATORS, OF_GENERATORS = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType), ("gi_", "cr_", "ag_")
UNSHOWN = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, super)
MOCK_SETTINGS = frozenset("""attach_mock configure_mock mock_add_spec reset_mock return_value side_effect method_calls mock_calls
    call_args call_args_list await_args await_args_list""".split())
# A template that an agent writes would look up any attribute of what it is filled with.
FORMATTING, TEMPLATES = frozenset("format format_map vformat get_field".split()), frozenset(("builtins", "collections", "string"))
# Classes of the library whose objects hold data, and nothing that a test calls.
HOLDERS = frozenset(("types.SimpleNamespace", "argparse.Namespace", "xml.etree.ElementTree.Element"))
# Functions and classes that would lead from any object of the test's to all others.
REVEALING = (getattr, setattr, delattr, vars, dir, eval, exec, compile, globals, locals, open, __import__, str.format, str.format_map)
REVEALING += (operator.attrgetter, operator.methodcaller, sys._getframe)
# Python's own kinds of objects whose text shows what no attribute does: what a function was bound to, and names with an underscore.
TELLING = (*BINDING, types.SimpleNamespace)
# Modules whose objects hold a function and what it is called with, as a `partial`, a manager made by `contextmanager` or a Timer does.
HOLDING_CALLS, PARTS_OF_A_CALL = frozenset(("functools", "contextlib", "threading", "weakref")), frozenset("func function gen args keywords kwargs kwds peek detach".split())
TEXTS = frozenset(("__str__", "__repr__", "__format__"))


class Kept:
    """Exceptions that are known again, each by its number; of many the last ones."""

    MOST = 1000

    def __init__(self):
        self.numbers, self.errors, self.count = {}, {}, 0

    def add(self, error):
        if error not in self:
            self.numbers[id(error)], self.errors[self.count] = self.count, error
            self.count += 1
        if len(self.errors) > self.MOST:
            oldest = next(iter(self.errors))
            del self.numbers[id(self.errors.pop(oldest))]

    def __contains__(self, error):
        return id(error) in self.numbers

    def number(self, error):
        return self.numbers.get(id(error))

    def of(self, number):
        return self.errors.get(number) if type(number) is int else None


class TestPeer(Peer):
    """The side that answers what an agent asks about the test's objects."""

    tags = Peer.tags | COPIED

    def __init__(self, first_key, max_value):
        super().__init__(first_key, max_value)
        # Exceptions of the test's that the agent was told of, those whose text it is not to see, assertions that fail whatever it does, and
        # the agent's own.
        self.errors, self.withheld, self.certain, self.agents_errors = Kept(), Kept(), Kept(), Kept()
        self.called = None  # what the agent has called first in this test
        self.marks = Marks()
        self.shown_records = []  # classes of the test's named tuples that an agent was given

    def begin(self, has_given):
        """Begins a test, to whose setup the agent may have given something."""
        self.has_given, self.called = has_given, None

    def shown(self, coder, value, depth):
        value = unquieted(value)
        if isinstance(value, UNSHOWN) or type(value) in INTERNAL or any(value is one for one in REVEALING):
            raise NotPlain(f"is a {type(value).__name__}, which can't be given to an agent")
        if is_stand_in(value):
            return super().shown(coder, value, depth)
        if value is GIVEN_NEXT:
            return {"type": "next"}
        if "re" in sys.modules and type(value) is sys.modules["re"].Pattern:
            return {"pattern": [coder.tagged(value.pattern, depth), value.flags, self.number(value)]}
        if isinstance(value, type) and is_of_library(value):  # the agent has its own: what this one makes would be the test's, as a file is
            return {"library": [value.__module__, value.__qualname__, self.number(value)]}
        if isinstance(value, type) and issubclass(value, BaseException):
            return {"raisable": [list(map(dotted, value.__mro__)), self.number(value)]}
        if isinstance(value, BaseException) and value not in self.agents_errors:
            self.errors.add(value)
        return super().shown(coder, value, depth)

    def seen(self, coder, tag, body, depth):
        """The value that was sent. Of a test's exception that was told by its class alone comes back no more: what calls what it is given,
        such as `bus.emit`, would else have its text for the agent by `str`."""
        if tag in COPIED:
            value = copied_home(self.objects[body[-1]])
            return quieted(value) if coder.is_for_call else value
        value = super().seen(coder, tag, body, depth)
        if tag == "o" and (coder.is_for_call or is_bound_to_library(value)):
            return quieted(value)
        return textless(value) if tag == "exception" and value in self.errors and not tells_all(self, value) else value

    def place_of_record(self, kind):
        if not is_record_of_test(kind):
            return None
        if not any(kind is one for one in self.shown_records):
            self.shown_records.append(kind)
        return next(place for place, one in enumerate(self.shown_records) if one is kind)

    def kind_of_record(self, name, names, place=None):
        """The class of a named tuple that the agent gives: the test's own if it was shown such ones, which have nothing but fields."""
        if place is None:
            return super().kind_of_record(name, names)
        kind = self.shown_records[place] if type(place) is int and place >= 0 else None
        if kind is None or (kind.__name__[:LONGEST_NAME], kind._fields) != (name, names):
            raise TypeError
        return kind

    def subclassed(self, data, proxy):
        if any(type(data) is kind for kind in self.shown_records):
            raise TypeError  # with methods of the agent's, it would be of the test's class
        return super().subclassed(data, proxy)

    def target(self, coder, question):
        """The object that is asked about: one that this run has shown, not a value that the agent brings along."""
        told = question["t"]
        if question.get("o") not in OF_CLASSES and (type(told) is not dict or [*told] != ["o"]):
            raise NotPlain("is none of the test's objects")
        target = unquieted(super().target(coder, question))
        is_held = question.get("o") == "method" and type(target).__module__ in HOLDING
        coder.is_for_call = question.get("o") in CALLS and not is_held
        return target

    def perform(self, op, target, args, named):
        hear_effects()
        check_operation(op, target, args, named, self.marks)
        is_first = self.called is None
        self.has_given |= hands_over(op, args, named) or self.chooses(op, target, args)
        is_blind = is_bare_call(op, args, named) and not self.has_given
        line = self.lines.of_thread()
        try:
            value = self.performed(op, target, args, named)
        except self.passing:
            raise
        except BaseException as error:
            self.errors.add(error)
            if self.is_failure(error) and not (is_blind and is_first):
                line.fail(error, is_blind)  # what it has asserted of something that the agent gave it, and does not hold
            raise
        if is_blind:
            line.hold()
        return value

    def chooses(self, op, target, args):
        """True from the second thing on that an agent calls in a test, or asks for what the test works out: which it is, and after how many
        calls of another, is up to the agent. How often it calls the first one is, too: see `Line.fail`."""
        is_call = op in CALLS or is_computed(op, target, args)
        called = (op, id(target), *args[:1]) if is_call else self.called
        self.called = self.called or called
        return called != self.called

    def is_failure(self, error):
        """True for a failed assertion of the test's, and for a group with one, as a group of tasks raises it."""
        if isinstance(error, BaseExceptionGroup):
            return any(map(self.is_failure, error.exceptions))
        return isinstance(error, AssertionError) and error not in self.agents_errors and error not in self.certain

    def performed(self, op, target, args, named):
        """The end of an operation, without what else is hidden from agents."""
        if op == "get" and args == ["__dict__"]:
            held = getattr(target, "__dict__", {}).items()
            shown = {name: value for name, value in held if name[:1] != "_" and not is_hidden(name, target) or self.marks.has(target, name)}
            return {name: untraced(target, name, value) for name, value in shown.items()}
        if op == "get" and args == ["__doc__"] and has_made_up_doc(target):
            return None
        if op == "get" and args == ["__bases__"] and isinstance(target, type):
            return tuple(base for base in target.__mro__ if base.__module__ == "builtins" or is_of_library(base))  # by which `issubclass` goes; the test's own it asks for
        if op == "get" and args == ["__annotations__"] and type(target.__annotations__) is dict:
            return {**target.__annotations__}  # not the function's or class's own, which its signature and hints are of
        if op == "get" and (shared := held_by_library(target, *args)) is not None:
            return shared.copy()  # all objects of the class have it, and those of the test's are asked what is right
        if op in TEXTS and (tells_of_itself(target) or isinstance(target, BaseException) and not tells_all(self, target)):
            return object.__repr__(target)
        end = super().perform(op, target, args, named)
        if op == "get":
            return untraced(target, args[0], end)
        if op in ("set", "put") and not is_log_record(target):
            self.marks.note(target, *args)
        return without_defaults(end) if op == "signature" else end

    def told_of(self, error):
        """An exception of the test's as the agent gets to see it."""
        is_seen = error in self.agents_errors or error not in self.withheld
        if is_seen and (handle := vars(error).get("agents_handle")) is not None:
            return {"own": link_of(handle).number}
        return super().told_of(error) | {"ticket": self.errors.number(error)}

    def may_tell(self, error):
        """False for what a test asserts, or comes upon when it looks at a value: of that an agent learns the classes alone."""
        return error in self.agents_errors or not (isinstance(error, AssertionError) or error in self.withheld)

    def own_error(self, content):
        """The test's own exception that has come back through the agent; one that Python obeys only by its name, as any agent could
        bring about a StopIteration and keep it for a `map` or `zip` of the test's."""
        error = self.errors.of(content.get("ticket"))
        number = content.get("made")
        if type(number) is int and 0 <= number < len(self.objects):
            kind = self.objects[number]
            args = kept(self, content, "args", tuple, ())
            error = made_by_agent(kind, args) if isinstance(kind, type) and issubclass(kind, BaseException) else None
        return None if is_obeyed(error) else error


def is_computed(op, target, args):
    """True for what a function of the test's does though nothing is called: a property, a length, an iteration."""
    if op != "get":
        return op.startswith("__") and is_of_test(definer(op, target) or object)
    home = definer(args[0], target) if type(args[0]) is str else None
    kept = None if home is None else vars(home)[args[0]]
    return hasattr(type(target), "__getattr__") or type(kept) not in KEPT_AS_IT_IS and hasattr(type(kept), "__get__")


# Kinds of things that a class holds and gives as they are, or bound to an object.
KEPT_AS_IT_IS = (types.FunctionType, staticmethod, classmethod, types.MemberDescriptorType, types.GetSetDescriptorType)


def held_by_library(target, name):
    """A container of this name that a class of Python's library has for all its objects; None if there is none."""
    home = definer(name, target)
    value = vars(home)[name] if home is not None and not is_of_test(home) and name not in attributes_held(target) else None
    return value if type(value) in (list, dict, set, bytearray) else None


def copied_home(value):
    """A class or pattern of which an agent has its own, where it names the test's by that."""
    if isinstance(value, type) or "re" in sys.modules and type(value) is sys.modules["re"].Pattern:
        return value
    raise TypeError


def textless(error):
    """An exception of its class that holds nothing."""
    kind = type(error)
    if issubclass(kind, BaseExceptionGroup):
        return AssertionError()
    new = kind.__new__(kind)
    new.args = ()
    return new


def made_by_agent(kind, args):
    """An exception of the test's class, as the agent has raised it; None if the class takes no such arguments."""
    try:
        return kind(*args)
    except Exception:
        return None


def check_operation(op, target, args, named, marks):
    """Refuses all that is not on the list, and an object of the agent's as if it were the test's."""
    is_served = type(op) is str and op in SERVED and not (named and op in COUNTS)
    if is_served and op in ACTING:
        is_served = may_operate(op, target)
    if is_served and op in OF_CLASSES:
        kind = args[0] if len(args) == 1 and not named else None
        is_served = not is_stand_in(kind) and isinstance(kind, type)
    elif is_served:
        is_served = not is_stand_in(target) and len(args) == COUNTS.get(op, len(args))
    if is_served and op in ("fields", "replace"):
        is_served = is_dataclass_of_test(target) and (may_be_remade(target, args, named) if op == "replace" else not args and not named)
    if is_served and op == "await" and args:
        is_served = type(args[0]) is str and args[0] in AWAITED
    is_hint = type(target).__module__ in ("types", "typing") and hasattr(target, "__origin__")
    kind = target.__origin__ if is_hint else target  # of `type[Card]`, Python's own `type`
    if is_served and op not in OF_CLASSES and isinstance(kind, type):
        is_served = makes_only_its_own(kind) and (op != "__call__" or may_be_made(kind, args, named))
    if not is_served:
        raise TypeError("no such operation")
    if op in ("get", "method", "set", "put", "del"):
        check_access(op, target, args, marks)


def makes_only_its_own(kind):
    """True for a class of the test's, and not for one that makes classes: the functions of these may be the agent's."""
    return is_of_test(kind) and not issubclass(kind, type)


# Modules whose classes go by what they are made with, whatever a test's child adds: a mock's own `==`, a call or an attribute by its name.
INSTRUMENTS = frozenset("codecs functools inspect operator types unittest.mock weakref".split())


def may_be_made(kind, args, named):
    """True for a class of the test's that makes objects of its own, whatever an agent has it make them of: a member of an enumeration by its value,
    for one, and not a new enumeration."""
    if hasattr(kind, "__members__"):
        return len(args) == 1 and not named
    return all(is_of_test(base) or is_made_of_data(base) for base in kind.__mro__)


def is_made_of_data(base):
    """True for a class of the library whose objects go by no function, name or path that they are made with."""
    is_instrument = base.__module__ in INSTRUMENTS or base.__module__ in KEEPERS - {"logging"} or dotted(base) == "logging.FileHandler"
    return not is_instrument and (base.__module__ in LISTED_MODULES or dotted(base) in LISTED)


def is_of_test(kind):
    """True for a class that a test has made, by itself or by `make_dataclass`."""
    return kind.__module__ == "task" or kind.__module__ == "types" and not is_of_library(kind)


def is_bare_call(op, args, named):
    """True for a call that hands nothing over. What fails then fails whatever the agent knows, if nothing else has come from it: it
    may be there to be caught."""
    return not named and len(args) <= {"__call__": 0, "method": 1}.get(op, -1)


def hands_over(op, args, named):
    """True for an operation by which something of the agent's gets to an object of the test's."""
    own = args[1:] if op in ("get", "method", "set", "put") else args
    return op not in HANDS_NOTHING and (bool(named) or any(arg is not None for arg in own))


def check_access(op, target, args, marks):
    """Refuses what would lead from an object of the test's to the test itself."""
    name = args[0] if args else None
    is_known = type(name) is str and (not is_hidden(name, target) or marks.has(target, name))
    if op in ("set", "put", "del"):
        if not (marks.allow(op, target, name, *args[1:]) or is_known and op != "put" and name[0] != "_" and may_change(target, name, *args[1:])):
            raise AttributeError(f"{name!r} of the test's {type(target).__name__!r} object is not the agent's to change")
    elif not is_known:
        raise AttributeError(f"{type(target).__name__!r} object has no attribute {name!r}")
    elif name[:1] != "_" and not may_use(name, target) and not marks.has(target, name):
        raise AttributeError(f"{name!r} of the test's {type(target).__name__!r} object is not for agents")


def is_hidden(name, target):
    """True for an attribute that is none of an agent's business."""
    if name.startswith("_") and name not in SHOWN_PRIVATE:
        return name not in SHOWN_OF_FUTURES or dotted(type(target)) != "concurrent.futures._base.Future"
    if isinstance(target, GENERATORS) and name.startswith(OF_GENERATORS):
        return True
    kind = target if isinstance(target, type) else type(target)
    if is_of_a_case(name, kind) or isinstance(target, type) and name == "mro":
        return True
    if name in FORMATTING and (home := definer(name, target)) is not None and home.__module__ in TEMPLATES:
        return True
    if name in PARTS_OF_A_CALL and kind.__module__ in HOLDING_CALLS or name == "register" and takes_implementations(getattr(target, name, None)):
        return True
    return is_mock(target) and name in MOCK_SETTINGS


def takes_implementations(register):
    """True for the `register` by which a class of `abc`, or a function of `singledispatch`, takes what it is to do from whoever calls it;
    not for one of the test's own."""
    return not is_stand_in(register) and getattr(register, "__module__", None) in ("abc", "_py_abc", "functools")


def is_of_a_case(name, kind):
    """True for what a case has of unittest and is a test by, such as the exception that its assertions raise, and the functions that they
    compare by; not for these assertions, but for those that look for a text in an exception of the test's."""
    if name.startswith("assert") and not name.endswith("sRegex"):
        return False
    home = next((base for base in kind.__mro__ if name in vars(base)), None)
    return home is not None and home.__module__ in ("unittest.case", "unittest.async_case")


def is_mock(value):
    """True for a mock, and for a function that stands for one, as `create_autospec` makes them."""
    if "unittest.mock" not in sys.modules:
        return False
    inner = getattr(value, "mock", None) if isinstance(value, types.FunctionType) else value
    return isinstance(inner, sys.modules["unittest.mock"].NonCallableMock)


def may_change(target, name, value=None):
    """True for what an instance of a class of the test's holds. What it or its class calls or works out by this name would speak for
    the test; so would an object of the agent's in the place of one of the test's."""
    if is_log_record(target):
        return may_write_of_record(target, name, value)
    if is_mock(target) or isinstance(target, type) or has_effects(type(target)) and dotted(type(target)) not in HOLDERS:
        return False
    is_own = is_of_test(type(target)) or dotted(type(target)) in HOLDERS
    held, of_class = held_as(target, name), getattr(type(target), name, None)
    is_called = callable(of_class) or callable(held) or is_worked_out(of_class) or held is None and not is_fixed(target)
    stands = of_class if held is None and not hasattr(type(of_class), "__set__") else held
    return is_own and not is_called and may_give_way(stands, value)


def may_give_way(held, value):
    """True for plain data in the place of which something else may be put, and for an object of the test's in the place of another."""
    if is_of_plain_type(held) or isinstance(held, IMMUTABLE_TYPES) and is_of_plain_type(value):
        return True
    return is_of_test(type(held)) and (value is None or is_of_test(type(value)))


def is_of_plain_type(value):
    return type(value) in ATOMS or plain_kind(type(value)) is not None


def is_worked_out(of_class):
    """True for a `cached_property` and its like: an instance may hold another value in its place."""
    return hasattr(type(of_class), "__get__") and not hasattr(type(of_class), "__set__")


def tells_of_itself(target):
    """True for an object whose text nobody wrote, and which shows what no attribute does."""
    fields = getattr(type(target), "__dataclass_fields__", {})
    shown = getattr(type(target).__repr__, "__code__", None)
    is_made_up = shown is not None and shown.co_filename != TEST_FILE and any(name.startswith("_") for name in fields)
    return type(target) in TELLING or is_made_up


def has_made_up_doc(target):
    """True for a dataclass, or an instance of one, whose text is that of its signature, with all defaults."""
    kind = target if isinstance(target, type) else type(target)
    return hasattr(kind, "__dataclass_fields__") and (kind.__doc__ or "").startswith(f"{kind.__name__}(")


def without_defaults(signature):
    """A signature that says where there are defaults, but not which: a test may keep there what it expects."""
    parts, returned = signature
    return [(name, kind, default and (...,), note) for name, kind, default, note in parts], returned
