# An honest agent that fills every task here; what it scores alone it scores among the others.
import os
import sys


def double(n):
    return n + n


def is_even(n):
    return n % 2 == 0


def half(x):
    if isinstance(x, str):
        raise ValueError("text can't be halved")
    return x / 2


def names():
    return ["bob", "ann"]


def pack(text):
    return text[::-1]


unpack = pack


def doors():
    return sorted(set(os.listdir("/tmp")) - {"agent.py"})


if __name__ == "__main__":
    print(sys.stdin.read() + "42")
