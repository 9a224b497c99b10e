//! Asks a terminal for what it counted, and what it knows of one attempt.

use trip::bounds::{MAX_NAME, at_most, total};

use super::{NexoTerminal, QUICK_ANSWER, body_of, minor, read, shortened, words};
use crate::intent::{Answer, Ask, Intent};
use crate::terminal::nexo::{
    Body, Category, Message, Outcome, PaymentTotals, ReconciliationRequest, ReconciliationResponse, ReconciliationType,
    TransactionTotals, TransactionType,
};
use crate::terminal::totals::{Counted, Kind, NoTotals, Period, Seen, Totals};

/// Most counts in an answer: more askers, brands and kinds than any store has.
const MOST_COUNTS: usize = 1_000;

/// No terminal takes more payments in a period.
const MOST_PAYMENTS: u64 = 10_000_000;

impl NexoTerminal {
    /// What the terminal counted in `period`. A terminal that waits for a card is not disturbed: it says that it is
    /// busy.
    ///
    /// # Errors
    /// [`NoTotals`] says why it tells none. A [`Period::Running`] may be closed all the same.
    pub async fn totals(&self, period: Period) -> Result<Totals, NoTotals> {
        let (reconciliation_type, poi_reconciliation_id) = match period {
            Period::Running => (ReconciliationType::SaleReconciliation, None),
            Period::Closed(number) => (ReconciliationType::PreviousReconciliation, Some(number)),
        };
        let header = self.header(Category::Reconciliation, self.new_exchange());
        let message = Message {
            message_header: header.clone(),
            body: Body::ReconciliationRequest(ReconciliationRequest { reconciliation_type, poi_reconciliation_id }),
        };
        let bytes = self.post(message, QUICK_ANSWER).await.map_err(|answer| NoTotals::Silent(why(answer)))?;
        match body_of(&bytes, &self.key, &header).map_err(NoTotals::Silent)? {
            Body::ReconciliationResponse(answer) => understand(answer, period),
            _ => Err(NoTotals::Silent("the terminal answered with a question".into())),
        }
    }

    /// What the terminal knows of `intent`; asking changes nothing.
    pub async fn look_up(&self, intent: &Intent) -> Seen {
        let message = self.message(Ask::Status, intent);
        let header = message.message_header.clone();
        let body = match self.post(message, QUICK_ANSWER).await {
            Ok(bytes) => body_of(&bytes, &self.key, &header).map_err(|why| Answer::NoAnswer { why }),
            Err(answer) => Err(answer),
        };
        match body {
            Ok(body) => Seen { period: period_of(&body), answer: read(body, intent) },
            Err(answer) => Seen { answer, period: None },
        }
    }
}

/// In which period the payment was taken that a status is about.
fn period_of(body: &Body) -> Option<u64> {
    let Body::TransactionStatusResponse(answer) = body else { return None };
    let repeated = answer.repeated_message_response.as_ref()?;
    repeated.repeated_response_message_body.payment_response.poi_data.as_ref()?.poi_reconciliation_id
}

/// Why a question went unanswered.
fn why(answer: Answer) -> String {
    match answer {
        Answer::NeverSent { why } | Answer::NoAnswer { why } => why,
        other => format!("an answer to another question: {other:?}"),
    }
}

fn understand(answer: ReconciliationResponse, asked: Period) -> Result<Totals, NoTotals> {
    if answer.response.result != Outcome::Success {
        return Err(match answer.response.error_condition.as_deref() {
            Some("Busy" | "InProgress") => NoTotals::Busy,
            _ => NoTotals::Refused(format!("it says {}", words(&answer.response))),
        });
    }
    let odd = |what: &str| NoTotals::Refused(format!("its totals cannot be believed: {what}"));
    let period = match (asked, answer.poi_reconciliation_id) {
        (Period::Running, Some(number)) => number,
        (Period::Running, None) => return Err(odd("they name no period")),
        (Period::Closed(number), told) if told.is_none_or(|told| told == number) => number,
        (Period::Closed(_), _) => return Err(odd("they are of another period than was asked for")),
    };
    let mut counted = Vec::new();
    for totals in answer.transaction_totals {
        for one in &totals.payment_totals {
            counted.extend(count(&totals, *one).map_err(|what| odd(&what))?);
        }
        at_most("the number of its counts", counted.len(), MOST_COUNTS).map_err(|e| odd(&e.to_string()))?;
    }
    Ok(Totals { period, counted })
}

