//! What is left when a world has come to rest: the carts' disks, the hub's database, the terminals' own logs.
//! The checks read it after a simulated run; whoever reads it from real files can ask them the same.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use store_hub::intent::Intent;
use store_hub::store::{CartRow, GateRow, ReceiptRow};
use trip::chain::Head;
use trip::{CartId, Catalogue, IntentId, Money, TripId, TripState};

/// All of it.
#[derive(Debug)]
pub struct Remains {
    /// The carts.
    pub carts: Vec<CartRemains>,
    /// The hub's copies of their journals.
    pub journals: Vec<Copied>,
    /// The hub's attempts to be paid, oldest first.
    pub intents: Vec<Intent>,
    /// Its receipts, oldest first.
    pub receipts: Vec<ReceiptRow>,
    /// What its gates were told.
    pub gates: Vec<GateRow>,
    /// What the terminals say that they did.
    pub payments: Vec<Payment>,
    /// Every catalogue there was.
    pub catalogues: Vec<Catalogue>,
    /// What the store's receipts are signed with.
    pub receipt_key: VerifyingKey,
}

/// A cart's disk.
#[derive(Debug)]
pub struct CartRemains {
    /// Which cart.
    pub id: CartId,
    /// Its journal.
    pub epoch: u64,
    /// The journal's end.
    pub head: Head,
    /// The replay of its disk.
    pub state: TripState,
    /// Its records, by journal and number; of a simulated disk all that there ever were.
    pub written: BTreeMap<(u64, u64), String>,
    /// Up to this number the journal's records are wiped, as those of ended trips are, and their receipts.
    pub wiped: u64,
    /// Its receipts, by number.
    pub receipts: BTreeMap<String, Vec<u8>>,
    /// True when a record of it could not be read any more: what it has lost is a matter for staff.
    pub rotted: bool,
}

/// The hub's copy of a journal.
#[derive(Debug)]
pub struct Copied {
    /// Cart, journal, end and replay.
    pub row: CartRow,
    /// Its records, from the first.
    pub records: Vec<String>,
}

/// A payment, as its terminal tells of it.
#[derive(Clone, Debug)]
pub struct Payment {
    /// For which attempt.
    pub intent: IntentId,
    /// How much.
    pub amount: Money,
    /// True when the money was taken and not given back.
    pub taken: bool,
}

impl Remains {
    /// All records that are known of a cart, in order: its own, and of those that it wiped the hub's copy.
    pub fn story<'a>(&'a self, cart: &'a CartRemains) -> Vec<&'a String> {
        let mut story: BTreeMap<(u64, u64), &'a String> = BTreeMap::new();
        for copied in self.journals.iter().filter(|copied| copied.row.cart == cart.id) {
            story.extend((1..).zip(&copied.records).map(|(seq, text)| ((copied.row.epoch, seq), text)));
        }
        story.extend(cart.written.iter().map(|(at, text)| (*at, text)));
        story.into_values().collect()
    }

    /// The trip that an attempt was to pay.
    pub fn trip_of(&self, intent: &IntentId) -> Option<&TripId> {
        self.intents.iter().find(|known| known.id == *intent).map(|known| &known.trip)
    }

    /// Payments whose money was taken and not given back.
    pub fn taken(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter().filter(|payment| payment.taken)
    }
}
