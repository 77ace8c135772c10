"""Files of a task: the folder that the agent's processes begin in, which they can read and nothing else.

The cell has one user, so modes alone would not hold: its owner may change them. In such a cell the agent's processes change no
mode (`guard_modes`); and whatever did get at the folder, be it only to move it, shows in times that nobody can set, and then
the cell is used no more. It is made once the forker is there, which so has never held a byte of it.
"""
import time

FILES = HOME + "/files"
LONG_AGO = 315532800  # when all files were changed last, as far as anybody is told: 1980-01-01
FAR_AHEAD = 4102444800  # when they were read last: a kernel that notes this now and then finds nothing to note
TICK = 0.02  # seconds; the kernel's clock for files has gone on by then


class Files:
    """The folder. Until there is one, processes begin in HOME."""

    def __init__(self):
        self.paths, self.known, self.kept = [], [], ()
        self.workplace = os.open(HOME, os.O_RDONLY)

    def take(self, pieces):
        """Takes pieces of files, or the word that there are no more; why it can't, or nothing."""
        try:
            self.write(memoryview(pieces)) if pieces else self.seal()
            return ""
        except OSError as error:
            return f"{error.strerror}: {error.filename or FILES}"

    def write(self, pieces):
        while pieces:
            path, pieces = cut(pieces)
            content, pieces = cut(pieces)
            self.append(f"{FILES}/{bytes(path).decode()}", content)

    def append(self, path, content):
        if path not in self.paths[-1:]:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self.paths.append(path)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while content:
                content = content[os.write(file, content) :]
        finally:
            os.close(file)

    def seal(self):
        """Makes all of it read-only, from the bottom up, and notes how it is now."""
        folders = {os.path.dirname(path) for path in self.paths}
        for folder in [*folders]:
            while folder != FILES:
                folders.add(folder := os.path.dirname(folder))
        for paths, mode in (self.paths, 0o444), (sorted(folders, key=len, reverse=True), 0o555):
            for path in paths:
                os.utime(path, (FAR_AHEAD, LONG_AGO))
                os.chmod(path, mode)
        self.known = [(path, appearance(path)) for path in (*folders, *self.paths)]
        os.close(self.workplace)
        self.workplace, self.kept = os.open(FILES, os.O_RDONLY), (os.path.basename(FILES),)
        time.sleep(TICK)

    def are_whole(self):
        """True if nothing of it has changed. What was added to a folder shows in the folder."""
        try:
            return all(appearance(path) == known for path, known in self.known)
        except OSError:
            return False


def cut(pieces):
    """The first piece behind its length, and what follows it."""
    end = 4 + int.from_bytes(pieces[:4], "big")
    return pieces[4:end], pieces[end:]


def appearance(path):
    """All that can be told of a file without reading it; the time of its last change is the kernel's alone to set."""
    it = os.lstat(path)
    return it.st_mode, it.st_ino, it.st_dev, it.st_nlink, it.st_uid, it.st_size, it.st_atime_ns, it.st_mtime_ns, it.st_ctime_ns
