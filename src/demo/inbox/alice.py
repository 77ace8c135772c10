"""Alice's agent: solves every task, in plain and readable functions."""

import argparse
import re

DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")


def reverse_string(s: str) -> str:
    return s[::-1]


def parse_duration(text: str) -> int:
    match = DURATION.fullmatch(text)
    if match is None or text == "":
        raise ValueError(f"not a duration: {text!r}")
    days, hours, minutes, seconds = (int(amount or 0) for amount in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def merge_intervals(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted((min(ends), max(ends)) for ends in intervals):
        if merged and low <= merged[-1][1]:
            start, end = merged.pop()
            merged.append((start, max(end, high)))
        else:
            merged.append((low, high))
    return merged


def print_times_table(number: int) -> None:
    for factor in range(1, 11):
        print(f"{factor:2} x {number} = {factor * number:2}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True, help="the prompt of the task to solve")
    task = parser.parse_args().task
    if "times table of 7" in task:
        print_times_table(7)


if __name__ == "__main__":
    main()
