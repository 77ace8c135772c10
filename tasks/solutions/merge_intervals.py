"""Reference solution of merge_intervals."""

import argparse


def merge_intervals(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted((min(ends), max(ends)) for ends in intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(merge_intervals([(1, 4), (2, 6), (8, 9)]))


if __name__ == "__main__":
    main()
