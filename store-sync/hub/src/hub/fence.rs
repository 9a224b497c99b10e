//! Who may send records: the roster as it changes, and the fence around a cart whose identity two
//! writers use.
//!
//! A signed record that contradicts a stored one, or that continues a journal which a newer one has
//! replaced, means that the cart's key or its disk was copied, or the disk was set back. Which of the two
//! writers is the true one cannot be told from here. So nothing more is taken or acked from either, staff
//! see it at the top of their page, and the cart keeps its records until they have looked. The fence stays
//! over restarts.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::VerifyingKey;
use trip::{CartId, UnixMillis};

use super::{Effect, Hub};
use crate::ingest::Refusal;
use crate::store::{FenceRow, Storage, StoreError, Write};

/// The carts of the store, as its registry has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Carts {
    /// What each signs with, also those that were revoked.
    pub keys: BTreeMap<CartId, VerifyingKey>,
    /// Those whose word counts no more.
    pub revoked: BTreeSet<CartId>,
}

impl<S: Storage> Hub<S> {
    /// Takes in who belongs to the store from now on. A fenced cart that has joined anew, with a new
    /// key, is taken in again: whoever had the old key is shut out.
    pub(super) fn take_carts(&mut self, carts: &Carts) -> Result<Vec<Effect>, StoreError> {
        let joined_anew: Vec<CartId> = self
            .fences
            .keys()
            .filter(|cart| carts.keys.get(*cart).is_some_and(|key| self.setting.carts.get(*cart) != Some(key)))
            .cloned()
            .collect();
        let mut effects = Vec::new();
        for cart in joined_anew {
            effects.extend(self.lift_fence(&cart)?);
        }
        let new: Vec<CartId> =
            carts.keys.keys().filter(|cart| !self.setting.carts.contains_key(*cart)).cloned().collect();
        self.setting.carts.clone_from(&carts.keys);
        self.revoked.clone_from(&carts.revoked);
        effects.extend(new.iter().map(|cart| self.desired(cart)));
        Ok(effects)
    }

    /// Why nothing is taken from `cart`, if nothing is.
    pub(super) fn shut_out(&self, cart: &CartId) -> Option<Refusal> {
        if self.revoked.contains(cart) {
            return Some(Refusal::Revoked(cart.clone()));
        }
        self.fences.contains_key(cart).then(|| Refusal::Fenced(cart.clone()))
    }

    /// The fence that `refusal` puts up, if it does and none stands yet.
    pub(super) fn fence_for(&self, cart: &CartId, refusal: &Refusal, now: UnixMillis) -> Option<FenceRow> {
        let fork = refusal.shows_a_second_writer() && !self.fences.contains_key(cart);
        fork.then(|| FenceRow { cart: cart.clone(), reason: refusal.to_string(), at: now })
    }

    /// Staff have looked, or the cart has joined anew: its records are taken again.
    pub(super) fn lift_fence(&mut self, cart: &CartId) -> Result<Vec<Effect>, StoreError> {
        if !self.fences.contains_key(cart) {
            return Ok(Vec::new());
        }
        self.storage.commit(&[Write::FenceLifted(cart.clone())])?;
        self.fences.remove(cart);
        tracing::warn!(%cart, "its records are taken again");
        // The ack repeats what is had, and the cart sends again from there.
        Ok(self.carts.get(cart).map(|row| self.ack(cart, row.epoch, row.head)).into_iter().collect())
    }
}
