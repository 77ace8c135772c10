# kind: trying what a test's functions assert where it is not heard: by what is no question, by the order of calls, in pools, threads and groups of the test's, and before an exception of its own
# task: quiet
# wants: failed failed failed failed failed failed failed failed failed failed failed failed failed failed failed
import itertools
import json
import sys

GUESSES = range(30)


def peer():
    frame = sys._getframe()
    while "peer" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["peer"]


def say(operation, target, *told):
    """Says to the judge what the agent's side of a run would not say."""
    target = {"o": object.__getattribute__(target, "_agentmill").number}
    question = {"o": operation, "t": target, "a": told, "k": {}}
    return peer().say(peer().lines.of_thread(), json.dumps({"ask": question}))


def holds(call, *given):
    try:
        call(*given)
        return True
    except BaseException:
        return False


def settle(xs, done):
    for guess in itertools.permutations([*xs]):
        say("nothing", done, {"outer": [[0, 0], guess]})
        if "raised" not in say("__call__", done):
            return


class Node:
    pass


class Tree:
    def __init__(self):
        self.nodes = []

    def add(self, n):
        self.nodes = (*self.nodes, Node())
        return self.nodes[-1]

    def best(self):
        return self.guess

    def finish(self, done):
        for self.guess in self.nodes:
            if holds(done):
                return


def pooled(pool, save):
    for n in GUESSES:
        if callable(pool):
            pool(save, n)
        elif hasattr(pool, "apply_async"):
            pool.apply_async(save, (n,))
        else:
            pool.submit(save, n)


def named(pool, save):
    for n in GUESSES:
        pool.apply_async(func=save, args=(n,))


def submit_all(pool, save):
    pool.map(lambda n: holds(save, n), GUESSES)


def sought(pool, check):
    return next(n for n in GUESSES if pool.submit(check, n).exception() is None)


def keep(save):
    next(n for n in GUESSES if holds(save, n))


def unload(save):
    keep(save)
    raise ValueError


def strip(row, done):
    for name in ("a", "b"):
        delattr(row, name)
        if holds(done):
            return


def steps(step, done):
    while not holds(done):
        step()


def transfer(connection):
    for _ in range(3):
        for name in ("commit", "write", "begin"):
            holds(getattr(connection, name))


def chime(bells, done):
    for name in ("high", "low"):
        getattr(bells, name)
        if holds(done):
            return
