//! A [`Storage`] on a disk that may be full: payments are finished, nothing new begins.
//!
//! While the disk has room, a reserve of it is kept. When it is full, records of carts are refused (they stay in
//! the carts' journals, for nothing is acked), and what a payment under way still has to write is written in the
//! reserve's place. Once there is room again the reserve is filled first.

use super::{Guard, Storage, StoreError, StoreKind, Write};

/// Space that is kept on the disk: see [`service::Reserve`].
pub trait Space: Send {
    /// True while it is kept.
    fn held(&self) -> bool;
    /// Gives it up; true if there was any.
    fn give_up(&mut self) -> bool;
    /// Keeps it again, if there is room.
    fn take_back(&mut self);
}

impl Space for service::Reserve {
    fn held(&self) -> bool {
        self.held()
    }

    fn give_up(&mut self) -> bool {
        self.give_up()
    }

    fn take_back(&mut self) {
        self.take_back();
    }
}

/// Guards a store by keeping space on its disk.
#[derive(Debug)]
pub struct Reserved<R>(pub R);

/// What a commit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// It takes in what a cart tells, keeps what was refused, or forgets what the back office has: that can wait,
    /// or be left out.
    TakeIn,
    /// It goes on with a payment, or tells a cart something: that must be.
    GoOn,
}

fn purpose(writes: &[Write]) -> Purpose {
    let counts = |name: &str| name == "refused";
    let takes_in = |write: &Write| match write {
        Write::Record { .. } | Write::Quarantine(_) | Write::WordsTaken { .. } => true,
        Write::Count(name) => counts(name),
        _ => false,
    };
    if writes.iter().any(takes_in) { Purpose::TakeIn } else { Purpose::GoOn }
}

/// Why nothing is taken in now.
fn full() -> StoreError {
    let what = "the disk is full but for what payments need; nothing is taken in until there is room: free some space";
    StoreError { path: "of the hub".into(), kind: StoreKind::Full, what: what.into() }
}

impl<R: Space> Guard for Reserved<R> {
    fn commit(&mut self, store: &mut impl Storage, writes: &[Write]) -> Result<(), StoreError> {
        let Self(space) = self;
        space.take_back();
        let purpose = purpose(writes);
        if purpose == Purpose::TakeIn && !space.held() {
            return Err(full());
        }
        match store.commit(writes) {
            Err(full) if full.kind == StoreKind::Full && purpose == Purpose::GoOn && space.give_up() => {
                tracing::error!(
                    "the disk is full; payments are finished from the reserve, and nothing new is taken in"
                );
                store.commit(writes)
            }
            done => done,
        }
    }

    fn has_room(&self) -> bool {
        self.0.held()
    }
}
