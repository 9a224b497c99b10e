//! The promises, one a file.

use std::collections::BTreeSet;

use store_hub::store::MemoryPlace;

use crate::cart::SimCart;
use crate::fact::Fact;
use crate::terminal::Terminal;

mod acked;
mod charged;
mod gate;
mod kept;
mod one_payment;
mod receipts;
mod shown;
mod synced;

/// All that a check may look at, besides what it is told.
pub struct Truth<'a> {
    /// The hub's database.
    pub place: &'a MemoryPlace,
    /// The carts and their disks.
    pub carts: &'a [SimCart],
    /// The terminals, by lane.
    pub terminals: Vec<&'a Terminal>,
    /// Carts a record of which could not be read any more: theirs is a matter for staff.
    pub rotted: BTreeSet<usize>,
}

/// One promise.
pub trait Check {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Takes a fact in.
    ///
    /// # Errors
    /// How the promise is broken.
    fn see(&mut self, fact: &Fact<'_>, truth: &Truth<'_>) -> Result<(), String>;

    /// The world has come to rest.
    ///
    /// # Errors
    /// How the promise is broken.
    fn end(&mut self, _truth: &Truth<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// Every promise.
pub fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::<shown::Shown>::default(),
        Box::new(kept::Kept),
        Box::new(acked::Acked),
        Box::new(one_payment::OnePayment),
        Box::new(gate::Gate),
        Box::new(charged::Charged),
        Box::new(receipts::Receipts),
        Box::new(synced::Synced),
    ]
}
