"""An agent's source: compiled once, in a process of its own, and parted into what is done ahead of all runs and the rest.

Modules mostly begin with imports and definitions. To make a function runs none of its code; so the supervisor makes them
once, and every process that it forks has them. What that may be is said in ahead.py. The first statement that is anything else,
and all that follow it, are left to each run.
"""
import _warnings

PyCF_ONLY_AST, CO_FUTURE_ANNOTATIONS = 0x400, 0x1000000
RLIMIT_CPU = 0
IN_TIME = 0.5  # seconds of CPU time that what is made ahead may take


class Refused(Exception):
    """Python does not compile it: its line, or None, and the message."""


def compiled(files, cpu_seconds):
    """Two code objects of the agent: what is done ahead of all runs, and what is left to each; and one of each module beside
    it, by its path. What compiling takes of memory and time, and what it may break, are not this process's."""

    def within_limit():
        libc.setrlimit(RLIMIT_CPU, _ctypes.byref((Long * 2)(cpu_seconds, cpu_seconds)))
        return _compile(files)

    lost = f"Python's compiler does not survive it, or takes more than {cpu_seconds} s over it"
    codes, flaw = apart(within_limit) or (None, (None, lost))
    if flaw:
        raise Refused(*flaw)
    return codes


def taken_apart(source):
    """The files of a submission, by their paths: one that is joined of several begins as no Python does."""
    if not source.startswith(b"==> "):
        return {AGENT: source}
    files, rest = {}, source[source.index(b"\n") + 1 :]
    while rest:
        heading, _, rest = rest.partition(b"\n")
        path, length = heading[4 : -len(b" bytes <==")].decode().split(": ")
        files[f"{HOME}/{path}"], rest = rest[: int(length)], rest[int(length) + 1 :]
    return files


def made_ahead(code):
    """The agent's module as far as it is made ahead; None if that is not to be had, or not soon: types can be put into types that take
    for ever to be told from others. So it is tried in a process of its own first."""
    if not apart(lambda: is_made_soon(code)):
        return None
    module = new_module("agent")
    try:
        exec(code, module.__dict__)
        return module
    except Exception:
        return None  # each run comes upon it by itself


def is_made_soon(code):
    signal.setitimer(signal.ITIMER_PROF, IN_TIME)  # past which the kernel ends this process
    exec(code, new_module("agent").__dict__)
    return True


def warm_up(codes):
    """Imports what functions name, too: most likely they will import it."""
    for name in sorted((WARM - LADEN).intersection(name for code in codes for name in _names(code))):
        __import__(name)


def _names(code):
    yield from code.co_names
    for constant in code.co_consts:
        if type(constant) is type(code):
            yield from _names(constant)


def _compile(files):
    gc.disable()  # in a process that ends with this: a tree holds no circles
    _warnings.filters.insert(0, ("ignore", None, Warning, None, 0))  # as the module warnings would, which is in a file
    codes, flaw = _agent_codes(files[AGENT])
    modules = {}
    for path in sorted(files.keys() - {AGENT}):
        if flaw:
            break
        modules[path], flaw = _attempted(lambda: _code(_decoded(files[path]), path=path))
        if flaw:
            line, message = flaw
            flaw = None, f"{path[len(HOME) + 1 :]}{line and f', line {line}' or ''}: {message}"
    return (codes, modules), flaw


def _agent_codes(source):
    try:
        return _parted(_decoded(source)), None
    except Exception:
        pass  # its tree may be too deep for Python where its code is not
    return _attempted(lambda: (_code(""), _code(_decoded(source))))


def _decoded(source):
    return source.decode("utf-8-sig")


def _attempted(work):
    """A pair: the code, or None; and the fault, if it does not compile, as its line or None, and the message."""
    try:
        return work(), None
    except SyntaxError as error:
        return None, (error.lineno, str(error.msg))
    except Exception as error:
        return None, (None, f"{type(error).__name__}: {error}".rstrip(": "))


def _parted(text):
    tree = _code(text, PyCF_ONLY_AST)
    body, module = tree.body, type(tree)
    names, count = Names(), 0
    while count < len(body) and is_inert(body[count], names):
        count += 1
    ahead = _code(module(body[:count], []))
    return ahead, _code(module(body[count:], []), ahead.co_flags & CO_FUTURE_ANNOTATIONS)


def _code(source, flags=0, path=AGENT):
    return compile(source, path, "exec", flags, dont_inherit=True)
