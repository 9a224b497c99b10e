//! What is told, as JSON that stays readable: a new field may come at any time, a changed one is a new version.

use serde::{Deserialize, Serialize};
use trip::event::{Ending, Tender};
use trip::pricing::{PricedLine, Saving, TaxShare};
use trip::{CartId, Hash, IntentId, LaneId, LineId, Money, Quantity, Sku, StoreId, Totals, TripId, UnixMillis};

use crate::intent::Intent;
use crate::store::{ReceiptRow, TripRow};

/// Version of the messages.
pub const VERSION: u8 = 1;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Version of its form; [`VERSION`].
    pub v: u8,
    /// Its name: the same thing told twice has it twice, and nothing else ever has it.
    pub id: String,
    /// The store.
    pub store: StoreId,
    /// Counts the store's messages from 1, without a gap. A hub that has lost its database begins at 1 again.
    pub seq: u64,
    /// When it became true, by the hub's clock.
    pub at: UnixMillis,
    /// What is told.
    #[serde(flatten)]
    pub what: What,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A trip closed.
    Trip(ClosedTrip),
    /// A payment came to an end.
    Payment(PaymentEnd),
    /// A receipt was signed, or is void.
    Receipt(ReceiptNote),
}

/// A trip as it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedTrip {
    /// The trip.
    pub trip: TripId,
    /// Its cart.
    pub cart: CartId,
    /// Why it ended.
    pub ending: Ending,
    /// When, by the cart's clock; by the hub's, when staff took the basket to a till.
    pub closed_at: UnixMillis,
    /// The catalogue whose prices held.
    pub catalogue: Option<Hash>,
    /// What was in the cart at the end.
    pub lines: Vec<SoldLine>,
    /// Promotions that applied.
    pub savings: Vec<Saving>,
    /// Taxes contained in the total.
    pub taxes: Vec<TaxShare>,
    /// What it costs by that catalogue; `None` when the hub has it no more. What was paid is the payment's to say.
    pub total: Option<Money>,
    /// The attempt that paid, if one did.
    pub intent: Option<IntentId>,
    /// The number of its receipt, once the cart has it.
    pub receipt: Option<String>,
}

/// One line of a trip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldLine {
    /// Its number within the trip.
    pub line: LineId,
    /// The product.
    pub sku: Sku,
    /// How much of it.
    pub quantity: Quantity,
    /// Its price; `None` when the hub has the catalogue no more.
    #[serde(flatten)]
    pub priced: Option<LinePrice>,
}

/// What a line costs, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePrice {
    /// The product's name.
    pub name: String,
    /// Price of a piece or of a kilogram; `None` for a price that stood in the barcode.
    pub unit: Option<i64>,
    /// Price of the line before promotions, without deposit.
    pub price: i64,
    /// Deposit of the line.
    pub deposit: i64,
    /// Letter of its tax.
    pub tax: char,
}

/// How a payment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentOutcome {
    /// The money was taken.
    Approved,
    /// Nothing was taken.
    Declined,
    /// It had been taken, and was given back.
    GivenBack,
}

/// A payment that came to an end. One that was approved may come to another: given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentEnd {
    /// The attempt; the terminal knows it by this name.
    pub intent: IntentId,
    /// The trip that pays.
    pub trip: TripId,
    /// Its cart.
    pub cart: CartId,
    /// Where.
    pub lane: LaneId,
    /// How it ended.
    pub outcome: PaymentOutcome,
    /// What the terminal was asked for.
    pub asked: Money,
    /// What came in: more than zero when approved, 0 when declined, less than zero when given back. The sum over
    /// all payments is what the store has.
    pub taken: Money,
    /// With what, and the terminal's reference; `None` when declined.
    pub tender: Option<Tender>,
}

/// A receipt that was signed, or is void.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptNote {
    /// Its number, unique in the store.
    pub number: String,
    /// The trip.
    pub trip: TripId,
    /// The attempt that paid.
    pub intent: IntentId,
    /// SHA-256 of its signed bytes.
    pub digest: Hash,
    /// True when the money is given back.
    pub void: bool,
}

impl Word {
    /// The `seq`th message of `store`: `what`, true since `at`.
    pub fn new(store: StoreId, seq: u64, at: UnixMillis, what: What) -> Self {
        // No part of it has a slash. No number is in it that a hub without its database would give again.
        let id = match &what {
            What::Trip(trip) => format!("{store}/trip/{}", trip.trip),
            What::Payment(payment) => format!("{store}/payment/{}/{}", payment.intent, payment.outcome.word()),
            What::Receipt(receipt) if receipt.void => format!("{store}/receipt/{}/void", receipt.intent),
            What::Receipt(receipt) => format!("{store}/receipt/{}", receipt.intent),
        };
        Self { v: VERSION, id, store, seq, at, what }
    }

