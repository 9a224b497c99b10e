//! The cart's screen: whole [`View`](cart_core::View)s in, [`Intent`](cart_core::Intent)s out, and nothing decided in between.
//!
//! The markup in `cart-app/ui` lays out and words; the adapters here turn each part of a view into
//! the markup's properties and models, and change only what changed, so that only that moves. The
//! same adapters serve the touch window, the demo's window and [`headless`], which draws without a
//! display.
//!
//! ```text
//! watch::Receiver<Arc<View>> ─► Screen::apply ─► globals of the markup ─► pixels
//!                          Intent ◄─ Screen::on_intent ◄─ touch
//! ```
//!
//! Words are the markup's (`@tr`), their translations lie in `cart-app/translations`; a [`Language`] brings
//! its [`format`] of money and weight, its direction and its [`fonts`]. One thread speaks one language.
//!
//! Deliberately absent: prices, rules, weights that are judged. A missing picture is drawn
//! ([`pictures`]); money and weight are written here ([`format`]), never in markup.

mod ask;
mod basket;
pub mod clock;
mod conditions;
pub mod fonts;
pub mod format;
pub mod gallery;
mod glimpse;
pub mod headless;
mod intents;
mod item;
pub mod language;
mod list;
mod offers;
mod paint;
pub mod pictures;
mod product;
mod qr;
mod receipt;
pub mod sample;
mod screen;
mod search;
mod shop;
mod speech;
mod staff;
mod start;
mod typing;
mod waiting;
mod window;
mod wishes;

pub use clock::Clock;
pub use format::{Format, WeightUnit};
pub use glimpse::Glimpse;
pub use headless::{HeadlessError, HeadlessScreen};
pub use language::Language;
pub use pictures::{KINDS_OF_PICTURE, Pictures};
pub use screen::Screen;
pub use shop::{ShopAction, ShopPanel};
pub use window::CartWindow;

pub use cart_ui::{App, DemoWindow, Hand, Scheme};
