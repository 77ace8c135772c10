"""Reference solution of describe_numbers."""

import argparse
from math import fsum, sqrt


def describe_numbers(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    ordered = sorted(values)
    count = len(ordered)
    mean = fsum(ordered) / count
    return {
        "count": count,
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "median": (ordered[(count - 1) // 2] + ordered[count // 2]) / 2,
        "stdev": sqrt(fsum((value - mean) ** 2 for value in ordered) / count),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(describe_numbers([1, 2, 3, 6]))


if __name__ == "__main__":
    main()
