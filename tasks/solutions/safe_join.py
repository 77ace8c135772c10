"""Reference solution of safe_join."""

import argparse


def safe_join(base: str, path: str) -> str:
    if path.startswith("/") or "\\" in path or "\0" in path:
        raise ValueError(f"not a relative path: {path!r}")
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                raise ValueError(f"leads out of its folder: {path!r}")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join([base.rstrip("/"), *parts]) or "/"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(safe_join("/srv/data", "pics/./2026/../cat.png"))


if __name__ == "__main__":
    main()
