//! Similar names: a misspelt one's likely meaning.

/// Longer names are compared by their beginnings, in characters.
const COMPARED: usize = 64;

/// The known name that a misspelt one is nearest to; None if none is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |name: &str| name.chars().take(COMPARED).collect::<String>().to_lowercase().replace('-', "_");
    let (name, length) = (fold(name), |text: &str| text.chars().count());
    let distance = |other: &'a str| {
        let (folded, most) = (fold(other), length(other) / 3);
        // So many letters are missing at least.
        let is_near = length(&folded).abs_diff(length(&name)) <= most;
        let distance = is_near.then(|| strsim::damerau_levenshtein(&name, &folded))?;
        (distance <= most).then_some((distance, other))
    };
    known.into_iter().filter_map(distance).min().map(|(_, other)| other)
}

/// The end of a message on a name that is not known: `; did you mean "memory"?`, or nothing.
pub fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_letters_may_be_wrong() {
        let known = ["memory", "timeout", "cpu-time", "a"];
        for (name, near) in [
            ("memroy", Some("memory")),
            ("TIMEOUT", Some("timeout")),
            ("cpu_time", Some("cpu-time")),
            ("remote", None),
            ("b", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), near, "{name}");
        }
    }
}
