//! Sources and what is found in them.

use std::path::Path;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;

use crate::config;
use crate::model::python::Library;
use crate::pipeline::validate::imports::{Import, imports};
use crate::pipeline::validate::tokens::Tokens;
use crate::pipeline::validate::{Finding, check, lexer, scan, text};

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

#[test]
fn allowed_modules_stand_beside_the_standard_library() {
    let rules = |allow: &str| {
        let text = format!("validate: {{allow: {allow}}}");
        config::parse(Path::new("p"), text.as_bytes()).unwrap().validate
    };
    let found_by = |library: &Library, source: &str, allow: &str| {
        check(source.as_bytes(), &rules(allow), library).err().map(|found| found.reason)
    };
    let found = |source: &str, allow: &str| found_by(&Library::default(), source, allow);
    let source = "import os, numpy.linalg\nfrom requests import get\n";
    assert_eq!(found(source, "[numpy, requests]"), None);
    assert_eq!(found(source, "image"), None);
    assert_eq!(
        found(source, "[numpy]").unwrap(),
        "imports requests; only Python 3.11's standard library and numpy are available"
    );
    assert!(found(source, "[]").unwrap().starts_with("imports numpy, requests (line 2); only Python 3.11's"));
    assert!(found("from . import x\n", "image").unwrap().starts_with("relative imports"));
    let names = |names: [&str; 2]| names.map(str::to_owned).into();
    let packages = Some(names(["numpy", "six"]));
    let library = Library { python: "3.13".into(), standard: names(["os", "annotationlib"]), packages };
    let found = |source: &str, allow: &str| found_by(&library, source, allow);
    assert_eq!(found("import annotationlib, numpy\n", "image"), None);
    assert_eq!(
        found("import requests\n", "image").unwrap(),
        "imports requests; only Python 3.13's standard library and what else the image has are available"
    );
    assert!(found("import cgi\n", "[numpy]").unwrap().starts_with("imports cgi; only Python 3.13's"));
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
        ("from a import (  # import x\n b,\n\n # from y import z\n c)", "a"),
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
    for (source, line, reason) in [
        ("import os\n\nimport numpy\n", 3, "imports numpy; only Python 3.11's standard library"),
        ("import os, numpy as n", 1, "imports numpy;"),
        ("import os, \\\n numpy", 2, "imports numpy;"),
        ("'''\n\n'''\nx = (\n)\nfrom numpy import (\n a)", 6, "imports numpy;"),
        ("import numpy.a\nfrom numpy import x\r\nimport torch", 1, "numpy, torch (line 3);"),
        ("import os\rimport a, b\r\rimport c", 2, "imports a, b, c (line 4);"),
        ("import a,b,c,d,e,b", 1, "imports a, b, c, d, e;"),
        ("import a,b,c,d,e,f,g", 1, "imports a, b, c, d, e and others;"),
        ("import __main__", 1, "imports __main__;"),
        ("import agent", 1, "imports agent;"),
        ("import ｏｓ", 1, "imports ｏｓ;"),
        ("\nfrom . import x", 2, "relative imports have no package to refer to"),
    ] {
        refused(source, line, reason);
    }
}

#[test]
fn the_standard_library_is_at_hand() {
    accepted(
        "from __future__ import annotations\nimport urllib.request, concurrent.futures as c\n\
         from os.path import join\nimport _thread, zoneinfo, tomllib, distutils.core, winreg",
    );
    accepted("x = 1");
    accepted("'''doc'''\nimport os");
    accepted("\u{feff}import os\r\n");
}

#[test]
fn sources_without_code() {
    refused("", None, "is empty");
    for source in [
        "\n",
        " \t\x0c\r\n",
        "\u{feff}",
        "# only\n# comments",
        "'doc'",
        "#!/usr/bin/env python3\n\"\"\"doc\nimport os\n\"\"\"\n",
        "r'''a''' ;'b'\n\n# c",
    ] {
        refused(source, None, "contains no code");
    }
    // A notebook is a value to Python, unless it has a null in it.
    for source in [
        "{\"cells\": [], \"metadata\": {}, \"nbformat\": 4}",
        "\n{\"cells\": [{\"execution_count\": null}], \"nbformat\": 4}\n",
    ] {
        refused(source, None, "is a Jupyter notebook; export it as .py");
    }
    accepted("{'nbformat': 4}");
    // Not code either, but for Python to explain.
    accepted("'''unterminated");
    accepted("'unterminated\n");
}

