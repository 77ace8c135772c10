"""Tasks, as a judge's processes run them (this text is put before the judge's)."""
import collections

# A name that a test (None: setup) reads without binding it, its line in the task's file, and whether a function may be
# meant: it is called or handed on.
Use = collections.namedtuple("Use", "test name line is_function")


class Task:
    """A task of which nothing has been run yet, made of what a compiler tells of it."""

    def __init__(self, content):
        vars(self).update(content)
        self.kinds = {}
        self.uses = list(map(Use._make, self.uses))
        self.helpers = {name: HELPERS[name] for name in self.helpers}
        self.rules = {place: rule(compiled) for place, compiled in self.rules.items()}
        self.tests = [self.case(i, test) if type(test) is dict else test for i, test in enumerate(self.tests)]

    def case(self, test, content):
        return Case(test, content["name"], self.rules[content["place"]], content["is_first"])

    def kind_named(self, name):
        """`class` or `function`, as the task has it of a name; None if it doesn't say."""
        if name not in self.kinds:
            self.kinds[name] = kind_named(name, self.prompt, self.has_objects, self.objects, self.numbers)
        return self.kinds[name]

    def fault(self, test, error):
        """A flaw: the exception of the author's own code, at its line of the task's file."""
        line, trace = None, error.__traceback__
        while trace is not None:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == "task" else line
            trace = trace.tb_next
        message = f"raised {type(error).__name__}: {said(error)[:300]}"
        if isinstance(error, ModuleNotFoundError):
            message += "; raises and approx are there without it" if error.name == "pytest" else "; a judge has the standard library, and the agent's names without an import"
        if isinstance(error, AttributeError):
            message += unprepared(type(error.obj), error)
        if isinstance(error, (Careless, NoShare, Misused)):
            message = said(error)[:300]
        if isinstance(error, AssertionError):
            message = f"does not hold, whatever the agent does: {said(error)[:300]}"
        return {"test": test, "line": line or self.line(test), "message": message.removesuffix(": ")}

    def line(self, test):
        return self.setup_line if test is None else self.lines[test]


def unprepared(kind, error):
    """Advice on a test of pytest's or unittest's that was called without what these call before it."""
    names = [frame.f_code.co_name for frame in frames_of_test(error)]
    method = next((name for name in names if name.startswith("test")), "METHOD")
    if is_case(kind) and hasattr(kind, method):
        return f'; write {kind.__name__}("{method}").debug(), which calls setUp before the method'
    for name, remedy in PREPARING.items():
        if callable(getattr(kind, name, None)):
            return f"; nothing calls {name}: {remedy.format(kind.__name__)}"
    return ""


PREPARING = {"setup_method": "call it __init__, which {}() calls", "setup_class": "write {}.setup_class() at the end of setup"}
PREPARING["setUpClass"] = "write {}.setUpClass() at the end of setup"


def is_case(kind):
    cases = sys.modules.get("unittest.case")
    return cases is not None and issubclass(kind, cases.TestCase) and kind.setUp is not cases.TestCase.setUp
