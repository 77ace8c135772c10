# kind: raising what test runners take for a skip
# wants: error error error
import unittest


def double(n):
    raise unittest.SkipTest("not on this machine")