    /// The message as it is sent.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|e| unreachable!("a message has only plain fields: {e}"))
    }
}

impl PaymentOutcome {
    /// The word that is sent.
    fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::GivenBack => "given_back",
        }
    }
}

impl ClosedTrip {
    /// What `row` ended as, at `closed_at` by the cart's clock; `None` for a trip that has not ended. `totals` is its
    /// basket, priced.
    pub fn of(row: &TripRow, closed_at: UnixMillis, totals: Option<Totals>) -> Option<Self> {
        let state = &row.state;
        let priced = |line: LineId| totals.as_ref()?.lines.iter().find(|priced| priced.line == line).map(LinePrice::of);
        let lines = state.basket.lines.iter().map(|item| SoldLine {
            line: item.line,
            sku: item.sku.clone(),
            quantity: item.quantity,
            priced: priced(item.line),
        });
        let lines = lines.collect();
        let total = totals.as_ref().map(|totals| totals.total);
        let (savings, taxes) = totals.map(|totals| (totals.savings, totals.taxes)).unwrap_or_default();
        Some(Self {
            trip: row.trip.clone(),
            cart: row.cart.clone(),
            ending: row.ending?,
            closed_at,
            catalogue: state.catalogue,
            lines,
            savings,
            taxes,
            total,
            intent: state.payment.as_ref().map(|payment| payment.intent.clone()),
            receipt: state.receipt.as_ref().map(|(number, _)| number.clone()),
        })
    }
}

impl LinePrice {
    fn of(line: &PricedLine) -> Self {
        let PricedLine { name, unit, price, deposit, tax, .. } = line;
        Self { name: name.clone(), unit: *unit, price: *price, deposit: *deposit, tax: *tax }
    }
}

impl PaymentEnd {
    /// How `intent` ended.
    pub fn of(intent: &Intent, outcome: PaymentOutcome) -> Self {
        let approval = intent.approval.as_ref().filter(|_| outcome != PaymentOutcome::Declined);
        let sign = if outcome == PaymentOutcome::GivenBack { -1 } else { 1 };
        let nothing = Money::new(0, intent.amount.currency);
        let taken =
            approval.map_or(nothing, |approval| Money::new(sign * approval.amount.minor, approval.amount.currency));
        Self {
            intent: intent.id.clone(),
            trip: intent.trip.clone(),
            cart: intent.cart.clone(),
            lane: intent.lane.clone(),
            outcome,
            asked: intent.amount,
            taken,
            tender: approval.map(|approval| approval.tender.clone()),
        }
    }
}

