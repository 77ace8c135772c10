"""The C library's functions, by the half of ctypes that is written in C: the package around it would take a cell as long as all else
that it imports (this text is put before the rest of a program).
"""
import _ctypes


class Int(_ctypes._SimpleCData):
    _type_ = "i"


class Long(_ctypes._SimpleCData):
    _type_ = "l"


class Address(_ctypes._SimpleCData):
    _type_ = "P"


class Char(_ctypes._SimpleCData):
    _type_ = "c"


class Function(_ctypes.CFuncPtr):
    """A function that returns an int; other threads run meanwhile."""

    _flags_, _restype_ = _ctypes.FUNCFLAG_CDECL, Int


class HoldingFunction(_ctypes.CFuncPtr):
    """The same, but no other thread runs meanwhile."""

    _flags_, _restype_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_PYTHONAPI, Int


class CLibrary:
    """All that is linked into this process, each function as one of this kind. An argument is a plain int of C's, bytes, None, or of a
    class above; AttributeError if there is no function of the name."""

    def __init__(self, kind):
        self._kind, self._handle = kind, _ctypes.dlopen(None, 0)

    def __getattr__(self, name):
        function = self._kind((name, self))
        setattr(self, name, function)
        return function


def memory(size, content=b""):
    """So many bytes, zeros behind the content."""
    room = (Char * size)()
    room[: len(content)] = content
    return room


libc = CLibrary(Function)
PR_SET_DUMPABLE = 4  # to 0: other processes of the user neither read nor write this one's memory, and its files in /proc are root's
