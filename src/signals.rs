//! SIGINT and SIGTERM: the first ends the work in good order, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::Sender;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::pipeline::Wake;

/// The first signal that has come, if any.
#[derive(Debug, Clone)]
pub struct Signals(Arc<AtomicI32>);

impl Signals {
    /// Listens for the rest of the process's life and passes the first signal on as [`Wake::Stop`].
    ///
    /// # Errors
    /// The handlers can't be set.
    pub fn listen(waker: Sender<Wake>) -> std::io::Result<Self> {
        let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        let received = Arc::new(AtomicI32::new(0));
        let shared = Arc::clone(&received);
        thread::spawn(move || {
            for signal in signals.forever() {
                if shared.swap(signal, Ordering::SeqCst) != 0 {
                    std::process::exit(128 + signal);
                }
                let _ = waker.send(Wake::Stop);
            }
        });
        Ok(Self(received))
    }

    /// The first signal's number.
    pub fn received(&self) -> Option<i32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}
