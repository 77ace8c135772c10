"""The forked process: agent code runs in it, so everything here may be watched and bent by the agent.

It shares the supervisor's program text (codec.py, this file, source.py, fence.py, relay.py, cell.py, in that order) and what was made
ahead of the agent's module: it takes requests on descriptor 3 and makes claims on descriptor 4.
"""
import _signal as signal
import builtins
import ctypes
import sys

HOME = "/tmp"
AGENT = HOME + "/agent.py"
PR_SET_DUMPABLE = 4
libc = ctypes.CDLL(None)
prctl = libc.prctl


def become_agent(stdin, stdout, stderr):
    """Leaves all of the supervisor's descriptors behind but the three given and those at 3 and 4."""
    for number, descriptor in enumerate((stdin, stdout, stderr)):
        os.dup2(descriptor, number)
    os.closerange(5, os.sysconf("SC_OPEN_MAX"))
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    prctl(PR_SET_DUMPABLE, 1)


def new_module(name):
    module = type(sys)(name)
    module.__file__, module.__builtins__ = AGENT, builtins
    return module


def take_stage(module, arguments):
    sys.modules["__main__"] = sys.modules[module.__name__] = module
    sys.argv = ["agent.py", *arguments]
    sys.path.insert(0, HOME)  # only here: the supervisor must import nothing that an agent wrote


def serve_calls(module, codes, prompt):
    """Imports the agent, as far as it is left to do, and answers calls until the supervisor ends this process."""
    wire = Wire(3, 4)
    take_stage(module, ["--task", prompt])
    broken = None
    try:
        for code in codes:
            exec(code, module.__dict__)
    except SystemExit:
        pass  # a script without a main guard; what it defined so far can be called
    except BaseException as error:
        broken = claim("broken", raised(error))
    while (frame := wire.wait()) is not None:
        wire.put(b"v", (broken or answer(module, loads(frame[1]))).encode())


def answer(module, request):
    function = module.__dict__.get(request["f"])
    if function is None:
        return claim("missing", request["f"])
    arguments = [decode(item) for item in request["a"]]
    named = {name: decode(item) for name, item in request["k"].items()}
    try:
        return f'{{"value": {encode(function(*arguments, **named))}}}'
    except NotPlain as error:
        return claim("unfit", str(error)[:1000])
    except BaseException as error:
        return claim("raised", raised(error))


def claim(kind, content):
    return dumps({kind: content})


def raised(error):
    """An exception as data: its own name, the builtin exceptions it descends from, its text and line."""
    known = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
    try:
        text = str(error)[:1000]
    except BaseException:
        text = "?"
    return {"name": type(error).__name__[:100], "kinds": known, "text": text, "line": last_line(error.__traceback__)}


def last_line(trace):
    """Where in the agent's own file it happened, or what was called from there."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == AGENT:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def run_script(codes, arguments):
    """What `python agent.py ARGUMENTS` does; returns its exit code."""
    module = new_module("__main__")
    take_stage(module, arguments)
    status = 0
    try:
        for code in codes:
            exec(code, module.__dict__)
    except SystemExit as request:
        status = exit_status(request.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    return status


def exit_status(code):
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def leave(status):
    """Ends this process as the interpreter would: threads joined, exit handlers run, output flushed."""
    import atexit
    import threading

    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        status = 120
    os._exit(status)