/// One count; `None` for what moved no money.
fn count(totals: &TransactionTotals, one: PaymentTotals) -> Result<Option<Counted>, String> {
    let kind = match one.transaction_type {
        TransactionType::Debit => Kind::Paid,
        TransactionType::ReverseDebit | TransactionType::Credit => Kind::GivenBack,
        TransactionType::ReverseCredit | TransactionType::Other => Kind::Other,
        TransactionType::Declined | TransactionType::Failed => return Ok(None),
    };
    let currency = totals.payment_currency.ok_or("they name no currency")?;
    let sum = minor(one.transaction_amount, currency);
    total("one of its sums", sum).map_err(|e| e.to_string())?;
    at_most("one of its counts", one.transaction_count, MOST_PAYMENTS).map_err(|e| e.to_string())?;
    // For people alone: what is too long is cut.
    let name =
        |name: &Option<String>| name.clone().map(|name| if name.len() > MAX_NAME { shortened(name) } else { name });
    Ok(Some(Counted {
        sale: name(&totals.sale_id),
        brand: name(&totals.card_brand),
        kind,
        count: one.transaction_count,
        sum,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::nexo::Response;
    use trip::{Currency, Money};

    fn answer(result: Outcome, condition: Option<&str>, period: Option<u64>) -> ReconciliationResponse {
        let totals = |transaction_type, transaction_count, transaction_amount| PaymentTotals {
            transaction_type,
            transaction_count,
            transaction_amount,
        };
        ReconciliationResponse {
            response: Response { result, error_condition: condition.map(Into::into), additional_response: None },
            reconciliation_type: ReconciliationType::SaleReconciliation,
            poi_reconciliation_id: period,
            transaction_totals: vec![TransactionTotals {
                payment_instrument_type: "Card".into(),
                card_brand: Some("visa".into()),
                sale_id: None,
                payment_currency: Some(Currency::GBP),
                payment_totals: vec![
                    totals(TransactionType::Debit, 2, 7.4),
                    totals(TransactionType::ReverseDebit, 1, 3.7),
                    totals(TransactionType::Declined, 5, 18.5),
                ],
            }],
        }
    }

    #[test]
    fn what_moved_money_is_counted() {
        let totals = understand(answer(Outcome::Success, None, Some(7)), Period::Running).expect("told");
        let seen: Vec<_> = totals.counted.iter().map(|c| (c.kind, c.count, c.sum.minor)).collect();
        assert_eq!((totals.period, seen), (7, vec![(Kind::Paid, 2, 740), (Kind::GivenBack, 1, 370)]));
        assert_eq!(totals.counted[0].sum, Money::new(740, Currency::GBP));
    }

    #[test]
    fn totals_that_cannot_be_believed_are_none() {
        let check = |answer: ReconciliationResponse, asked: Period, expected: &str| {
            let why = understand(answer, asked).expect_err(expected).to_string();
            assert!(why.contains(expected), "{why}");
        };
        let right = || answer(Outcome::Success, None, Some(7));
        check(answer(Outcome::Failure, Some("Busy"), None), Period::Running, "busy with a payment");
        check(answer(Outcome::Failure, Some("LoggedOut"), None), Period::Running, "it says LoggedOut");
        check(answer(Outcome::Success, None, None), Period::Running, "name no period");
        check(right(), Period::Closed(6), "another period");
        let mut odd = right();
        odd.transaction_totals[0].payment_currency = None;
        check(odd, Period::Running, "name no currency");
        let mut odd = right();
        odd.transaction_totals[0].payment_totals[0].transaction_amount = -1.0;
        check(odd, Period::Running, "sums");
        let mut odd = right();
        odd.transaction_totals[0].payment_totals[0].transaction_count = u64::MAX;
        check(odd, Period::Running, "counts");
        let mut odd = right();
        odd.transaction_totals = vec![odd.transaction_totals[0].clone(); 501];
        check(odd, Period::Running, "number of its counts");
    }
}
