"""Rules: knows these faults by their look, and asks nobody."""
import difflib

MENDED = [
    ("first < merged[-1][1]:", "first <= merged[-1][1] + 1:"),
    ("merged[-1][1] = last", "merged[-1][1] = max(merged[-1][1], last)"),
    ("sum(last - first for", "sum(last - first + 1 for"),
]


def agent_main(input):
    with open("intervals.py") as file:
        source = mended = file.read()
    for fault, better in MENDED:
        mended = mended.replace(fault, better)
    lines = (source.splitlines(), mended.splitlines())
    return "\n".join(difflib.unified_diff(*lines, "a/intervals.py", "b/intervals.py", lineterm=""))


def call(source, name, args):
    module = {}
    exec(source, module)
    return module[name](*args)
