"""Reference solution of connected_groups."""

import argparse


def connected_groups(edges: list[tuple[str, str]]) -> set[frozenset[str]]:
    neighbours: dict[str, set[str]] = {}
    for one, other in edges:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)

    groups: set[frozenset[str]] = set()
    unseen = set(neighbours)
    while unseen:
        waiting = [unseen.pop()]
        group = set(waiting)
        while waiting:
            new = neighbours[waiting.pop()] & unseen
            unseen -= new
            group |= new
            waiting.extend(new)
        groups.add(frozenset(group))
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    for group in connected_groups([("a", "b"), ("b", "c"), ("x", "y")]):
        print(*sorted(group))


if __name__ == "__main__":
    main()
