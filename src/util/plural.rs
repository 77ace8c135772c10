//! Plural: counted things in words.

/// A count and its noun, such as "1 task" or "2 tasks".
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