#[test]
fn text_that_is_not_utf8() {
    for (source, line, reason) in [
        (&b"a = 1\nb = '\xe9'\n"[..], 2, "byte 6 of the line, 0xe9, is not UTF-8"),
        (b"a\r\n\r\n\rb\xff", 4, "byte 2 of the line, 0xff"),
        (b"\xed\xa0\x80", 1, "byte 1 of the line, 0xed"),
        (b"\xff\xfei\0m\0", 1, "is UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff\0i", 1, "is UTF-16 text"),
        (b"\xff\xfe\0\0i\0\0\0", 1, "is UTF-32 text"),
        (b"\0\0\xfe\xff\0\0\0i", 1, "is UTF-32 text"),
        (b"i\0m\0", 1, "contains a NUL byte"),
        (b"a = 1\n# \0", 2, "contains a NUL byte"),
    ] {
        refused(source, line, reason);
    }
}

#[test]
fn declared_encodings() {
    for source in [
        "# -*- coding: utf-8 -*-\nx",
        "#!/usr/bin/python\n# vim: set fileencoding=UTF_8 :\nx",
        "# coding: ascii\nx",
        "x\n# coding: latin-1",
        "# a\n# b\n# coding: latin-1\nx",
        "# encoding utf-7\nx",
        "x = '# coding: utf-7'",
    ] {
        accepted(source);
    }
    refused("# -*- coding: utf-7 -*-\nx", 1, "declares the encoding utf-7");
    refused("\u{feff}\x0c\n\t# coding=latin_1\nx", 2, "declares the encoding latin_1");
}

#[test]
fn forbidden_patterns_are_found_anywhere() {
    let forbid = [r"\beval\(", r"(?m)^secret$"].map(|pattern| Regex::new(pattern).unwrap());
    let found = |source: &str| scan(source.as_bytes(), &forbid).unwrap_err();
    assert_eq!(scan(b"medieval(1)", &forbid), Ok(()));
    assert_eq!(found("x = 1\n# eval(x)").line, Some(2));
    assert!(found("eval(x)").reason.contains(r"forbids: \beval\("));
    assert_eq!(found("x = '''\r\nsecret\r\n'''").line, Some(2));
}

#[test]
fn forbidden_patterns_see_tokens_however_they_are_spelled() {
    let forbid = [r"\beval\(", r"(?m)^from ctypes import", r"__class__\.__bases__"];
    let forbid = forbid.map(|pattern| Regex::new(pattern).unwrap());
    let found = |source: &str| scan(source.as_bytes(), &forbid).err().and_then(|found| found.line);
    for (source, line) in [
        ("x = 1\nｅｖａｌ(x)", 2),
        ("eval (x)", 1),
        ("eval\t\x0c(x)", 1),
        ("x = 1\neval\\\n(x)", 2),
        ("(1,\n eval\n # it is\n (x))", 2),
        ("[eval# (\r\n(x)]", 1),
        ("y = 'a'if x else eval (x)", 1),
        ("x = f'{ｅｖａｌ (x)}'", 1),
        ("x = 1\nrF'''{a}{{\n{d['}'] + eval (x)!r:{w}}'''", 3),
        ("x = f'{f\"{eval (x)}\"}'", 1),
        ("  from  ctypes\\\n import c_int", 1),
        ("x . __class__ . __bases__", 1),
        ("x.__claſs__.__bases__", 1),
    ] {
        assert_eq!(found(source), Some(line), "{source}");
    }
    for fine in [
        "x = 'eval (x)'",
        "'''\neval (x)\n'''\nx = 1",
        "x = 1 # eval (x)",
        "x = f'eval (x) {y} {{eval (x)}}'",
        "evaluate (x)",
        "media.medieval (x)",
        "x = rb'' 'eval' (x)",
    ] {
        assert_eq!(found(fine), None, "{fine}");
    }
}

