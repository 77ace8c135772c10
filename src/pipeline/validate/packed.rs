//! Packed sources: they run text that they decode, or are little else than text that they run, so that their fingerprints are
//! not those of what they do.

use crate::pipeline::validate::files;
use crate::pipeline::validate::lexer::{Kind, Pieces};
use crate::pipeline::validate::tokens::Tokens;

/// Names that decode.
const DECODERS: [&str; 17] = [
    "zlib",
    "gzip",
    "bz2",
    "lzma",
    "decompress",
    "base64",
    "b16decode",
    "b32decode",
    "b64decode",
    "b85decode",
    "a85decode",
    "binascii",
    "unhexlify",
    "fromhex",
    "codecs",
    "marshal",
    "rot13",
];

/// Names by which a program reads its own docstrings.
const DOCS: [&str; 5] = ["__doc__", "getdoc", "__file__", "getsource", "co_consts"];

/// Shorter texts hide nothing worth copying.
const SHORT: usize = 256;

/// Tells whether a source is packed. Whoever wants to, hides that too: it is a reason to look, no proof.
pub fn is_packed(source: &[u8]) -> bool {
    let Some(source) = files::text_of_all(source) else { return false };
    let tokens = Tokens::of(&source);
    let (mut runs, mut decodes, mut reads_docs, mut before) = (false, false, false, "");
    for token in tokens.all() {
        runs |= matches!(token, "exec" | "eval") || token == "compile" && before != ".";
        decodes |= DECODERS.contains(&token);
        reads_docs |= DOCS.contains(&token);
        before = token;
    }
    runs && (decodes || is_mostly_text(&source, reads_docs))
}

/// Tells whether more than half of it stands in literals. Docstrings are no code in disguise, unless something reads them.
fn is_mostly_text(source: &str, reads_docs: bool) -> bool {
    let pieces: Vec<(Kind, &str)> = Pieces::of(source).map(|(kind, range)| (kind, &source[range])).collect();
    let (mut text, mut docs) = (0, 0);
    for (at, (_, piece)) in pieces.iter().enumerate().filter(|(_, (kind, _))| *kind == Kind::Text) {
        let is_doc = !reads_docs && is_statement(&pieces[..at], pieces.get(at + 1));
        *if is_doc { &mut docs } else { &mut text } += piece.len();
    }
    text >= SHORT && text * 2 > source.len() - docs
}

/// Tells whether a literal between these pieces is a statement of its own, as a docstring is.
fn is_statement(before: &[(Kind, &str)], after: Option<&(Kind, &str)>) -> bool {
    let begins = match before {
        [.., (Kind::Code, code)] => {
            let line = code.rsplit_once('\n').map(|(_, line)| line).or((before.len() == 1).then_some(*code));
            line.is_some_and(|line| line.trim().trim_start_matches(['r', 'R', 'u', 'U']).is_empty())
        }
        others => others.is_empty(),
    };
    let is_end = |(kind, piece): &(Kind, &str)| match kind {
        Kind::Code => {
            piece.trim_start_matches([' ', '\t']).starts_with(['\n', ';']) || piece.trim().is_empty()
        }
        kind => *kind == Kind::Comment,
    };
    begins && after.is_none_or(is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_decoded_and_run_is_packed() {
        let (long, prose) = ("x = 1\\n".repeat(100), "The value of an expression.\n".repeat(20));
        for (packed, source) in [
            (true, "import base64, zlib\nexec(zlib.decompress(base64.b85decode('c$}qH')))\n".to_owned()),
            (
                true,
                "from builtins import eval as e\nfrom codecs import decode\ne(decode('k', 'rot13'))\n"
                    .to_owned(),
            ),
            (
                true,
                "import marshal\nf = type(lambda: 0)(marshal.loads(b''), {})\nexec(f.__code__)\n".to_owned(),
            ),
            (true, format!("exec('{long}')\n")),
            (true, format!("t = '''{long}'''\nexec(compile(t, 'a', 'exec'))\n")),
            (false, format!("PROMPT = '''{long}'''\ndef ask(n): return PROMPT + str(n)\n")),
            (
                false,
                "import base64, re\nWORD = re.compile('[a-z]+')\nx = base64.b64decode('aGk=')\n".to_owned(),
            ),
            (false, "def f(text):\n    return eval(text, {'__builtins__': {}})\n".to_owned()),
            (false, "# exec(zlib.decompress(base64))\nx = 'exec zlib'\n".to_owned()),
            (false, String::new()),
            (false, format!("def f(text):\n    \"\"\"{prose}\"\"\"\n    return eval(text)\n")),
            (false, format!("r'''{prose}'''  # of the module\ndef f(text):\n    return eval(text)\n")),
            (true, format!("\"\"\"{long}\"\"\"\nexec(__doc__)\n")),
            (true, format!("t = (\n    '{long}'\n)\nexec(t)\n")),
            (true, format!("exec(\n'{long}'\n)\n")),
        ] {
            assert_eq!(is_packed(source.as_bytes()), packed, "{source}");
        }
    }
}
