"""Programs of a task's author: checkers, which look at an output, and interactors, which talk to the agent's program (this
text is put before the judge's).

A file that defines `check(input, output, answer)` or `interact(talk, input, answer)` is called. Any other is run as Kattis
and the ICPC run output validators: `FILE INPUT ANSWER FEEDBACK_DIR < OUTPUT`, where exit code 42 accepts and 43 does not.
"""
import ast
import io
import os
import sys

ACCEPTED, REFUSED = 42, 43


def compiled_program(spec, entry):
    """An author's file, compiled: its name, its code, and the function that it has to be called by, if it has."""
    tree = ast.parse(spec["text"], spec["name"])
    is_function = any(isinstance(node, ast.FunctionDef) and node.name == entry for node in tree.body)
    code = compile(tree, spec["name"], "exec", dont_inherit=True)
    return {"name": spec["name"], "entry": entry, "is_called": is_function, "code": code}


class Program:
    """An author's file, compiled."""

    def __init__(self, compiled):
        self.name, self.code = compiled["name"], compiled["code"]
        self.entry, self.is_called = compiled["entry"], compiled["is_called"]

    def call(self, *arguments):
        """Calls its function, in a fresh copy of the file; raises AssertionError where that is not content."""
        scope = {"__name__": "task", "__file__": self.name}
        exec(self.code, scope)
        answer = scope[self.entry](*arguments)
        if answer is False:
            raise AssertionError(f"{self.name} does not accept it")
        if answer is not True:
            raise Careless(f"{self.entry} in {self.name} returned {brief(answer)}, not True or False")

    def run(self, case_input, answer, stdin, stdout):
        """Runs it as a program; raises AssertionError where that does not accept."""
        import tempfile

        with tempfile.TemporaryDirectory() as feedback, as_file(case_input) as first, as_file(answer) as second:
            code = self.exit_code([self.name, first, second, feedback + "/"], stdin, stdout)
            if code == ACCEPTED:
                return
            if code != REFUSED:
                raise Careless(f"{self.name} ended with exit code {code}, not {ACCEPTED} or {REFUSED}; it has no function `{self.entry}` to call instead")
            raise AssertionError(message_in(feedback) or f"{self.name} does not accept it")

    def told(self, error):
        """An exception of its own, with its place."""
        line, trace = "?", error.__traceback__
        while trace is not None:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == self.name else line
            trace = trace.tb_next
        return f"{self.name} line {line} raised {type(error).__name__}: {said(error)}"

    def exit_code(self, argv, stdin, stdout):
        kept = sys.argv, sys.stdin, sys.stdout
        sys.argv, sys.stdin, sys.stdout = argv, stdin, stdout
        try:
            exec(self.code, {"__name__": "__main__", "__file__": self.name})
        except SystemExit as request:
            return request.code or 0
        finally:
            sys.argv, sys.stdin, sys.stdout = kept
        return 0


class Careless(Exception):
    """The author's program says neither yes nor no."""


class as_file:
    """Bytes under a path, for as long as the block runs; they lie in memory, as the judge's disk holds little."""

    def __init__(self, content):
        self.content = content

    def __enter__(self):
        self.file = os.memfd_create("case")
        with open(self.file, "wb", closefd=False) as file:
            file.write(self.content)
        return f"/proc/self/fd/{self.file}"

    def __exit__(self, *_):
        os.close(self.file)


def message_in(folder):
    try:
        with open(f"{folder}/judgemessage.txt", errors="replace") as file:
            return file.read(300).strip()
    except OSError:
        return ""


class Talk:
    """The other side of the agent's program, for an interactor."""

    def __init__(self, run):
        self.run, self.unsaid, self.begun, self.unheard = run, "", False, io.BytesIO()
        self.code = self.stderr = None  # its exit code, once it has ended

    def print(self, *values, sep=" ", end="\n"):
        """Says something, as `print` would."""
        self.write(sep.join(map(str, values)) + end)

    def write(self, text):
        """Says something; it is sent when a line is waited for."""
        self.unsaid += text

    def readline(self):
        """The next line that the program prints, with its end; nothing once it has ended."""
        return self.hear().decode("utf-8", "replace")

    def close(self):
        """Says no more, and waits for the program's end; what it prints until then."""
        rest = b""
        while line := self.hear(close=True):
            rest += line
        return rest.decode("utf-8", "replace")

    def hear(self, close=False):
        if self.code is None:
            self.unheard = io.BytesIO(self.ask(close))
        return self.unheard.readline()

    def ask(self, close):
        """Asks for a line, or for the program's end: then for all lines that are left."""
        said, self.unsaid = self.unsaid, ""
        request = {"start": not self.begun, "say": said, "close": close}
        self.begun = True
        heard = self.run.ask(ToCell.Talk, dumps(request))
        alive, code, length = struct.unpack(">?iI", heard[:9])
        if not alive:
            self.code, self.stderr = code, heard[9 + length :]
        return heard[9 : 9 + length]


class TalkFile(io.RawIOBase):
    """A talk as a program's stdin and stdout."""

    def __init__(self, talk):
        self.talk, self.left = talk, b""

    def readable(self):
        return True

    writable = readable

    def readinto(self, space):
        self.left = self.left or self.talk.hear()
        chunk, self.left = self.left[: len(space)], self.left[len(space) :]
        space[: len(chunk)] = chunk
        return len(chunk)

    def write(self, content):
        self.talk.write(bytes(content).decode("utf-8", "replace"))
        return len(content)
