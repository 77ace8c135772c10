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

/// Shorter texts hide nothing worth copying.
const SHORT: usize = 256;

/// Tells whether a source is packed. Whoever wants to, hides that too: it is a reason to look, no proof.
pub fn is_packed(source: &[u8]) -> bool {
    let Some(source) = files::text_of_all(source) else { return false };
    let tokens = Tokens::of(&source);
    let (mut runs, mut decodes, mut before) = (false, false, "");
    for token in tokens.all() {
        runs |= matches!(token, "exec" | "eval") || token == "compile" && before != ".";
        decodes |= DECODERS.contains(&token);
        before = token;
    }
    runs && (decodes || is_mostly_text(&source))
}

/// Tells whether more than half of it stands in literals.
fn is_mostly_text(source: &str) -> bool {
    let text = Pieces::of(source).filter(|(kind, _)| *kind == Kind::Text).map(|(_, range)| range.len());
    let text: usize = text.sum();
    text >= SHORT && text * 2 > source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_decoded_and_run_is_packed() {
        let long = "x = 1\\n".repeat(100);
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
        ] {
            assert_eq!(is_packed(source.as_bytes()), packed, "{source}");
        }
    }
}
