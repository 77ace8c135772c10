//! Interruptible work: it waits for others, such as a model, and a signal need not wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cli::Exit;
use crate::signals::Signals;

/// How long work may take to end once it was told to.
const GRACE: Duration = Duration::from_secs(3);

enum News<T> {
    Stopped,
    Done(thread::Result<T>),
}

/// Does the work on a thread of its own. When a signal comes first, `stop` is called, which should make the work end; it is
/// left alone if it doesn't, as the process ends anyway. Gives the exit code then.
///
/// # Errors
/// Signals can't be listened for.
pub(super) fn until_signal<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    stop: impl FnOnce(),
) -> std::io::Result<Result<T, Exit>> {
    let (waker, wakes) = mpsc::channel();
    let signals = Signals::listen(waker)?;
    let (sender, news) = mpsc::channel();
    let stopped = sender.clone();
    thread::spawn(move || wakes.recv().is_ok().then(|| stopped.send(News::Stopped)));
    thread::spawn(move || sender.send(News::Done(catch_unwind(AssertUnwindSafe(work)))));
    match news.recv() {
        Ok(News::Done(Ok(value))) => Ok(Ok(value)),
        Ok(News::Done(Err(panic))) => resume_unwind(panic),
        Ok(News::Stopped) | Err(_) => {
            stop();
            let _ = news.recv_timeout(GRACE);
            Ok(Err(signals.received().map_or(Exit::Usage, Exit::Signal)))
        }
    }
}
