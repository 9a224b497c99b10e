//! What the back office is told, from the hub's side: written with what makes it true, kept until it is taken, and
//! said aloud when that takes too long. See [`crate::back_office`].

use trip::UnixMillis;
use trip::pricing::price;

use super::draft::Draft;
use super::{Hub, Setting};
use crate::back_office::{ClosedTrip, MOST_WORDS, NotTaken, OfficeAsk, What, Word};
use crate::ledger::Posting;
use crate::store::{Storage, StoreError, TripRow, WordRow, Write};
use crate::web::board::OfficeTrouble;

/// The counter of words.
const WORDS: &str = "word";

/// So many waiting words are an alarm, however new they are: a week of a large store (5,000 trips a day, three words
/// each), some 150 MiB.
const MANY: u64 = 100_000;

/// How it goes with the back office.
#[derive(Debug, Default)]
pub(super) struct BackOffice {
    /// The number of the last word that was written.
    last: u64,
    /// The first word that waits: its number, and since when.
    first: Option<(u64, UnixMillis)>,
    /// Why what was sent last was not taken, if it was not.
    not_taken: Option<NotTaken>,
    /// What staff are told.
    alarm: Option<OfficeTrouble>,
}

impl BackOffice {
    /// As the database has it.
    pub(super) fn recall(&mut self, storage: &impl Storage) -> Result<(), StoreError> {
        (self.last, self.first) = (storage.counter(WORDS)?, first(storage)?);
        Ok(())
    }

    /// Words that wait. There is no gap between them.
    pub(super) fn waiting(&self) -> u64 {
        self.first.map_or(0, |(first, _)| self.last + 1 - first)
    }

    /// Since when the first of them waits.
    pub(super) fn since(&self) -> Option<UnixMillis> {
        self.first.map(|(_, at)| at)
    }

    /// What staff are told, if anything is wrong.
    pub(super) fn alarm(&self) -> Option<OfficeTrouble> {
        self.alarm
    }

    /// So many words more were committed.
    pub(super) fn told(&mut self, words: u64, now: UnixMillis) {
        if words > 0 {
            self.first.get_or_insert((self.last + 1, now));
            self.last += words;
        }
    }

    fn trouble(&self, after_ms: i64, now: UnixMillis) -> Option<OfficeTrouble> {
        let (_, since) = self.first?;
        let late = now.0 - since.0 >= after_ms || self.waiting() >= MANY;
        if !late && !self.not_taken.as_ref().is_some_and(NotTaken::lasts) {
            return None;
        }
        Some(match self.not_taken {
            None => OfficeTrouble::Behind,
            Some(NotTaken::Silent { .. }) => OfficeTrouble::Unreachable,
            Some(NotTaken::Refused { status }) => OfficeTrouble::Refuses { status },
        })
    }
}

fn first(storage: &impl Storage) -> Result<Option<(u64, UnixMillis)>, StoreError> {
    Ok(storage.words(1)?.first().map(|row| (row.seq, row.at)))
}

impl<S: Storage> Hub<S> {
    /// Answers the back office's courier: with what waits, where it asks for that.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read, or cannot forget what was taken; the courier asks again.
    pub fn back_office(&mut self, ask: OfficeAsk) -> Result<Vec<WordRow>, StoreError> {
        match ask {
            OfficeAsk::Next if self.back_office.first.is_none() => Ok(Vec::new()),
            OfficeAsk::Next => self.storage.words(MOST_WORDS),
            OfficeAsk::Taken { up_to } => {
                self.storage.commit(&[Write::WordsTaken { up_to }])?;
                self.back_office.first = first(&self.storage)?;
                self.back_office.not_taken = None;
                Ok(Vec::new())
            }
            OfficeAsk::NotTaken(why) => {
                self.back_office.not_taken = Some(why);
                Ok(Vec::new())
            }
        }
    }

    /// Says that something is wrong with the back office, once, and once that it is well again.
    pub(super) fn look_at_back_office(&mut self, now: UnixMillis) {
        let Setting { back_office_alarm_ms: Some(after_ms), .. } = self.setting else { return };
        let trouble = self.back_office.trouble(after_ms, now);
        let before = std::mem::replace(&mut self.back_office.alarm, trouble);
        let waiting = self.back_office.waiting();
        // What passes by itself may become what does not: that is said too.
        let lasts = |trouble| match trouble {
            Some(OfficeTrouble::Refuses { status }) => NotTaken::Refused { status }.lasts(),
            _ => false,
        };
        match trouble {
            Some(trouble) if before.is_none() || (lasts(Some(trouble)) && !lasts(before)) => {
                let why = self.back_office.not_taken.as_ref().map(ToString::to_string).unwrap_or_default();
                tracing::error!(
                    waiting,
                    why,
                    "{trouble}: what it is to be told waits in the database, and is sent again until it is taken"
                );
            }
            None if before.is_some() => tracing::info!(waiting, "the back office takes what it is told again"),
            _ => {}
        }
    }

    /// Numbers what `draft` tells the back office, and writes it with the rest; how many words those are.
    pub(super) fn write_words(&self, draft: &mut Draft, now: UnixMillis) -> u64 {
        let told = draft.take_told();
        if self.setting.back_office_alarm_ms.is_none() {
            return 0;
        }
        let words = told.len() as u64;
        for (seq, what) in (self.back_office.last + 1..).zip(told) {
            let body = Word::new(self.setting.store.clone(), seq, now, what).encode();
            draft.write(Write::Word(WordRow { seq, at: now, body }));
            draft.write(Write::Count(WORDS));
        }
        words
    }

    /// Tells of the trips that `posting` closes. One that a cart closes twice, because its journal lost its end, is
    /// told twice, under one id; one that staff took to a till was told of then.
    pub(super) fn tell_of_trips(&self, posting: &Posting, draft: &mut Draft) -> Result<(), StoreError> {
        for row in &posting.trips {
            let closed = posting.closed.iter().rev().find(|(trip, _)| *trip == row.trip);
            if let Some((_, at)) = closed
                && self.storage.transfer(&row.trip)?.is_none()
            {
                self.tell_of_trip(row, *at, draft);
            }
        }
        Ok(())
    }

    /// Tells of a trip that is over since `closed_at`.
    pub(super) fn tell_of_trip(&self, row: &TripRow, closed_at: UnixMillis, draft: &mut Draft) {
        let catalogue = row.state.catalogue.and_then(|version| self.catalogues.get(&version));
        let totals = catalogue.and_then(|catalogue| price(&row.state.basket, catalogue).ok());
        if let Some(trip) = ClosedTrip::of(row, closed_at, totals) {
            draft.tell(What::Trip(trip));
        }
    }
}
