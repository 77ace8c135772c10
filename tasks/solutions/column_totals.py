"""Reference solution of column_totals."""

import sys


def column_totals(table: str, wanted: list[str]) -> list[str]:
    """One line `NAME=TOTAL` per column; ValueError with the message for the user."""
    totals: dict[str, int] | None = None
    for number, line in enumerate(table.split("\n"), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if totals is None:
            totals = dict.fromkeys(cells, 0)
            continue
        if len(cells) != len(totals):
            raise ValueError(f"bad line {number}")
        for name, cell in zip(totals, cells):
            try:
                totals[name] += int(cell)
            except ValueError:
                raise ValueError(f"bad line {number}") from None
    if totals is None:
        raise ValueError("no table")
    for name in wanted:
        if name not in totals:
            raise ValueError(f"no column {name}")
    return [f"{name}={totals[name]}" for name in wanted or totals]


def main(arguments: list[str]) -> int:
    if arguments[:1] != ["column-totals"]:
        print("usage: agent.py column-totals [NAME...]")
        return 0
    try:
        lines = column_totals(sys.stdin.read(), arguments[1:])
    except ValueError as mistake:
        print(mistake, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
