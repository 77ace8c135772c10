//! Names of cases' files, and such as look like them.

/// The rule.
pub(super) const RULE: &str = "a case is NAME.in with NAME.out or NAME.ans";

/// Checks the name of a file that is no case.
///
/// # Errors
/// It is called as cases are elsewhere, so that its author may take it for one.
pub(super) fn check(name: &str) -> Result<(), String> {
    match looks_like_a_case(name) {
        true => Err(format!(
            "{name} would be passed over: {RULE}; `agentmill import cases` takes other names, too"
        )),
        false => Ok(()),
    }
}

/// True of `1.IN`, `1.in.txt`, `input1.txt` or `1.output`.
fn looks_like_a_case(name: &str) -> bool {
    let name = name.to_lowercase();
    let stem = name.strip_suffix(".txt").unwrap_or(&name);
    let begins = ["input", "output"].iter().any(|word| {
        let number = stem.strip_prefix(word).map(|rest| rest.trim_start_matches(['_', '-', '.']));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    begins || [".in", ".out", ".ans", ".input", ".output"].iter().any(|ending| stem.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_like_a_case_is_not_passed_over() {
        for name in
            ["2.IN", "2.Out", "2.in.txt", "input2.txt", "output_2", "input", "2.input", "2.output.txt"]
        {
            let found = check(name).unwrap_err();
            assert!(found.starts_with(&format!("{name} would be passed over: a case is NAME.in")), "{found}");
        }
        for name in ["notes.md", "input_format.md", "input.py", "inputs of bees.txt", "check.py", "1.desc"] {
            assert_eq!(check(name), Ok(()));
        }
    }
}
