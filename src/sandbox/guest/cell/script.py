"""Scripts: `python agent.py ARGUMENTS`, or another file of the submission, in a forked process, to the end that the interpreter would make of it.

The interpreter itself does not end: a fork shares what it would take apart.
"""
OURS = "<agentmill>"  # the file that tracebacks name for this program


def run_script(codes, modules, arguments):
    """Runs the agent, or the module that the first argument names, as a script; returns its exit code, or the negative number of the
    signal that it ends by."""
    path = f"{HOME}/{arguments[0]}"
    module = new_module("__main__", path)
    take_stage(module, arguments)
    codes = (modules[path],) if path in modules else codes
    deepen(1, 3)
    try:
        for code in codes:
            exec(code, module.__dict__)
        status = 0
    except SystemExit as request:
        status = exit_status(request.code)
    except BaseException as error:
        status = tell_of(error)
    return end_interpreter(status, module)


def exit_status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 255
    with passing(BaseException):
        print(code, file=sys.stderr)
    return 1


def tell_of(error):
    """Prints an exception that nothing has caught, without the frames below the agent's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == OURS:
        trace = trace.tb_next
    with passing(BaseException):
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def end_interpreter(status, module):
    """Joins threads, runs exit handlers, clears the agent's module, and flushes whatever then is not flushed yet."""
    with passing(BaseException):
        if threading := sys.modules.get("threading"):
            threading._shutdown()
    with passing(BaseException):
        import atexit

        atexit._run_exitfuncs()
    status = flushed(status, sys.stdout, sys.stderr)
    with passing(BaseException):
        forget(vars(module))
    return flushed(status, sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def forget(names):
    """Clears a module as the interpreter does: first what begins with an underscore, so that finalizers find the rest."""
    for is_first in (True, False):
        for name in list(names):
            if name != "__builtins__" and (name[:1] == "_" and name[1:2] != "_") == is_first:
                names[name] = None
    gc.collect()


def flushed(status, *streams):
    for stream in streams:
        try:
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        except BaseException:
            status = status or 120
    return status


def leave(status):
    """Ends this process at once."""
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