#[test]
fn tokens_stand_as_close_as_python_allows() {
    for (source, tokens) in [
        (
            "\n\ndef f ( x ) :\n    return  x  if 'a' else\\\n  u\"b\"\n\n",
            "def f(x):\nreturn x if\"\"else\"\"\n",
        ),
        ("x=0or 1 # y\n;y", "x=0or 1\n;y"),
        ("f'{a!r:{b}}'f\"{c}\"", "\"\"{a!r:{b}}\"\"{c}"),
        ("br'' bar''", "\"\"bar\"\""),
        ("f'{eval (x)", "f"),
        ("f'{eval (x)'", "\"\"{eval(x)}"),
    ] {
        assert_eq!(Tokens::of(source).text(), tokens, "{source}");
    }
}

#[test]
fn quoted_text_is_bounded_and_printable() {
    let long = "x".repeat(10_000);
    for source in [
        format!("import {long}"),
        format!("# coding: {long}\nx"),
        "import \u{202e}\u{7f}a, \u{200b}".to_owned(),
        (0..99).map(|n| format!("import x{n}{long}\n")).collect(),
    ] {
        let reason = finding(&source).reason;
        assert!(reason.chars().count() < 600, "{reason}");
        let plain = |c: char| !c.is_control() && !matches!(c, '\u{200b}' | '\u{202e}');
        assert!(reason.chars().all(plain), "{reason:?}");
    }
}

/// Sources that cost more than their share where a scanner is not linear, or recurses.
#[test]
fn monstrous_sources_are_scanned_at_once() {
    // Takes milliseconds; far wide of that for a busy machine, and below the hours that quadratic time would take.
    let (limit, forbid) = (Duration::from_secs(120), [Regex::new("never").unwrap()]);
    let megabyte = |unit: &str| unit.repeat(1_000_000 / unit.len());
    for source in [
        format!("x = '{}'", megabyte("a")),
        format!("x = {}", megabyte("9")),
        megabyte("("),
        "[".repeat(100_000) + &"]".repeat(100_000),
        format!("x = {}", megabyte("f'{")),
        megabyte("'"),
        megabyte("\"\"\""),
        megabyte("\\"),
        megabyte("\\\n"),
        megabyte("\n"),
        megabyte("#"),
        megabyte(" "),
        megabyte(":"),
        megabyte("import "),
        megabyte("import os;"),
        megabyte("import os\n"),
        megabyte("if x: import os, a\n"),
        format!("import {}", megabyte("os, ")),
        format!("import {}", megabyte("os.")),
        format!("import {}", megabyte("a b")),
        megabyte("from a."),
        megabyte("from . "),
        megabyte("from os import x;"),
        format!("from {}", megabyte("a.")),
        megabyte("; from os"),
        megabyte(":import a"),
        megabyte(":from a import b"),
        format!("import {}", megabyte("a1,")),
        format!("# {}", megabyte("coding ")),
        format!("# {}coding: utf-8\nx", megabyte("coding ")),
        megabyte("# coding=utf-8"),
        megabyte("é"),
        megabyte("f'{"),
        megabyte("f'{f\"{f'''{"),
        megabyte("f\"{'\\"),
    ] {
        let start = Instant::now();
        let _ = scan(source.as_bytes(), &forbid);
        let took = start.elapsed();
        let shown: String = source.chars().take(20).collect();
        println!("{took:?} {shown:?}");
        assert!(took < limit, "{shown}: {took:?}");
    }
}

/// A blank as it may stand between the words of a statement.
fn blank() -> impl Strategy<Value = &'static str> {
    select(vec![" ", "\t", "  ", " \\\n", "\\\n", "\x0c ", " \\\r\n\t"])
}

