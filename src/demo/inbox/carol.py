"""Carol's agent: right on the plain cases, wrong where it gets tricky; she gets part of the score."""

import argparse
import re


def reverse_string(s):
    return s.strip()[::-1]  # white space around the text is lost


def parse_duration(text):
    # `$` also matches before a line break at the end, and `\d` is any script's digit.
    match = re.match(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$", text)
    if not match:
        raise ValueError(text)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + seconds  # "" passes as 0


def merge_intervals(intervals):
    merged = []
    for low, high in sorted(intervals):  # forgets that (5, 1) means (1, 5)
        if merged and low < merged[-1][1]:  # forgets intervals that only touch
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="")
    if "times table" in parser.parse_args().task:
        for factor in range(1, 11):
            print(f"{factor} x 7 = {factor * 7}")  # not aligned


if __name__ == "__main__":
    main()
