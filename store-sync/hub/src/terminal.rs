//! Payment terminals, behind one trait.
//!
//! [`nexo`] has the messages of the nexo Retailer protocol in the JSON form that Adyen's terminals
//! speak on the local network, [`seal`] their encryption, [`client`] asks a terminal, [`sim`] is a
//! terminal. What a terminal counted by itself are its [`Totals`], which a day's end compares with the
//! ledger. The messages themselves are encrypted and authenticated. They travel by plain HTTP, on the
//! loopback or a lane's own cable; a real terminal wants HTTPS on port 8443, which later work adds.
//!
//! No card data comes here: a terminal tells the scheme and its own reference, and nothing else is
//! read from its answers.

use trip::StoreId;

use crate::intent::{Answer, Ask, Intent};

mod client;
pub mod nexo;
pub mod seal;
pub mod sim;
mod totals;

pub use client::{NexoTerminal, understand};
pub use totals::{Counted, Kind, NoTotals, Period, Seen, Totals};

/// What can take, look up and give back a payment.
pub trait Terminal: Send + Sync {
    /// Asks one thing about `intent` and waits for the answer. Asking the same again has no second
    /// effect: the terminal knows a payment by the intent's id.
    fn ask(&self, ask: Ask, intent: &Intent) -> impl Future<Output = Answer> + Send;
}

/// The name of this store's hub towards terminals (nexo SaleID).
pub fn sale_id(store: &StoreId) -> String {
    format!("trundle-{store}")
}
