"""Forgotten names: advice on a name that is neither defined nor the agent's, by what it is elsewhere (this text is put before that of the dry run).
"""
# Fixtures of pytest and its plugins, and what takes their place.
REPLACING = 'write `with patch("time.sleep"):` around the call, with `from unittest.mock import patch` in setup'
PRINTED = "output_of(f, 2) is what f prints"
ON_DISK = (
    'the task\'s `files:` are there for the agent, and `with patch("builtins.open", mock_open(read_data="...")):` around the call gives it a text; '
    "what a test writes to /tmp, it does not see"
)
FIXTURES = {
    "monkeypatch": REPLACING,
    "mocker": REPLACING,
    "capsys": PRINTED,
    "capfd": PRINTED,
    "caplog": "write `with unittest.TestCase().assertLogs() as logs:` around the call, with `import unittest` in setup",
    "tmp_path": ON_DISK,
    "tmpdir": ON_DISK,
}
# Names that no prompt means by themselves: one that only a public test has is forgotten, too.
MOCKS = {name: "unittest.mock" for name in "patch Mock MagicMock AsyncMock mock_open".split()} | {"mock": "unittest"}
MODULES = {"np": "numpy", "pd": "pandas"}
IMPORTED = {name: "collections" for name in "Counter OrderedDict defaultdict deque namedtuple".split()}
IMPORTED |= {"deepcopy": "copy", "reduce": "functools", "Decimal": "decimal", "Fraction": "fractions", "Path": "pathlib", "timedelta": "datetime"}
IMPORTED |= {"StringIO": "io", "BytesIO": "io", "redirect_stdout": "contextlib", "suppress": "contextlib", "TestCase": "unittest", "dedent": "textwrap"}


def is_unmistakable(name):
    """True if a public test that has the name tells no agent of it."""
    return name in FIXTURES or name in MOCKS or name in MODULES


def forgotten(name):
    """Says so if it is the name of what is often imported."""
    import math

    if name in FIXTURES:
        return f"is a fixture of pytest's, which is not there: {FIXTURES[name]}"
    if name in MODULES:
        return f"is not defined: write import {MODULES[name]} as {name} in setup"
    home = "math" if hasattr(math, name) else MOCKS.get(name) or IMPORTED.get(name)
    return f"is neither defined nor named in the prompt: import it from {home} in setup" if home else None
