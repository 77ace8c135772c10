"""Reference solution of find_vulnerable_line: walks the syntax tree."""

import argparse
import ast

ALWAYS = {"pickle.load", "pickle.loads"}
UNLESS_LITERAL = {"eval", "exec", "os.system", "os.popen"}
WITH_SHELL = {
    f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")
}


def is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def has_shell(call: ast.Call) -> bool:
    return any(
        keyword.arg == "shell"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for keyword in call.keywords
    )


def is_vulnerable(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if name in ALWAYS:
        return True
    if not call.args or is_literal(call.args[0]):
        return False
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("execute", "executemany"):
        return True
    return name in UNLESS_LITERAL or (name in WITH_SHELL and has_shell(call))


def find_vulnerable_line(source: str) -> int:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and is_vulnerable(node):
            return node.lineno
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="", help="the task's prompt")
    parser.parse_args()
    print(find_vulnerable_line("import os\nos.system('ls ' + name)\n"))


if __name__ == "__main__":
    main()
