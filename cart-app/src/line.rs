//! The line to the hub on its own runtime, joined to the trip by channels.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc as std_mpsc};

use anyhow::Context;
use cart_core::Input;
use ed25519_dalek::SigningKey;
use service::Failure;
use service::supervise::supervised_task;
use store_sync::identity::Identity;
use store_sync::{Line, LinkConfig, LinkEvent, Told, tls};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};
use trip::message::{Look, Offer, Telemetry};

use crate::config::Config;
use crate::journal::Journal;
use crate::upkeep::{Upkeep, UpkeepNews};

/// The running line; dropping it says goodbye to the hub.
pub struct RunningLine {
    runtime: Option<Runtime>,
    shutdown: watch::Sender<bool>,
    work: Option<tokio::task::JoinHandle<()>>,
    /// How far the journal has grown.
    pub appended: watch::Sender<u64>,
    /// Records that the hub has not committed yet.
    pub unsynced: Arc<AtomicU64>,
    /// What the cart tells of itself.
    pub telemetry: watch::Sender<Option<Telemetry>>,
    /// How a phone may join now.
    pub offers: watch::Sender<Option<Offer>>,
    /// What staff may see of the screen now; `None` for nothing.
    pub looks: watch::Sender<Option<Arc<Look>>>,
    /// What the store has released, and what staff should know; `None` on a plain line.
    pub upkeep: Option<UpkeepNews>,
}

/// Starts the line. What the hub says comes out of `inputs`. A line that falls over is begun anew with all that is
/// not acked; one that does so again and again sets `failure`.
///
/// # Errors
/// When the journal cannot be opened again or the runtime cannot start.
pub fn start(
    config: &Config,
    key: SigningKey,
    journal: &Journal,
    inputs: std_mpsc::SyncSender<Input>,
    failure: &Failure,
) -> anyhow::Result<RunningLine> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("line")
        .enable_all()
        .build()
        .context("runtime of the line")?;
    let identity = if config.line.is_secure() {
        Some(Identity::load(&config.data, &config.store, &config.cart)?)
    } else {
        if !config.line.is_loopback() {
            warn!(host = config.line.host, "the line is plain: whoever is on the network can read and change it");
        }
        None
    };
    let tls = identity.as_ref().map(tls::client).transpose()?;
    let link = LinkConfig {
        host: config.line.host.clone(),
        port: config.line.port,
        store: config.store.clone(),
        cart: config.cart.clone(),
        boot_epoch: journal.next_boot_epoch()?,
        tls: tls.as_ref().map(|tls| tls.config.clone()),
    };
    let (events, mut heard) = mpsc::channel(256);
    // The journal is opened once more for each, before the first is begun: what is wrong with it is said at the start.
    let mut journals = vec![journal.for_line()?];
    let open_again = journal.line_opener();
    let (appended, appended_seen) = watch::channel(journal.head().seq);
    let (telemetry, telemetry_seen) = watch::channel(None);
    let (offers, offers_seen) = watch::channel(None);
    let (looks, looks_seen) = watch::channel(None);
    let (shutdown, shutdown_seen) = watch::channel(false);
    let told = Told { appended: appended_seen, telemetry: telemetry_seen, offers: offers_seen, looks: looks_seen };
    let unsynced = Arc::new(AtomicU64::new(0));
    let waiting = unsynced.clone();
    let begin = move || {
        let journal = journals.pop().map_or_else(&open_again, Ok).map_err(|e| e.to_string())?;
        let (line, event_loop) =
            Line::new(link.clone(), key.clone(), journal, events.clone()).map_err(|e| e.to_string())?;
        Ok(line.run(event_loop, told.clone(), shutdown_seen.clone()))
    };
    let work = runtime.spawn(supervised_task("the line to the hub", failure.clone(), tokio::time::sleep, begin));
    let (want, wanted) = watch::channel(None);
    let upkeep = identity.zip(tls).map(|(identity, tls)| {
        let (upkeep, news) = Upkeep::new(identity, tls, config.data.clone(), wanted);
        runtime.spawn(upkeep.run());
        news
    });
    // A thread of its own, because it waits when the trip is slow, and the runtime must not.
    let forward = move || {
        while let Some(event) = heard.blocking_recv() {
            if let LinkEvent::Unsynced(records) = &event {
                waiting.store(*records, Ordering::Relaxed);
            }
            if let LinkEvent::Desired(desired) = &event {
                want.send_if_modified(|wanted| wanted.replace(desired.catalogue) != Some(desired.catalogue));
            }
            if let Some(input) = input_of(event)
                && inputs.send(input).is_err()
            {
                return;
            }
        }
    };
    std::thread::Builder::new().name("from hub".into()).spawn(forward).context("thread of the hub's words")?;
    Ok(RunningLine {
        runtime: Some(runtime),
        shutdown,
        work: Some(work),
        appended,
        unsynced,
        telemetry,
        offers,
        looks,
        upkeep,
    })
}

/// What the trip hears of the line.
///
/// A command's expiry is not judged here: the cart's clock may be wrong, and a command about another
/// trip or lock is void in any case.
fn input_of(event: LinkEvent) -> Option<Input> {
    match event {
        LinkEvent::Connected(connected) => Some(Input::Link { connected }),
        LinkEvent::Command(command) => Some(Input::Command(command)),
        LinkEvent::Desired(desired) => Some(Input::Desired(desired)),
        LinkEvent::Unsynced(records) => {
            debug!(records, "not committed yet");
            None
        }
        LinkEvent::Alarm(why) => {
            warn!(why, "staff must look at this cart");
            None
        }
    }
}

impl Drop for RunningLine {
    fn drop(&mut self) {
        self.shutdown.send_replace(true);
        if let (Some(runtime), Some(work)) = (self.runtime.take(), self.work.take()) {
            let farewell = async { drop(tokio::time::timeout(std::time::Duration::from_secs(1), work).await) };
            runtime.block_on(farewell);
            runtime.shutdown_timeout(std::time::Duration::from_millis(200));
        }
    }
}
