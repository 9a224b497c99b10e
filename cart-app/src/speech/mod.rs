//! The cart speaks: what comes, goes, is asked and adds up, for who cannot or would rather not look.
//!
//! Off until the shopper asks for it ("Say it aloud"), and off again for the next. What is said is made
//! of the change between two views ([`news`]), so nothing is said that the screen does not show; the words
//! are the markup's (`cart-app/ui/speech.slint`), so that one catalogue serves eye and ear.
//!
//! ```text
//! View, View ─► news::between ─► words in the shopper's language ─► Queue ─► Voice's thread ─► espeak-ng or spd-say
//! ```
//!
//! A voice that lags is worse than none: the [`queue`] keeps one total, the newest, and few words of what
//! came and went; a question interrupts. The speaking program gets its text on its standard input, never
//! through a shell, and what could be a command to it is taken out ([`program`]).
//!
//! Deliberately absent: a synthesiser of our own, and words for other people's ears. Who wears headphones
//! plugs them in; who shares the cart hears what everybody sees.

pub mod news;
pub mod program;
pub mod queue;
pub mod voice;

pub use news::News;
pub use program::Programs;
pub use queue::{Kind, Words};
pub use voice::Voice;

/// Who says it: a [`Voice`], or a test that listens.
pub trait Speaker {
    /// Says this in its turn. Never waits.
    fn say(&self, words: Words);
    /// The open question is answered: it is asked no further.
    fn settle(&self);
    /// Nothing more: what is being said is cut off, what waits is forgotten.
    fn hush(&self);
    /// False while the speaking program fails.
    fn works(&self) -> bool;
}
