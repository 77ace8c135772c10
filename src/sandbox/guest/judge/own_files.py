"""Files of a test, as a dry run sees them: the agent is elsewhere, so that what the one writes is not there for the other (this text is put
behind measures.py).
"""
import os
import sys

HINT_WRITTEN = "is a file of the test's, which is not there for the agent: give it an io.StringIO, patch open, or put the file into `files:` of the task"
HINT_READ = "is not there for the test, whatever the agent writes: have it write to an io.StringIO of the test's, or patch open"


class OwnFiles:
    """The files that tests write, and those that they look for. A plain task has none: its process goes on to other runs, and would have an
    ear for all that Python does, which nothing takes away again, for each task."""

    def __init__(self, is_plain):
        self.written = set()
        if not is_plain:
            sys.addaudithook(self.hear)

    def hear(self, event, arguments):
        if event != "open":
            return
        path, mode, flags = arguments
        writes = set("wax+") & set(mode) if type(mode) is str else flags & (os.O_WRONLY | os.O_RDWR)
        if writes and type(path) is str and len(path) > 1:
            self.written.add(path)

    def named_in(self, request):
        """The words about a file that the agent is told of."""
        path = next((path for path in self.written if dumps(path)[1:-1] in request), None)
        return path and f"{brief(path)} {HINT_WRITTEN}"

    def missed(self, error):
        """The words about a file that was looked for."""
        is_missed = isinstance(error, FileNotFoundError) and type(error.filename) is str
        return f"{brief(error.filename)} {HINT_READ}" if is_missed else None
