//! Sources and what is found in them.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;

use super::imports::{Import, imports};
use super::{Finding, lexer, scan, text};

/// First components that `source` imports; `.` for a relative import.
fn imported(source: &str) -> Vec<String> {
    let text = text::decode(source.as_bytes()).unwrap();
    let masked = lexer::mask(&text);
    assert_eq!(masked.len(), text.len());
    let name = |import| match import {
        Import::Module { name, .. } => name.to_owned(),
        Import::Relative { .. } => ".".to_owned(),
    };
    imports(&text, &masked).map(name).collect()
}

fn finding(source: impl AsRef<[u8]>) -> Finding {
    scan(source.as_ref(), &[]).unwrap_err()
}

#[track_caller]
fn accepted(source: impl AsRef<[u8]>) {
    assert_eq!(scan(source.as_ref(), &[]), Ok(()));
}

#[track_caller]
fn refused(source: impl AsRef<[u8]>, line: impl Into<Option<u32>>, reason: &str) {
    let found = finding(source);
    assert!(found.reason.contains(reason), "{found:?} lacks {reason:?}");
    assert_eq!(found.line, line.into(), "{found:?}");
}

#[test]
fn imports_in_every_dress() {
    for (source, modules) in [
        ("import a", "a"),
        ("import a.b.c as d", "a"),
        ("import a as b, c.d, e as f", "a c e"),
        ("import a . b , c", "a c"),
        ("import\ta,\tb", "a b"),
        ("\x0cimport a", "a"),
        ("from a import b", "a"),
        ("from a.b import *", "a"),
        ("from a . b import(c)", "a"),
        ("from a import (b,\n c,\n  d as e,\n)", "a"),
        (
            "from a import (  # import x\n b,\n\n # from y import z\n c)",
            "a",
        ),
        ("from a \\\n import b", "a"),
        ("from \\\n a.\\\nb \\\n import b", "a"),
        ("import \\\n a, \\\n b", "a b"),
        ("import a;import b ; from c import d;", "a b c"),
        ("x = 1; import a", "a"),
        ("if x: import a\nelse: import b", "a b"),
        ("if x:import a", "a"),
        ("if x: y; import a", "a"),
        ("try:\n    import a\nexcept ImportError:\n\timport b", "a b"),
        ("def f() -> dict[str, int]: import a", "a"),
        ("class A: from b import c", "b"),
        ("match x:\n case {'k': [1, *_]}: import a", "a"),
        ("async def f():\n async with x as y: import a", "a"),
        ("f = lambda: 0; import a", "a"),
        ("x[1:2]; import a", "a"),
        ("(\n)\nimport a", "a"),
        ("[{(\n)}\n]; import a", "a"),
        ("'''\n'''\nimport a", "a"),
        ("'''\n'''; import a", "a"),
        ("''; import a", "a"),
        ("x = ''''a\\''''; import a", "a"),
        ("x = '\\'; import b'; import a", "a"),
        ("x = r'\\'; import b'; import a", "a"),
        ("x = '\\\\'; import a", "a"),
        ("x = 'one \\\n import b'; import a", "a"),
        ("x = f'{y!r:>{w}}'; import a", "a"),
        ("x = Rb\"\"\"\nimport b\n\"\"\"; import a", "a"),
        ("# comment \\\nimport a", "a"),
        ("import a # , b", "a"),
        ("import a\rimport b\r\nimport c\n", "a b c"),
        ("\u{feff}import a", "a"),
        ("import é, ｏｓ, _a1", "é ｏｓ _a1"),
        ("from . import a", "."),
        ("from .import a", "."),
        ("from.a import b", "."),
        ("from ... a.b import c", "."),
        ("from .\\\n.a import (b)", "."),
        ("from __future__ import annotations", "__future__"),
        ("raise E from a\nimport b", "b"),
        ("import a", "a"),
    ] {
        assert_eq!(imported(source).join(" "), modules, "{source:?}");
    }
}

#[test]
fn what_only_looks_like_an_import() {
    for source in [
        "important = 1; import_like = 2; reimport = 3; from_x = 4",
        "x.imports; x: import_like = 1",
        "importé = 1",
        "import·x = 1",
        "def f():\n yield from numpy",
        "raise E from numpy_error",
        "raise E \\\n from numpy",
        "x = (yield\n from numpy)",
        "x = [\nimportlib,\nfrom_numpy]",
        "'import numpy'",
        "'''\nimport numpy\n'''",
        "\"\"\"\nimport numpy\n\"\"\"",
        "x = 'a\\\nimport numpy'",
        "def f():\n    \"\"\"\n    import numpy\n    \"\"\"",
        "rb'''\nimport numpy'''",
        "f'''{x}\nimport numpy'''",
        "f'{x:import numpy}'",
        "# import numpy",
        "x = 1 # ; import numpy",
        "#\\\n#import numpy",
        "{'a': 'import numpy', 1: from_numpy}",
        "x = 'unterminated\nimport numpy",
        "x = '''unterminated\nimport numpy",
        "(\nimport numpy",
        "import",
        "from",
        "import 1",
        "from x",
        "from x imports y",
    ] {
        assert_eq!(imported(source).join(" "), "", "{source:?}");
    }
}

#[test]
fn strangers_are_named_with_their_lines() {
    refused(
        "import os\n\nimport numpy\n",
        3,
        "imports numpy; only Python 3.11's standard library",
    );
    refused("import os, numpy as n", 1, "imports numpy;");
    refused("import os, \\\n numpy", 2, "imports numpy;");
    refused(
        "import numpy.linalg\nfrom numpy import x\r\nimport torch",
        1,
        "imports numpy, torch (line 3);",
    );
}
