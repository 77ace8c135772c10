//! Mutants: a solution with one small mistake in it. One that all tests let pass is a hint that a test is missing.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::pipeline::validate::lexer::mask;

/// Most mutants of a solution; of more, some all over it are made.
const MOST: usize = 20;

/// A solution with a mistake.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    /// 1-based line of the mistake.
    pub line: usize,
    /// The change in words, such as `<` as `<=`.
    pub change: String,
    /// The whole source.
    pub source: String,
}

/// Mutants of a source, at most [`MOST`], in its order.
pub(super) fn of(source: &str) -> Vec<Mutant> {
    static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r"(?-u)<=|>=|==|!=|->|\*\*|//|<<|>>|[-+*/%&|^<>]=|[<>+*-]|\b[A-Za-z_]\w*|\b\d[\w.]*";
        Regex::new(pattern).expect("a constant pattern")
    });
    let masked = mask(source);
    let changes: Vec<_> = TOKEN
        .find_iter(&masked)
        .filter_map(|found| Some((found.range(), changed(str::from_utf8(found.as_bytes()).ok()?)?)))
        .collect();
    let step = changes.len().div_ceil(MOST).max(1);
    let mutant = |(place, text): &(std::ops::Range<usize>, String)| Mutant {
        line: source[..place.start].matches('\n').count() + 1,
        change: format!("`{}` as `{text}`", &source[place.clone()]),
        source: format!("{}{text}{}", &source[..place.start], &source[place.end..]),
    };
    changes.iter().step_by(step).map(mutant).collect()
}

/// Another token that Python takes in its place.
fn changed(token: &str) -> Option<String> {
    let other = match token {
        "<" => "<=",
        "<=" => "<",
        ">" => ">=",
        ">=" => ">",
        "==" => "!=",
        "!=" => "==",
        "+" => "-",
        "-" => "+",
        "*" => "+",
        "//" => "*",
        "and" => "or",
        "or" => "and",
        "True" => "False",
        "False" => "True",
        number => return number.parse::<u32>().ok().map(|number| (u64::from(number) + 1).to_string()),
    };
    Some(other.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mutant_has_one_mistake_and_none_in_a_text_or_a_comment() {
        let source =
            "def f(n) -> int:  # n < 1\n    '''n + 1'''\n    return 10 if n <= x1 and n ** 2 else 1.5\n";
        let seen: Vec<_> = of(source).into_iter().map(|mutant| (mutant.line, mutant.change)).collect();
        let expected = ["`10` as `11`", "`<=` as `<`", "`and` as `or`", "`2` as `3`"];
        assert_eq!(seen, expected.map(|change| (3, change.to_owned())));
        assert!(of(source)[1].source.contains("return 10 if n < x1 and"));
    }

    #[test]
    fn a_long_source_has_as_many_as_a_short_one() {
        let long = of(&"x = 1 + 2\n".repeat(1000));
        assert_eq!((long.len(), long[19].line > 900), (MOST, true));
    }
}
