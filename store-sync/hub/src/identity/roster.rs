//! Who is let in, as it stands: a snapshot of the registry that the hub's parts share and that is
//! renewed when another program has written it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ed25519_dalek::VerifyingKey;
use tokio::sync::watch;
use trip::{CartId, Hash};

use super::registry::{Registry, RegistryError};

/// A revocation counts at the latest after this.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A cart that has joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What its batches are signed with.
    pub key: VerifyingKey,
}

/// Who is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Carts that have joined, also those that were revoked since.
    pub members: BTreeMap<CartId, Member>,
    /// Carts that were revoked.
    pub revoked: BTreeSet<CartId>,
    /// Certificates that count, by digest: whose, and until when in seconds since 1970.
    pub certificates: HashMap<Hash, (CartId, u64)>,
}

impl Roster {
    /// Whose certificate (DER) this is; `None` for one that does not count, or counts no more.
    pub fn holder(&self, certificate: &[u8], now_s: u64) -> Option<&CartId> {
        let (cart, not_after_s) = self.certificates.get(&Hash::of(certificate))?;
        (now_s <= *not_after_s && !self.revoked.contains(cart)).then_some(cart)
    }
}

/// Looks whether the registry has changed, and tells all who share the roster.
#[derive(Clone, Debug)]
pub struct Watcher {
    // A lock, because the watching thread and whoever has just granted something look both.
    look: Arc<Mutex<Look>>,
}

#[derive(Debug)]
struct Look {
    registry: Registry,
    seen: i64,
    tell: watch::Sender<Arc<Roster>>,
}

impl Watcher {
    /// Looks now: what was written before this call counts after it. True while somebody listens.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be read; the last roster then counts.
    pub fn look(&self) -> Result<bool, RegistryError> {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = look.registry.revision()?;
        if revision != look.seen {
            let new = look.registry.roster()?;
            look.seen = revision;
            tell_apart(&look.tell.borrow(), &new);
            look.tell.send_replace(Arc::new(new));
        }
        Ok(!look.tell.is_closed())
    }
}

/// Reads the roster, and goes on reading it on a thread of its own until nobody listens. When the
/// registry cannot be read any more, the last roster counts and the log says so.
///
/// # Errors
/// [`RegistryError`] when it cannot be read even once.
pub fn follow(registry: Registry) -> Result<(watch::Receiver<Arc<Roster>>, Watcher), RegistryError> {
    let seen = registry.revision()?;
    let (tell, roster) = watch::channel(Arc::new(registry.roster()?));
    let watcher = Watcher { look: Arc::new(Mutex::new(Look { registry, seen, tell })) };
    let watching = watcher.clone();
    std::thread::Builder::new()
        .name("roster".into())
        .spawn(move || {
            let mut failing = false;
            loop {
                std::thread::sleep(LOOK_EVERY);
                match watching.look() {
                    Ok(true) => failing = false,
                    Ok(false) => return,
                    Err(why) if !failing => {
                        failing = true;
                        tracing::error!(%why, "the registry cannot be read; who was let in stays let in");
                    }
                    Err(_) => {}
                }
            }
        })
        .map_err(|source| {
            RegistryError::File(::identity::SecretError::File {
                what: "no thread to watch",
                path: "registry.db".into(),
                source,
            })
        })?;
    Ok((roster, watcher))
}

fn tell_apart(old: &Roster, new: &Roster) {
    for cart in new.revoked.difference(&old.revoked) {
        tracing::warn!(%cart, "revoked: it is let in no more");
    }
    for (cart, member) in &new.members {
        if old.members.get(cart) != Some(member) {
            tracing::info!(%cart, "joined the store");
        }
    }
}
