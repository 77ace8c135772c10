//! One pass: intake -> validate -> evaluate -> score -> publish.

pub mod intake;
pub mod publish;
pub mod score;
pub mod validate;
