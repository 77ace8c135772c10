"""Reference solution of top_words."""

import argparse
import re
from collections import Counter

WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")


def top_words(text: str, n: int) -> list[tuple[str, int]]:
    counts = Counter(word.lower() for word in WORD.findall(text))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="text to count the words of")
    for word, count in top_words(parser.parse_args().task, 5):
        print(count, word)


if __name__ == "__main__":
    main()
