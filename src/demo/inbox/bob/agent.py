# Bob's agent: solves every task too, by other means than Alice. It came as a folder, bob/agent.py;
# both ways of handing in work. Bob likes iterators, folds and dispatch tables.
import sys
from functools import reduce
from itertools import accumulate, groupby

SECONDS = dict(d=86_400, h=3_600, m=60, s=1)
DIGITS = frozenset("0123456789")


def reverse_string(s):
    return "".join(reversed(s))


def parse_duration(text):
    def refuse():
        raise ValueError("bad duration " + repr(text))

    total, allowed = 0, "dhms"
    runs = ["".join(run) for _, run in groupby(text, DIGITS.__contains__)]
    if not runs or len(runs) % 2:
        refuse()
    for amount, unit in zip(runs[0::2], runs[1::2]):
        if not DIGITS.issuperset(amount) or len(unit) != 1 or unit not in allowed:
            refuse()
        allowed = allowed.partition(unit)[2]  # smaller units only from here on
        total += int(amount) * SECONDS[unit]
    return total


def merge_intervals(intervals):
    # Walk over all ends: +1 where an interval opens, -1 behind its close. Depth 0 is a gap.
    ends = sorted(e for a, b in map(sorted, intervals) for e in ((a, 0, +1), (b, 1, -1)))
    depths = list(accumulate(step for _, _, step in ends))
    closes = [point for (point, _, _), depth in zip(ends, depths) if depth == 0]
    opens = [point for (point, _, _), before in zip(ends, [0] + depths) if before == 0]
    return list(zip(opens, closes))


def times_table():
    rows = ("%2d x 7 = %2d\n" % (n, 7 * n) for n in range(1, 11))
    return reduce(str.__add__, rows)


ANSWERS = {"times table of 7": times_table}

if __name__ == "__main__":
    prompt = sys.argv[sys.argv.index("--task") + 1] if "--task" in sys.argv else ""
    for words, answer in ANSWERS.items():
        if words in prompt:
            sys.stdout.write(answer())
