"""Rules: patterns of lines, and no model."""
import os
import re

RULES = [
    ("origin", re.compile(r"tx\.origin")),
    ("delegatecall", re.compile(r"\.delegatecall\(")),
    ("unchecked", re.compile(r"^\s*[\w\[\]]+\.send\(")),
    ("randomness", re.compile(r"keccak256.*block\.timestamp")),
    ("overflow", re.compile(r"^\s*unchecked \{")),
]


def audit():
    findings = []
    for name in sorted(os.listdir(".")):
        with open(name) as file:
            lines = file.read().splitlines()
        for number, line in enumerate(lines, 1):
            findings += [finding(name, number, kind) for kind, rule in RULES if rule.search(line)]
            if ".call{value" in line and changes_afterwards(lines[number:]):
                findings.append(finding(name, number, "reentrancy"))
    return findings


def changes_afterwards(lines):
    """True if the same function writes to what it keeps after the call."""
    for line in lines:
        if line.startswith("    }"):
            return False
        if re.search(r"\] [-+]?= ", line):
            return True
    return False


def finding(file, line, kind):
    return {"file": file, "line": line, "kind": kind}
