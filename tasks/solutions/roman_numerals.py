"""Reference solution of roman_numerals."""

import argparse

SYMBOLS = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]


def to_roman(number: int) -> str:
    if not 1 <= number <= 3999:
        raise ValueError(f"no Roman numeral for {number}")
    parts = []
    for value, symbol in SYMBOLS:
        times, number = divmod(number, value)
        parts.append(symbol * times)
    return "".join(parts)


def from_roman(text: str) -> int:
    number, rest = 0, text
    for value, symbol in SYMBOLS:
        while rest.startswith(symbol):
            number += value
            rest = rest.removeprefix(symbol)
    # Only the standard form comes back unchanged.
    if rest or not 1 <= number <= 3999 or to_roman(number) != text:
        raise ValueError(f"not a Roman numeral: {text!r}")
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    for number in (1994, 2026, 3999):
        print(number, to_roman(number))


if __name__ == "__main__":
    main()
