"""Reference solution of merge_patch."""

import argparse


def merge_patch(target, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 20}}))


if __name__ == "__main__":
    main()