impl ReceiptNote {
    /// What `row` is, or has become.
    pub fn of(row: &ReceiptRow) -> Self {
        Self {
            number: row.number.clone(),
            trip: row.trip.clone(),
            intent: row.intent.clone(),
            digest: row.digest,
            void: row.void,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::IntentState;
    use crate::intent::tests::{approval, intent};
    use trip::basket::Evidence;
    use trip::pricing::price;
    use trip::{Catalogue, Grams, LineItem, Member, TripState};

    fn store() -> StoreId {
        StoreId::new("market-street").expect("valid")
    }

    const GOODS: &str = "store = \"Market Street\"\ncurrency = \"GBP\"\n[[tax]]\nname = \"zero\"\nletter = \"Z\"\nbasis_points = 0\n[[product]]\nsku = \"brown-onions\"\nname = \"Brown onions, loose\"\ntax = \"zero\"\nsale = { weight = { per_kg = 110 } }\n";

    /// A guest's, or a member's, trip of so many lines, paid.
    fn trip(lines: u32, member: Option<&str>) -> ClosedTrip {
        let item = |n| LineItem {
            line: LineId(n),
            sku: Sku::new("brown-onions").expect("valid"),
            quantity: Quantity::Weighed(Grams(742)),
            weight: Some(Grams(742)),
            evidence: Evidence::SeenAndWeighed,
        };
        let mut state = TripState { catalogue: Some(Hash::of(GOODS.as_bytes())), ..TripState::default() };
        state.basket.lines = (1..=lines).map(item).collect();
        state.member = member.map(|number| Member::parse(number).expect("valid"));
        let intent = intent(IntentState::Approved);
        let row = TripRow {
            trip: intent.trip.clone(),
            cart: intent.cart,
            epoch: 7,
            state,
            ending: Some(Ending::Paid),
            at: UnixMillis(9),
        };
        let totals = price(&row.state.basket, &Catalogue::parse(GOODS).expect("right")).expect("priced");
        ClosedTrip::of(&row, UnixMillis(8), Some(totals)).expect("it has ended")
    }

    #[test]
    fn every_message_is_read_back_as_it_was_sent() {
        let approved = Intent { approval: Some(approval(2384)), ..intent(IntentState::Approved) };
        let receipt = ReceiptNote {
            number: "market-street-000001".into(),
            trip: approved.trip.clone(),
            intent: approved.id.clone(),
            digest: Hash::of(b"receipt"),
            void: false,
        };
        let unpriced =
            ClosedTrip { lines: vec![SoldLine { priced: None, ..trip(1, None).lines[0].clone() }], ..trip(0, None) };
        for what in [
            What::Trip(trip(3, None)),
            What::Trip(unpriced),
            What::Payment(PaymentEnd::of(&approved, PaymentOutcome::Approved)),
            What::Payment(PaymentEnd::of(&approved, PaymentOutcome::Declined)),
            What::Receipt(receipt),
        ] {
            let word = Word::new(store(), 41, UnixMillis(1_764_441_000_000), what);
            let text = word.encode();
            assert_eq!(serde_json::from_str::<Word>(&text).expect("readable"), word, "{text}");
        }
    }

    #[test]
    fn the_json_has_the_fields_that_integrators_are_told_of() {
        let approved = Intent { approval: Some(approval(2384)), ..intent(IntentState::Approved) };
        let payment = PaymentEnd::of(&approved, PaymentOutcome::GivenBack);
        let word = Word::new(store(), 2, UnixMillis(5), What::Payment(payment));
        let expected = serde_json::json!({
            "v": 1, "id": format!("market-street/payment/{}/given_back", approved.id), "store": "market-street",
            "seq": 2, "at": 5, "kind": "payment", "intent": approved.id, "trip": "cart-1.7.1", "cart": "cart-1",
            "lane": "lane-1", "outcome": "given_back", "asked": { "minor": 2384, "currency": "GBP" },
            "taken": { "minor": -2384, "currency": "GBP" }, "tender": { "kind": "visa", "reference": "t1" },
        });
        assert_eq!(serde_json::to_value(&word).expect("plain"), expected);
        let word =
            serde_json::to_value(Word::new(store(), 1, UnixMillis(9), What::Trip(trip(1, None)))).expect("plain");
        let line = serde_json::json!({
            "line": 1, "sku": "brown-onions", "quantity": { "weighed": 742 }, "name": "Brown onions, loose",
            "unit": 110, "price": 82, "deposit": 0, "tax": "Z",
        });
        assert_eq!(word["lines"], serde_json::json!([line]));
        assert_eq!((&word["kind"], &word["ending"], &word["closed_at"]), (&"trip".into(), &"paid".into(), &8.into()));
        assert_eq!(word["total"], serde_json::json!({ "minor": 82, "currency": "GBP" }));
    }

    #[test]
    fn who_shopped_is_not_told() {
        let number = "2612345678905";
        let text = Word::new(store(), 1, UnixMillis(9), What::Trip(trip(1, Some(number)))).encode();
        assert_eq!(text, Word::new(store(), 1, UnixMillis(9), What::Trip(trip(1, None))).encode());
        assert!(!text.contains(&number[9..]), "not even its end: {text}");
    }

    #[test]
    fn the_sum_of_what_was_taken_is_what_the_store_has() {
        let approved = Intent { approval: Some(approval(2384)), ..intent(IntentState::Approved) };
        let check = |outcomes: &[PaymentOutcome], expected: i64| {
            let taken: i64 = outcomes.iter().map(|outcome| PaymentEnd::of(&approved, *outcome).taken.minor).sum();
            assert_eq!(taken, expected, "{outcomes:?}");
        };
        check(&[PaymentOutcome::Declined, PaymentOutcome::Approved], 2384);
        check(&[PaymentOutcome::Approved, PaymentOutcome::GivenBack], 0);
    }

    /// The figure that the README reckons the outbox's disk space with.
    #[test]
    fn a_trip_of_twenty_lines_takes_less_than_four_kibibytes() {
        let text = Word::new(store(), 123_456, UnixMillis(1_764_441_000_000), What::Trip(trip(20, None))).encode();
        assert!((2_000..4 * 1024).contains(&text.len()), "{}", text.len());
    }
}
