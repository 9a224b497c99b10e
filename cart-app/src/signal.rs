//! A polite end: SIGTERM and Ctrl-C ask, and the cart says goodbye to its hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Whether the program was asked to end.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// True once it was asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Watches for both signals on a thread of its own.
///
/// # Errors
/// When the thread or the signals cannot be had.
pub fn watch() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    let asked = stop.0.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("signals")?;
    let wait = async move {
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            tracing::warn!("signals cannot be watched; the program ends only by force");
            return;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        asked.store(true, Ordering::SeqCst);
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(wait)).context("signals")?;
    Ok(stop)
}
