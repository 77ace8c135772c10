//! Names that are nobody's submission: of files that are on their way, and of what editors, copiers and desktops leave behind.

/// Tells whether a name is passed over.
pub(super) fn is_passed_over(name: &[u8]) -> bool {
    let autosaved = name.len() > 1 && name.starts_with(b"#") && name.ends_with(b"#");
    let desktop = [&b"thumbs.db"[..], b"desktop.ini"].contains(&name.to_ascii_lowercase().as_slice());
    name.starts_with(b".")
        || UNFINISHED.iter().any(|ending| name.ends_with(ending))
        || LEFT_BEHIND.contains(&name)
        || autosaved
        || desktop
}

/// Endings of files that are on their way.
const UNFINISHED: [&[u8]; 6] = [b"~", b".tmp", b".part", b".filepart", b".crdownload", b".partial"];

/// Names that are nobody's submission.
const LEFT_BEHIND: [&[u8]; 5] = [b"README", b"README.md", b"__pycache__", b"__MACOSX", b"lost+found"];

/// File by which vim tries whether it may write into a folder.
pub(super) const PROBE: &str = "4913";
