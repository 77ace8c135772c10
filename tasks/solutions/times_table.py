"""Reference solution of times_table."""

import argparse


def times_table(of: int) -> str:
    return "\n".join(f"{factor:2} x {of} = {factor * of:2}" for factor in range(1, 11))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    if "times table of 7" in parser.parse_args().task:
        print(times_table(7))


if __name__ == "__main__":
    main()
