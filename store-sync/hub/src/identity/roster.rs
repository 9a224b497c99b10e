//! Who is let in, as it stands: a snapshot of the registry that the hub's parts share and that is
//! renewed when another program has written it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
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

/// Reads the roster, and goes on reading it on a thread of its own until nobody listens. When the
/// registry cannot be read any more, the last roster counts and the log says so.
///
/// # Errors
/// [`RegistryError`] when it cannot be read even once.
pub fn follow(registry: Registry) -> Result<watch::Receiver<Arc<Roster>>, RegistryError> {
    let mut seen = registry.revision()?;
    let (tell, roster) = watch::channel(Arc::new(registry.roster()?));
    let mut look = move || -> Result<bool, RegistryError> {
        let revision = registry.revision()?;
        if revision != seen {
            let new = registry.roster()?;
            seen = revision;
            tell_apart(&tell.borrow(), &new);
            tell.send_replace(Arc::new(new));
        }
        Ok(!tell.is_closed())
    };
    std::thread::Builder::new()
        .name("roster".into())
        .spawn(move || {
            let mut failing = false;
            loop {
                std::thread::sleep(LOOK_EVERY);
                match look() {
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
    Ok(roster)
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
