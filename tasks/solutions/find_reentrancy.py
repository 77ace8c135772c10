"""Reference solution of find_reentrancy: a line-by-line reader of the agreed layout."""

import argparse
import re

FUNCTION = re.compile(r"    function (\w+)")
STATE = re.compile(r"    \S.*?(\w+)(?: =(?!=|>).*)?;$")
WRITE = re.compile(r"(delete )?(\w+)((?:\[.*\])?)\s*(\+\+|--|[-+*/]?=(?!=))?")


def written(statement: str) -> str | None:
    """The variable that a statement writes, if it writes one."""
    match = WRITE.match(statement.strip())
    return match[2] if match and (match[1] or match[4]) else None


def find_reentrancy(source: str) -> list[str]:
    lines = [line.split("//")[0].rstrip() for line in source.splitlines()]
    state = {match[1] for line in lines if (match := STATE.match(line))}

    found: list[str] = []
    function, guarded, sent = "", False, False
    for line in lines:
        if match := FUNCTION.match(line):
            function, guarded, sent = match[1], "nonReentrant" in line.split(), False
        elif sent and not guarded and written(line) in state:
            found.append(function)
            sent = False
        elif ".call{value:" in line:
            sent = True
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(find_reentrancy(
        "contract Bank {\n"
        "    uint256 total;\n"
        "    function pay(uint256 n) external {\n"
        '        (bool ok, ) = msg.sender.call{value: n}("");\n'
        "        total -= n;\n"
        "    }\n"
        "}\n"
    ))


if __name__ == "__main__":
    main()
