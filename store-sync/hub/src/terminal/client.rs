//! Asks a terminal over HTTP, and turns what it says, or fails to say, into an [`Answer`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use trip::Hash;
use trip::bounds::{MAX_NAME, MAX_WORDS, at_most, total};
use trip::event::Tender;

use super::nexo::{
    AbortRequest, AmountsReq, Body, Category, Envelope, Header, Message, MessageReference, Outcome, PROTOCOL,
    PaymentRequest, PaymentResponse, PaymentTransaction, PoiData, Response, ReversalRequest, SaleData, StatusRequest,
    TransactionId, major, minor, open, payment_service_id, seal,
};
use super::seal::SharedKey;
use super::{Terminal, sale_id};
use crate::config::LaneConfig;
use crate::intent::{Answer, Approval, Ask, Intent};

mod totals;

/// How long anything but a payment may take; a payment waits for a person.
const QUICK_ANSWER: Duration = Duration::from_secs(10);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);

/// The largest answer, in bytes; a payment's with its printed receipts has some ten thousand.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// A terminal that speaks nexo.
pub struct NexoTerminal {
    http: reqwest::Client,
    url: String,
    key: SharedKey,
    sale_id: String,
    poi_id: String,
    answer_within: Duration,
    /// Makes the names of quick exchanges differ; a payment's is fixed by its intent.
    exchanges: AtomicU64,
}

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("terminal {address}: {source}")]
pub struct ClientError {
    address: String,
    source: reqwest::Error,
}

impl NexoTerminal {
    /// The terminal of `lane` in `store`. `run` differs at each start of the hub.
    ///
    /// # Errors
    /// [`ClientError`] when no HTTP client can be made.
    pub fn new(lane: &LaneConfig, store: &trip::StoreId, run: u64) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder().connect_timeout(CONNECT).no_proxy().build();
        Ok(Self {
            http: http.map_err(|source| ClientError { address: lane.terminal.clone(), source })?,
            url: format!("http://{}/nexo", lane.terminal),
            key: SharedKey::derive(&lane.passphrase, &lane.key_identifier, lane.key_version),
            sale_id: sale_id(store),
            poi_id: lane.poi.clone(),
            answer_within: lane.answer_within,
            exchanges: AtomicU64::new(run << 16),
        })
    }

    fn message(&self, ask: Ask, intent: &Intent) -> Message {
        let category = match ask {
            Ask::Pay => Category::Payment,
            Ask::Status => Category::TransactionStatus,
            Ask::Reverse => Category::Reversal,
            Ask::Abort => Category::Abort,
        };
        let payment = payment_service_id(&intent.id);
        let service_id = match ask {
            Ask::Pay => payment.clone(),
            _ => self.new_exchange(),
        };
        let reference = MessageReference {
            message_category: Category::Payment,
            service_id: payment,
            sale_id: self.sale_id.clone(),
        };
        let sale_data = SaleData {
            sale_transaction_id: TransactionId { transaction_id: intent.id.to_string(), time_stamp: iso(intent) },
        };
        let body = match ask {
            Ask::Pay => Body::PaymentRequest(PaymentRequest {
                sale_data,
                payment_transaction: PaymentTransaction {
                    amounts_req: AmountsReq {
                        currency: intent.amount.currency,
                        requested_amount: major(intent.amount),
                    },
                },
            }),
            Ask::Status => Body::TransactionStatusRequest(StatusRequest { message_reference: reference }),
            Ask::Abort => {
                Body::AbortRequest(AbortRequest { abort_reason: "MerchantAbort".into(), message_reference: reference })
            }
            Ask::Reverse => Body::ReversalRequest(ReversalRequest {
                sale_data,
                original_poi_transaction: PoiData {
                    poi_transaction_id: TransactionId {
                        transaction_id: intent
                            .approval
                            .as_ref()
                            .map(|a| a.tender.reference.clone())
                            .unwrap_or_default(),
                        time_stamp: intent.approval.as_ref().map(|a| a.time_stamp.clone()).unwrap_or_default(),
                    },
                    poi_reconciliation_id: None,
                },
                reversal_reason: "MerchantCancel".into(),
            }),
        };
        Message { message_header: self.header(category, service_id), body }
    }

    fn header(&self, message_category: Category, service_id: String) -> Header {
        Header {
            protocol_version: PROTOCOL.into(),
            message_class: "Service".into(),
            message_category,
            message_type: "Request".into(),
            sale_id: self.sale_id.clone(),
            service_id,
            poi_id: self.poi_id.clone(),
        }
    }

    /// A name that no other exchange of this store has had of late.
    fn new_exchange(&self) -> String {
        Hash::of(&self.exchanges.fetch_add(1, Ordering::Relaxed).to_be_bytes()).to_string()[..10].to_owned()
    }

    async fn post(&self, message: Message, within: Duration) -> Result<Vec<u8>, Answer> {
        let unsent = |e: String| Answer::NeverSent { why: format!("terminal {}: {e}", self.url) };
        let lost = |e: String| Answer::NoAnswer { why: format!("terminal {}: {e}", self.url) };
        let body = seal(&Envelope::Request(message), &self.key).map_err(|e| unsent(e.to_string()))?;
        let request = self.http.post(&self.url).timeout(within).header("content-type", "application/json").body(body);
        // A connection that was never made carried nothing; of any other failure nothing is known.
        let answer = request
            .send()
            .await
            .map_err(|e| if e.is_connect() { unsent(e.to_string()) } else { lost(e.to_string()) })?;
        if !answer.status().is_success() {
            return Err(lost(format!("it answered {}", answer.status())));
        }
        let mut answer = answer;
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|e| lost(e.to_string()))? {
            bytes.extend_from_slice(&part);
            at_most("its answer in bytes", bytes.len(), LARGEST_ANSWER).map_err(|e| lost(e.to_string()))?;
        }
        Ok(bytes)
    }
}

