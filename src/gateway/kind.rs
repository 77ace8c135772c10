//! Kinds of questions, by the paths that they are asked at.

/// Kinds of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A dialogue to go on with.
    Chat,
    /// A text to go on with.
    Completion,
    /// Texts to be turned into vectors.
    Embedding,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Completion, Self::Embedding];

    /// The kind that is asked at this path.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.path() == path)
    }

    /// The path that it is asked at.
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Completion => "/completions",
            Self::Embedding => "/embeddings",
        }
    }

    /// The field of an answer that holds what was asked for.
    pub fn answer(self) -> &'static str {
        if self == Self::Embedding { "data" } else { "choices" }
    }
}
