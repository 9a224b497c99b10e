//! What a cart that has joined its store does for itself while it runs: it renews its certificate in time and
//! fetches what the store releases. Nothing of it is urgent; all of it goes on with what is there when the
//! hub does not answer.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use store_sync::identity::Identity;
use store_sync::provisioning::renew;
use store_sync::releases::RefusedRelease;
use store_sync::tls::{self, Tls};
use tokio::sync::watch;
use tracing::{debug, info, warn};
use trip::release::Kind;
use trip::{CartId, Catalogue, Hash};

/// How often it looks, when the hub says nothing.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// A new catalogue is told to all carts at once; they come for it one after the other within this.
const SPREAD: Duration = Duration::from_secs(10);
/// When less of a certificate's life is left than this part, staff are told that it does not renew.
const LATE_PART: u64 = 6;

/// A catalogue that was just released.
#[derive(Clone, Debug)]
pub struct NewCatalogue {
    /// What it says.
    pub catalogue: Catalogue,
    /// Its text.
    pub text: String,
}

/// What upkeep tells the rest of the cart: each holds the latest.
#[derive(Clone, Debug)]
pub struct UpkeepNews {
    /// The catalogue that was released since the cart started.
    pub catalogue: watch::Receiver<Option<Arc<NewCatalogue>>>,
    /// What staff should know, in words.
    pub notices: watch::Receiver<Vec<String>>,
}

/// The work itself.
pub struct Upkeep {
    identity: Identity,
    tls: Tls,
    data: PathBuf,
    cart: CartId,
    /// The catalogue that the hub wants.
    wanted: watch::Receiver<Option<Hash>>,
    catalogue: watch::Sender<Option<Arc<NewCatalogue>>>,
    notices: watch::Sender<Vec<String>>,
    troubles: BTreeMap<&'static str, String>,
}

impl Upkeep {
    /// For the cart with this identity, whose folder is `data`. `wanted` tells which catalogue the hub wants.
    pub fn new(
        identity: Identity,
        tls: Tls,
        data: PathBuf,
        wanted: watch::Receiver<Option<Hash>>,
    ) -> (Self, UpkeepNews) {
        let (catalogue, new_catalogue) = watch::channel(None);
        let (notices, told) = watch::channel(Vec::new());
        let cart = identity.granted.cart.clone();
        let upkeep = Self { identity, tls, data, cart, wanted, catalogue, notices, troubles: BTreeMap::new() };
        (upkeep, UpkeepNews { catalogue: new_catalogue, notices: told })
    }

    /// Works for ever.
    pub async fn run(mut self) {
        loop {
            self.renew_in_time().await;
            for kind in Kind::ALL {
                self.fetch(kind).await;
            }
            self.tell();
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                changed = self.wanted.changed() => match changed {
                    Ok(()) => tokio::time::sleep(part_of(SPREAD, &self.cart)).await,
                    Err(_) => return,
                }
            }
        }
    }

    async fn renew_in_time(&mut self) {
        let now_s = tls::now().as_secs();
        if now_s < self.identity.renewal_due_s() {
            return;
        }
        match renew(&self.identity, &self.tls, &self.data).await {
            Ok(renewed) => {
                info!(not_after_s = renewed.granted.not_after_s, "the certificate is renewed");
                self.identity = renewed;
                self.troubles.remove("certificate");
            }
            Err(why) => {
                let granted = &self.identity.granted;
                let late = granted.not_after_s.saturating_sub(now_s)
                    < granted.not_after_s.saturating_sub(granted.not_before_s) / LATE_PART;
                if late {
                    warn!(%why, "the certificate does not renew and will expire");
                    self.troubles.insert("certificate", format!("certificate: it does not renew: {why}"));
                } else {
                    debug!(%why, "the certificate does not renew yet");
                }
            }
        }
    }

    async fn fetch(&mut self, kind: Kind) {
        let shelf = self.identity.shelf(&self.data);
        match shelf.fetch(kind, &self.identity.hub, self.tls.config.clone()).await {
            Ok(taken) => {
                self.troubles.remove(kind.as_str());
                if let Some((manifest, file)) = taken {
                    info!(%kind, version = manifest.version, "a release was taken");
                    match kind {
                        Kind::Catalogue => self.offer(&file),
                        Kind::Configuration | Kind::Model | Kind::Pictures => info!("it holds from the next start on"),
                    }
                }
            }
            Err(why) if why.is_an_alarm() => {
                warn!(%why, "refused");
                self.troubles.insert(kind.as_str(), why.to_string());
            }
            Err(why @ RefusedRelease::Fetch { .. }) => debug!(%why, "later"),
            Err(why) => warn!(%why, "a release cannot be kept"),
        }
    }

    fn offer(&mut self, file: &[u8]) {
        let text = String::from_utf8_lossy(file).into_owned();
        match Catalogue::parse(&text) {
            Ok(catalogue) => drop(self.catalogue.send_replace(Some(Arc::new(NewCatalogue { catalogue, text })))),
            Err(why) => {
                warn!(%why, "the released catalogue cannot be read; the one before goes on");
                self.troubles.insert("catalogue", format!("catalogue: the released one cannot be read: {why}"));
            }
        }
    }

    fn tell(&self) {
        let notices: Vec<String> = self.troubles.values().cloned().collect();
        self.notices.send_if_modified(|told| {
            let changed = *told != notices;
            told.clone_from(&notices);
            changed
        });
    }
}

/// A part of `whole` that is each cart's own.
fn part_of(whole: Duration, cart: &CartId) -> Duration {
    let own = Hash::of(cart.as_str().as_bytes()).0;
    whole.mul_f64(f64::from(own[0]) / 256.0)
}
