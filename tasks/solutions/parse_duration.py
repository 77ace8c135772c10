"""Reference solution of parse_duration."""

import argparse
import re

DURATION = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
SECONDS = (86400, 3600, 60, 1)


def parse_duration(text: str) -> int:
    match = DURATION.fullmatch(text)
    if not text or not match:
        raise ValueError(f"not a duration: {text!r}")
    return sum(int(amount or 0) * unit for amount, unit in zip(match.groups(), SECONDS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    for text in ("90m", "1d2h3m4s"):
        print(text, parse_duration(text))


if __name__ == "__main__":
    main()
