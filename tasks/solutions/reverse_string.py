"""Reference solution of reverse_string."""

import argparse


def reverse_string(s: str) -> str:
    return s[::-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(reverse_string("hello"))


if __name__ == "__main__":
    main()
