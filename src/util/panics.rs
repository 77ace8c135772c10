//! Panics: caught where one piece of work must not take the rest with it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does some work; a panic in it is an error with the panic's message. Whatever the work was changing must not be used
/// any more then.
///
/// # Errors
/// It panicked.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message(panic.as_ref()))
}

/// The text of a panic, from what a joined thread or `catch_unwind` gives of it.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("agentmill has a bug: {}", text.unwrap_or("a panic without a message"))
}
