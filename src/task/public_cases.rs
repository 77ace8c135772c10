//! Public cases of a folder: all, none, or some by their names.

use crate::yaml::{Kind, Place};

/// Cases that miners may see.
pub(super) enum Public {
    /// All or none.
    All(bool),
    /// Those of these names.
    These(Vec<String>),
}

impl Public {
    /// The value of `public:`; numbers are names as they are written.
    pub(super) fn read(place: &Place<'_>) -> Self {
        match place.node.kind {
            Kind::Sequence(_) => {
                let names = place.items().into_iter().flatten().filter_map(|item| item.name());
                Self::These(names.collect())
            }
            _ => Self::All(place.value(Ok).unwrap_or(false)),
        }
    }

    /// True if miners may see the case.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::All(all) => *all,
            Self::These(names) => names.iter().any(|one| one == name),
        }
    }
}
