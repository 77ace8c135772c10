"""Effects: what an agent asks of the test's objects changes and reads nothing outside of them. Python tells of each file that is opened, each
program, socket and text that is run, and of whatever else leads out of it; what no class on the list should do is refused here once more
(this text is put behind agent_objects.py).
"""
import sys

WITHOUT_EFFECT = frozenset("""builtins.id sys._getframe object.__getattr__ time.sleep _thread.start_new_thread array.__new__ import
    os.listdir os.scandir os.walk glob.glob pathlib.Path.glob pathlib.Path.rglob os.putenv os.unsetenv socket.__new__ sys.set_asyncgen_hooks_firstiter
    sys.set_asyncgen_hooks_finalizer sys.set_asyncgen_hook_firstiter sys.set_asyncgen_hook_finalizer""".split())
# Events that the import of a module brings with it, if its file is one of Python's library.
OF_IMPORTS = frozenset("open marshal.loads exec compile object.__setattr__".split())
IMPORTERS = frozenset(("importlib._bootstrap", "_frozen_importlib"))
LIBRARY_FOLDER = f"{os.path.dirname(os.__file__)}/"
# Modules whose objects open what they were made for, when they are used; agents make none of their own (`may_be_made`).
KEEPERS = frozenset("logging logging.handlers tempfile dbm.dumb fileinput filecmp subprocess".split())
MAKING_LOOPS = awaited.__code__  # a function of ours that makes an event loop where an agent awaits something
# Those that do what an agent asks for, and call Python's library for that.
DOING = frozenset(
    work.__code__ for work in (Quiet.__call__, Advancing.__call__, Peer.perform, TestPeer.performed, *PERFORM.values()) if getattr(work, "__code__", MAKING_LOOPS) is not MAKING_LOOPS
)
HEARING = []  # once there is something to hear


def hear_effects():
    """Listens from now on: nothing takes an ear away again."""
    if not HEARING:
        HEARING.append(True)
        sys.addaudithook(hear_effect)


def hear_effect(event, arguments):
    if event in WITHOUT_EFFECT or event == "compile" and is_parsed_alone(sys._getframe(1)):
        return
    modules = library_at_work(sys._getframe(1))
    if modules is not None and not modules & KEEPERS and not is_import(event, arguments, modules):
        raise PermissionError(f"what an agent asks of an object of the test's has no effect outside of it ({event})")


def is_parsed_alone(frame):
    """True where `ast.parse` makes a tree of a text, which runs nothing."""
    return frame.f_globals.get("__name__") == "ast" and frame.f_code.co_name == "parse"


def library_at_work(frame):
    """The modules of Python's library that are at work in this frame for an agent, if need be by a stand-in of ours for a function of
    theirs; None if it is for a test, or for us."""
    modules = set()
    while frame is not None and (code := frame.f_code).co_filename != TEST_FILE and code is not MAKING_LOOPS:
        if code in DOING:
            return modules
        if code.co_filename != OUR_FILE:
            modules.add(frame.f_globals.get("__name__"))
        frame = frame.f_back
    return None


def is_asked_by_an_agent():
    """True in a function of ours that Python's library has called at an agent's word."""
    return library_at_work(sys._getframe(2)) is not None


def is_import(event, arguments, modules):
    """True for what Python's own import does to read a module of the library."""
    if event not in OF_IMPORTS or modules.isdisjoint(IMPORTERS):
        return False
    return event != "open" or str(arguments[0]).startswith(LIBRARY_FOLDER)
