"""Reference solution of run_length."""

import argparse
from itertools import groupby


def rle_encode(data: bytes) -> bytes:
    code = bytearray()
    for byte, run in groupby(data):
        length = len(list(run))
        code += bytes((255, byte)) * (length // 255)
        if length % 255:
            code += bytes((length % 255, byte))
    return bytes(code)


def rle_decode(code: bytes) -> bytes:
    lengths, values = code[::2], code[1::2]
    if len(lengths) != len(values) or 0 in lengths:
        raise ValueError("not a run-length code")
    return b"".join(bytes((byte,)) * length for length, byte in zip(lengths, values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="text to encode")
    print(rle_encode(parser.parse_args().task.encode()).hex(" "))


if __name__ == "__main__":
    main()
