"""Dialogues: a script that is spoken to while it runs, a line at a time (this text is put before the supervisor's)."""
import _struct as struct


class Dialogue:
    """The supervisor's side of a script whose stdin stays open."""

    def __init__(self, process):
        self.process, self.heard = process, 0

    def say(self, text, is_last):
        """Writes to its stdin, and closes that behind the last word."""
        process = self.process
        process.is_dialogue = not is_last
        if process.stdin is not None:
            process.tell(process.stdin, text)

    def line(self):
        """The next line of its stdout, if it has come as a whole."""
        stdout = self.process.printed[self.process.stdout]
        end = stdout.find(b"\n", self.heard) + 1
        return self.taken(end) if end else None

    def rest(self):
        return self.taken(len(self.process.printed[self.process.stdout]))

    def taken(self, end):
        start, self.heard = self.heard, end
        return bytes(self.process.printed[self.process.stdout][start:end])


def heard(alive, code, stdout, stderr=b""):
    """The payload of FromCell.Line."""
    return struct.pack(">?iI", alive, code, len(stdout)) + stdout + stderr
