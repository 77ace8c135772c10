"""Frank's agent: not accepted, because it imports numpy, and agents have the standard library only."""

import argparse

import numpy as np


def reverse_string(s):
    return "".join(np.array(list(s))[::-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", default="")
    print(reverse_string(parser.parse_args().task))


if __name__ == "__main__":
    main()
