# kind: values that would act if they were evaluated or formatted
# wants: failed failed failed
def double(n):
    if n == 4:
        return "__import__('os')._exit(0)"
    if n == -3:
        return b"cos\nsystem\n(S'true'\ntR."
    return "{0.__class__.__mro__[1].__subclasses__}%s%n%(abab)s"