/// Where a statement may stand: what goes before it, and behind it.
fn place() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("", "\n"),
        ("x = 1; ", "\n"),
        ("if x: ", " # import no\n"),
        ("def f(a: int = {1: [2]}) -> b[1:2]:", ";\n"),
        ("try:\n\t", "\nfinally: pass\n"),
        ("'''\nimport no\n'''; ", "\r\n"),
        ("x = [\n'import no', # (\n]\r", "; x = 'import no'\n"),
        ("x = r'\\'; import no'; ", "\r"),
    ])
}

/// An import of a module in some dress, with the module's first component.
fn statement() -> impl Strategy<Value = (String, String)> {
    let standard = select(vec!["os", "json", "sys"]).prop_map(str::to_owned);
    let module = prop_oneof![standard, "[a-zé_]{1,9}1"];
    (module, blank(), blank(), 0..7).prop_map(|(module, a, b, form)| {
        let text = match form {
            0 => format!("import{a}{module}"),
            1 => format!("import{a}{module}{b}.x{b}as{a}y"),
            2 => format!("import{a}os{b},{a}{module}"),
            3 => format!("from{a}{module}{b}import{a}*"),
            4 => format!("from{a}{module}.x{b}import(y,\n# import no\n z)"),
            5 => format!("from{a}{module}{b}.{a}x{b}import{a}y"),
            _ => format!("import{a}{module}{b},{a}{module}.y"),
        };
        (text, module)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_upset_the_scan(source: Vec<u8>) {
        let _ = scan(&source, &[]);
    }

    #[test]
    fn no_text_upsets_the_scan(source in "(\\PC|import|from|[ .,;:()\\\\\"'#\n\r\t]){0,60}") {
        let _ = scan(source.as_bytes(), &[Regex::new("never").unwrap()]);
        imported(&format!("x{source}"));
    }

    #[test]
    fn modules_are_found_unless_standard(statements in vec((place(), statement()), 1..5)) {
        let mut source = String::new();
        for ((before, behind), (statement, _)) in &statements {
            source.extend([before, statement.as_str(), behind]);
        }
        let strange = statements.iter().any(|(_, (_, module))| module.ends_with('1'));
        prop_assert_eq!(scan(source.as_bytes(), &[]).is_err(), strange, "{}", source);
        let found = imported(&source);
        for (_, (_, module)) in statements {
            prop_assert!(found.contains(&module), "{}", source);
        }
        prop_assert!(!found.contains(&"no".to_owned()), "{}", source);
    }

    #[test]
    fn nothing_is_found_in_strings_and_comments((text, _) in statement(), prefix in "[rRbBuUfF]{0,2}") {
        let line = text.replace(['\n', '\r'], " ");
        for source in [
            format!("x = {prefix}'''\n{text}\n'''"),
            format!("x = {prefix}\"\"\"{text}\n{text}\"\"\""),
            format!("x = {prefix}'{line} '"),
            format!("x = {prefix}\"\\\n{line} \""),
            format!("x = 1 # {line}"),
            format!("#{line}\n# x;{line}"),
        ] {
            prop_assert_eq!(imported(&source), Vec::<String>::new(), "{}", source);
        }
    }
}

#[test]
fn fences_around_the_code_and_renamed_notebooks_are_told() {
    refused("{\"cells\": []}", 1, "is a notebook");
    refused("```python\nx = 1\n```\n", 1, "has a Markdown fence (```python) around its code");
    refused("x = 1\n```\n", 2, "has a Markdown fence (```)");
    refused("Here it is:\n\n  ```\nx = 1\n```\n", 3, "submit only what stands between");
    for fine in ["x = '''\n```python\n'''\n", "x = 1  # ```\n# ```\n", "x = ~~~1\n", "{'cells': []}\n"] {
        accepted(fine);
    }
}

#[test]
fn a_module_beside_the_agent_is_told_of() {
    let found = finding("import os, numpy\nimport bank\n").beside(|name| name == "bank.py");
    assert!(
        found
            .reason
            .ends_with("an agent is one file, and bank.py lies beside it: put its code into the agent")
    );
    let found = finding("import numpy\n").beside(|_| false);
    assert_eq!(found.reason, "imports numpy; only Python 3.11's standard library is available");
}
