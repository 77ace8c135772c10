//! HTML: how pages are made of templates, with nothing in them that runs or asks unless its digest is named.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use sha2::{Digest, Sha256};

/// Head of a page without a script, which templates include as `head`: they set `heading`; `style` and its hash are of the context.
const HEAD: &str = include_str!("head.html");

/// A template with this context; all text in it is escaped, and a name without a value is an error.
///
/// # Errors
/// The template and its context don't fit.
pub fn render(template: &str, context: Value) -> io::Result<String> {
    let render = || {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.add_template("head", HEAD)?;
        environment.add_template("page", template)?;
        environment.get_template("page")?.render(context)
    };
    render().map_err(|error: minijinja::Error| io::Error::other(error))
}

/// The digest of a style or script, as a Content-Security-Policy names what it allows.
#[must_use]
pub fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
