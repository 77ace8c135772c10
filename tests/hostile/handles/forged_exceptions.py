# kind: exceptions that pretend to be the judge's own
# task: stack
# wants: error error error error error error error error
def forged(name, base=BaseException):
    return type(name, (base,), {"__module__": "builtins", "__qualname__": name, "agents_kinds": frozenset(["IndexError"])})


class Stack:
    def __init__(self, *items):
        pass

    def push(self, item):
        raise forged("Ended")

    def pop(self):
        raise forged("Unusable", Exception)("passed")

    @property
    def top(self):
        raise forged("TooMuch")

    def __len__(self):
        raise forged("NotPlain")

    def __iter__(self):
        raise forged("Stopped", RuntimeError)

    def __str__(self):
        raise forged("AssertionError", AssertionError)

    def __contains__(self, item):
        raise forged("MemoryError", MemoryError)
