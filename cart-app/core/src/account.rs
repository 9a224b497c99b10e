//! Why something that came in was put on the bill unasked, or asked about: what the decision rested on.
//!
//! For whoever looks into questions that need not have been, and for figures; the cart itself decides nothing
//! by it.

use serde::{Deserialize, Serialize};
use trip::Sku;

use crate::evidence::SightOf;
use crate::fusion::Hypothesis;
use crate::weight_step::WeightStep;

/// What spoke against putting the likeliest on the bill unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objection {
    /// Its posterior is below the threshold.
    NotSure,
    /// The likeliest is no product we know.
    Stranger,
    /// It needs its code, and the code was not read.
    NeedsCode,
    /// No camera has named it.
    Unseen,
    /// It is loose, or there are several of it, and another thing or hand was in sight: whose weight is it?
    NotAlone,
    /// It is loose, and more came in than two hands hold.
    TooMuch,
    /// It is loose, and something seems to have gone out before it came in.
    Dipped,
    /// Of two that came in at once one is loose: how is the weight shared?
    SharedWeight,
    /// A price on a label is for one piece, and the weight is of more.
    LabelIsForOne,
    /// It looks like a swap that cannot be made unasked.
    Swapped,
}

/// What a decision about something that came in rested on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What the scale felt.
    pub step: WeightStep,
    /// What the cameras saw.
    pub sight: SightOf,
    /// Products whose codes were read and waited.
    pub scanned: Vec<Sku>,
    /// The likeliest explanations, best first, at most five.
    pub best: Vec<Hypothesis>,
    /// Why it was asked about; `None` for what was put on the bill.
    pub objection: Option<Objection>,
}
