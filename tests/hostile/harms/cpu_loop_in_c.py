# kind: CPU loop, in C and without a signal being heard
# wants: timeout timeout timeout
import re


def double(n):
    return re.match(r"(a+)+$", "a" * 64 + "b")
