//! Changes of a submission's score from one publication to the next.

use serde::Serialize;

use crate::show::query::shown;

/// Most changes that are told to people, the last ones.
const TOLD: usize = 4;

/// A score that was published in the place of another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The score; None where it became unscored.
    pub score: Option<f64>,
    /// The cause of the change, as `history.csv` has it; None where it has none.
    pub by: Option<String>,
}

/// Every change of score, oldest first, of what was published with its causes, up to the score that is shown. Where a run could
/// not be judged for a while, that is no change.
pub(super) fn changes<'a>(
    published: impl Iterator<Item = (Option<f64>, &'a str)>,
    score: Option<f64>,
) -> Vec<Change> {
    let scored = published.filter(|(score, _)| score.is_some());
    let all = scored.map(|(score, by)| Change { score, by: Some(by.to_owned()).filter(|by| !by.is_empty()) });
    let mut all: Vec<Change> = all.chain([Change { score, by: None }]).collect();
    all.dedup_by(|next, one| next.score == one.score);
    all.split_off(1.min(all.len()))
}

/// The scores that were before, each with the cause that changed it; None if there was no other one.
pub(super) fn told(before: &[f64], changes: &[Change]) -> Option<String> {
    let skipped = changes.len().saturating_sub(TOLD);
    let first = before.get(skipped)?;
    let told: Vec<String> = changes[skipped..].iter().map(Change::told).collect();
    let older = if skipped > 0 { "..., " } else { "" };
    Some(format!("was {older}{first}, changed {}, says history.csv", told.join(", ")))
}

impl Change {
    fn told(&self) -> String {
        let by = self.by.as_deref().map(|by| format!("by {} ", shown(by))).unwrap_or_default();
        by + "to " + &self.score.map_or_else(|| "unscored".to_owned(), |score| score.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_has_its_own_cause() {
        let published = [
            (Some(55.83), "submission"),
            (Some(39.17), "task"),
            (None, "task"),
            (Some(39.17), "task"),
            (Some(55.83), "policy"),
            (Some(60.0), "image"),
        ];
        let (before, found) = ([55.83, 39.17, 55.83], changes(published.into_iter(), Some(60.0)));
        let expected =
            "was 55.83, changed by task to 39.17, by policy to 55.83, by image to 60, says history.csv";
        assert_eq!(told(&before, &found).as_deref(), Some(expected));
        assert_eq!(told(&[], &changes(published[..1].iter().copied(), Some(55.83))), None);
        assert_eq!(told(&[], &changes([].into_iter(), None)), None);
    }

    #[test]
    fn many_changes_are_told_from_the_last_ones_on() {
        let published: Vec<(Option<f64>, &str)> = (0..9_u8).map(|n| (Some(n.into()), "task")).collect();
        let found = changes(published.into_iter(), None);
        let before: Vec<f64> = (0..9_u8).map(f64::from).collect();
        let told = told(&before, &found).unwrap();
        assert!(
            told.starts_with("was ..., 5, changed by task to 6, ") && told.contains(", to unscored,"),
            "{told}"
        );
    }
}
