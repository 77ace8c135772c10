"""Evaluators: what runs a text as a program, or opens what it names, as a dry run has it. A test that hands an agent's answer to one has
the agent's program run in the judge, where the expected values are. And what reads an agent's program, which may show another one
(this text is put behind suspicions.py).
"""
import functools
import sys

BUILTIN_EVALUATORS = "eval exec compile open __import__".split()
EVALUATORS = {
    "pickle": "load loads", "marshal": "load loads", "os": "system popen", "importlib": "import_module", "runpy": "run_path run_module",
    "subprocess": "run call check_call check_output getoutput getstatusoutput", "doctest": "run_docstring_examples testmod",
    "timeit": "timeit repeat", "logging.config": "dictConfig fileConfig", "ast": "parse", "inspect": "getsource getsourcelines",
}  # fmt: skip
HARMLESS_ALONE = frozenset(("compile", "ast.parse"))  # what they make of an answer is one still


class Watched:
    """An evaluator that tells of it if it is given an answer, and does nothing then."""

    def __init__(self, home, name, note):
        self.home, self.function, self.note = home, getattr(home, name), note
        self.name = name if home is builtins else f"{home.__name__}.{name}"
        functools.update_wrapper(self, self.function)

    def __call__(self, *args, **named):
        given = [value for value in (*args, *named.values()) if self.is_answer(value)]
        if given and self.name not in HARMLESS_ALONE:
            self.note(self.name)
        if given and not self.asks(given):
            return Anything()
        if self.name in ("eval", "exec") and len(args) == 1:
            above = sys._getframe(1)
            args = (*args, above.f_globals, above.f_locals)
        return self.meant()(*args, **named)

    def meant(self):
        """The function that the name stands for; of Python's own, it may be a test's by now."""
        return getattr(builtins, self.name) if self.home is builtins else self.function

    def asks(self, given):
        """True where it is the agent that is asked for what it gives: for the text of its functions."""
        return self.home.__name__ == "inspect" and all(map(is_stand_in, given))

    def is_answer(self, value):
        """True for an answer, a text in which one stands, and a list of such; for the agent's functions, where it is their text that is read."""
        if issubclass(type(value), str):
            return MARK in value
        if type(value) in (list, tuple):
            return any(map(self.is_answer, value))
        is_agents = is_stand_in(value) or type(value) in (Agent, AgentModule)
        return issubclass(type(value), Anything) or is_agents and self.home.__name__ in ("doctest", "inspect")


def watch(library, note):
    """Watches the evaluators of the modules that a task uses; those of Python's own, by their names."""
    for home, names in EVALUATORS.items():
        if any(f"{name}.".startswith(f"{home}.") for name in library):
            module = __import__(home, fromlist=["*"])
            for name in names.split():
                setattr(module, name, Watched(module, name, note))
    return {name: Watched(builtins, name, note) for name in BUILTIN_EVALUATORS}
