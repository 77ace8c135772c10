//! User interface: events become bars on a terminal, lines elsewhere. Workers never print, they send events.

mod event;
mod pace;
mod screen;
mod spinner;

pub use crate::ui::event::{Event, Events};
pub use crate::ui::screen::{Display, Talk, display};
pub use crate::ui::spinner::Spinner;
