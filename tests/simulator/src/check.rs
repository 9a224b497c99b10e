//! The promises, one a file.

use store_hub::store::MemoryPlace;

use crate::cart::SimCart;
use crate::fact::Fact;
use crate::remains::Remains;
use crate::terminal::Terminal;

pub mod acked;
pub mod charged;
pub mod gate;
pub mod kept;
pub mod one_payment;
pub mod receipts;
pub mod shown;
pub mod synced;
pub mod till;

/// All that a check may look at, besides what it is told.
pub struct Truth<'a> {
    /// The hub's database.
    pub place: &'a MemoryPlace,
    /// The carts and their disks.
    pub carts: &'a [SimCart],
    /// The terminals, by lane.
    pub terminals: Vec<&'a Terminal>,
}

/// One promise.
pub trait Check {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Takes a fact in.
    ///
    /// # Errors
    /// How the promise is broken.
    fn see(&mut self, _fact: &Fact<'_>, _truth: &Truth<'_>) -> Result<(), String> {
        Ok(())
    }

    /// The world has come to rest, and this is left.
    ///
    /// # Errors
    /// How the promise is broken.
    fn end(&self, _remains: &Remains) -> Result<(), String> {
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
        Box::<till::Till>::default(),
    ]
}

/// Every promise of what is left.
///
/// # Errors
/// Which is broken, and how.
pub fn remains(remains: &Remains) -> Result<(), String> {
    all().iter().try_for_each(|check| check.end(remains).map_err(|why| format!("{}: {why}", check.name())))
}
