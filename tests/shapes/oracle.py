"""Plain Python as the oracle of tests: each family of shapes is a JSON argument, and the outcomes are printed as JSON.

A test runs in a process of its own, with the agent's names beside its own, as after `from agent import *`.
"""
import asyncio  # like the next ones, before the forks, since most of their time is for imports
import contextlib
import dataclasses
import io
import json
import os
import random
import re
import signal
import sys
import types
import unittest.mock

AGENT, TASK = "/tmp/agent.py", "task"
SECONDS = 20  # for a test; none of them is meant to go on for ever


class raises:
    """The context manager of tests, for plain Python; with something to call it calls that, as pytest's does."""

    def __init__(self, *kinds, match="", **named):
        kinds, call = (kinds[:1], kinds[1:]) if any(not isinstance(kind, (type, tuple)) for kind in kinds) else (kinds, ())
        self.pattern = match
        self.kinds = tuple(one for kind in kinds for one in (kind if isinstance(kind, tuple) else (kind,)))
        if call:
            with self:
                call[0](*call[1:], **named)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        assert kind is not None, "nothing was raised"
        self.value, self.type = value, kind
        return issubclass(kind, self.kinds) and self.match(self.pattern)

    def match(self, pattern):
        assert re.search(pattern, str(self.value)), "the text is another one"
        return True


def output_of(function, *args, **kwargs):
    """Text that a call prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        function(*args, **kwargs)
    return printed.getvalue()


def module_of(source):
    module = sys.modules["agent"] = types.ModuleType("agent")
    module.__file__ = AGENT
    with open(AGENT, "w") as file:
        file.write(source)  # for `inspect.getsource`
    exec(compile(source, AGENT, "exec"), module.__dict__)
    return module


def outcome(names, setup, test):
    random.seed(0)
    scope = names | {"raises": raises, "output_of": output_of, "__name__": TASK, "__file__": "/tmp/task.py"}
    try:
        exec(compile(setup, TASK, "exec"), scope)
        exec(compile(test, TASK, "exec"), scope)
    except BaseException as error:
        held = "failed" if isinstance(error, AssertionError) and last_file(error) == TASK else "raised"
        return held, f"{type(error).__name__}: {error}"[:300]
    return "passed", ""


def last_file(error):
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename
    return TASK if file == "<string>" else file  # of this program


def apart(*given):
    """The outcome, found out in a process of its own."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        signal.alarm(SECONDS)
        told = outcome(*given)
        os.write(writer, json.dumps(told).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        told = file.read()
    os.waitpid(child, 0)
    return json.loads(told) if told else ("stuck", "")


def answers(agent, shapes):
    """The outcomes of an agent, whose module is made once."""
    names = {name: value for name, value in vars(module_of(agent)).items() if not name.startswith("__")}
    return [apart(names, *shape) for shape in shapes]


def family(given):
    return list(zip(*(answers(agent, given["shapes"]) for agent in given["agents"])))


if __name__ == "__main__":
    printed = os.dup(1)
    os.dup2(2, 1)  # what agents print is nobody's answer
    told = json.dumps([family(json.loads(argument)) for argument in sys.argv[1:]])
    with open(printed, "w") as file:
        file.write(told)
