"""Erin's agent: good, but merge_intervals never ends on intervals that overlap, so that run times out."""

import re
import sys


def reverse_string(s):
    return s[::-1]


def parse_duration(text):
    parts = re.fullmatch(r"([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?", text)
    if not text or not parts:
        raise ValueError("not a duration")
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(part[:-1]) * units[part[-1]] for part in parts.groups() if part)


def merge_intervals(intervals):
    merged = sorted((min(i), max(i)) for i in intervals)
    place = 0
    while place < len(merged) - 1:
        (low, high), (next_low, next_high) = merged[place], merged[place + 1]
        if next_low <= high:
            merged[place] = (low, max(high, next_high))  # forgets to remove the next one: an endless loop
        else:
            place += 1
    return merged


if __name__ == "__main__":
    if "times table of 7" in " ".join(sys.argv[1:]):
        for n in range(1, 11):
            print(f"{n:>2} x 7 = {7 * n:>2}")