impl Terminal for NexoTerminal {
    async fn ask(&self, ask: Ask, intent: &Intent) -> Answer {
        let message = self.message(ask, intent);
        let header = message.message_header.clone();
        let within = if ask == Ask::Pay { self.answer_within } else { QUICK_ANSWER };
        let bytes = match self.post(message, within).await {
            Ok(bytes) => bytes,
            Err(answer) => return answer,
        };
        // An abort is answered without a message; what became of the payment, the payment tells.
        if ask == Ask::Abort {
            return Answer::InProgress;
        }
        understand(&bytes, &self.key, &header, intent)
    }
}

/// What the bytes that a terminal sent mean for `intent`, which it was asked about by a message with `header`.
pub fn understand(bytes: &[u8], key: &SharedKey, header: &Header, intent: &Intent) -> Answer {
    match body_of(bytes, key, header) {
        Ok(body) => read(body, intent),
        Err(why) => Answer::NoAnswer { why },
    }
}

/// The body of the answer to a message with `header`, or why there is none.
fn body_of(bytes: &[u8], key: &SharedKey, header: &Header) -> Result<Body, String> {
    let answer = match open(bytes, key) {
        Ok(Envelope::Response(answer)) => answer,
        Ok(Envelope::Request(_)) => return Err("the terminal answered with a question".into()),
        Err(e) => return Err(shortened(format!("the terminal's answer cannot be read: {e}"))),
    };
    let theirs = &answer.message_header;
    if theirs.service_id != header.service_id || theirs.message_category != header.message_category {
        return Err("the terminal answered another question".into());
    }
    Ok(answer.body)
}

/// What an answer's body means for `intent`.
fn read(body: Body, intent: &Intent) -> Answer {
    match body {
        Body::PaymentResponse(answer) => payment(answer, intent),
        Body::TransactionStatusResponse(answer) => match (answer.response.result, answer.repeated_message_response) {
            (Outcome::Success, Some(repeated)) => {
                payment(repeated.repeated_response_message_body.payment_response, intent)
            }
            _ => match answer.response.error_condition.as_deref() {
                Some("NotFound") => Answer::NotFound,
                Some("InProgress" | "Busy") => Answer::InProgress,
                _ => Answer::NoAnswer { why: words(&answer.response) },
            },
        },
        Body::ReversalResponse(answer) => match answer.response.result {
            Outcome::Success => Answer::Reversed,
            _ => Answer::NoAnswer { why: format!("the reversal was refused: {}", words(&answer.response)) },
        },
        _ => Answer::NoAnswer { why: "the terminal answered with a question".into() },
    }
}

