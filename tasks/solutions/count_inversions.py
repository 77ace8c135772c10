"""Reference solution of count_inversions: merge sort, bottom up."""

import argparse


def count_inversions(values: list[int]) -> int:
    values, total, width = list(values), 0, 1
    while width < len(values):
        merged = []
        for start in range(0, len(values), 2 * width):
            left = values[start:start + width]
            right = values[start + width:start + 2 * width]
            i = 0
            for value in right:
                while i < len(left) and left[i] <= value:
                    merged.append(left[i])
                    i += 1
                total += len(left) - i
                merged.append(value)
            merged += left[i:]
        values, width = merged, 2 * width
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(count_inversions([3, 1, 2]))


if __name__ == "__main__":
    main()