fn payment(answer: PaymentResponse, intent: &Intent) -> Answer {
    let about = answer.sale_data.as_ref().map(|s| s.sale_transaction_id.transaction_id.as_str());
    if about.is_some_and(|id| id != intent.id.as_str()) {
        return Answer::NoAnswer { why: "the terminal told of another payment".into() };
    }
    if answer.response.result == Outcome::Failure {
        return match answer.response.error_condition.as_deref() {
            Some("InProgress" | "Busy") => Answer::InProgress,
            _ => Answer::Declined { why: words(&answer.response) },
        };
    }
    let (Some(result), Some(poi)) = (answer.payment_result, answer.poi_data) else {
        return Answer::NoAnswer { why: "the terminal approved, but named no amount or reference".into() };
    };
    let amount = minor(result.amounts_resp.authorized_amount, result.amounts_resp.currency);
    let TransactionId { transaction_id: reference, time_stamp } = poi.poi_transaction_id;
    // A reversal must name both as they are, so they are never shortened; the status is asked for again instead.
    let bounded = total("the terminal's amount", amount)
        .and_then(|()| at_most("the terminal's reference in bytes", reference.len(), MAX_NAME))
        .and_then(|()| at_most("the terminal's time stamp in bytes", time_stamp.len(), MAX_NAME));
    if let Err(why) = bounded {
        return Answer::NoAnswer { why: format!("the terminal approved, but {why}") };
    }
    let brand = result.payment_instrument_data.and_then(|d| d.card_data).map(|c| c.payment_brand);
    let kind = brand.filter(|brand| brand.len() <= MAX_NAME).unwrap_or_else(|| "card".into());
    Answer::Approved(Approval { amount, tender: Tender { kind, reference }, time_stamp })
}

fn words(response: &Response) -> String {
    let condition = response.error_condition.as_deref().unwrap_or("no reason given");
    shortened(match response.additional_response.as_deref() {
        Some(more) if !more.is_empty() => format!("{condition}: {more}"),
        _ => condition.to_owned(),
    })
}

/// Another program's words, of no more than [`MAX_WORDS`] bytes.
fn shortened(mut words: String) -> String {
    let end = (0..=MAX_WORDS.min(words.len())).rev().find(|end| words.is_char_boundary(*end)).unwrap_or(0);
    words.truncate(end);
    words
}

fn iso(intent: &Intent) -> String {
    jiff::Timestamp::from_millisecond(intent.created_at.0).map(|t| t.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::IntentState;
    use crate::intent::tests::intent;

    #[tokio::test]
    async fn a_terminal_that_is_not_there_was_certainly_not_asked() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        let lane = LaneConfig {
            id: intent(IntentState::Sent).lane,
            terminal: free.to_string(),
            poi: "p".into(),
            passphrase: "x".into(),
            key_identifier: "k".into(),
            key_version: 1,
            answer_within: Duration::from_secs(5),
        };
        let terminal = NexoTerminal::new(&lane, &trip::StoreId::new("s").expect("valid"), 1).expect("a client");
        let answer = terminal.ask(Ask::Pay, &intent(IntentState::Sent)).await;
        assert!(matches!(answer, Answer::NeverSent { .. }), "{answer:?}");
    }

    #[test]
    fn a_failure_is_a_definite_no_only_when_the_terminal_says_so() {
        let check = |condition: Option<&str>, expected: &str| {
            let response = Response {
                result: Outcome::Failure,
                error_condition: condition.map(Into::into),
                additional_response: None,
            };
            let payment =
                PaymentResponse { response: response.clone(), sale_data: None, poi_data: None, payment_result: None };
            let paid = format!("{:?}", read(Body::PaymentResponse(payment), &intent(IntentState::Sent)));
            let status = super::super::nexo::StatusResponse { response, repeated_message_response: None };
            let asked =
                format!("{:?}", read(Body::TransactionStatusResponse(Box::new(status)), &intent(IntentState::Unknown)));
            let word = |text: &str| text.split([' ', '{']).next().unwrap_or_default().to_owned();
            assert_eq!(format!("{} {}", word(&paid), word(&asked)), expected, "{condition:?}");
        };
        check(Some("Refusal"), "Declined NoAnswer");
        check(Some("NotFound"), "Declined NotFound");
        check(Some("InProgress"), "InProgress InProgress");
        check(None, "Declined NoAnswer");
    }
}
