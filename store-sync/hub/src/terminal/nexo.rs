//! The messages of the nexo Retailer protocol that a hub and a terminal exchange, in JSON.
//!
//! Only the fields that Trundle writes or reads are here; others are passed over, so that nothing
//! about a card is ever taken in.
//!
//! Source: nexo Sale to POI Protocol 3.0; Adyen, Terminal API reference.

use serde::{Deserialize, Serialize};
use trip::{Currency, Hash, IntentId, Money};

use super::seal::{SealError, SecurityTrailer, SharedKey};

mod reconciliation;

pub use reconciliation::{
    PaymentTotals, ReconciliationRequest, ReconciliationResponse, ReconciliationType, TransactionTotals,
    TransactionType,
};

/// The protocol's version.
pub const PROTOCOL: &str = "3.0";

/// A message in the envelope it travels in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Envelope<T> {
    /// From the hub.
    #[serde(rename = "SaleToPOIRequest")]
    Request(T),
    /// From the terminal.
    #[serde(rename = "SaleToPOIResponse")]
    Response(T),
}

/// A message under encryption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SealedMessage {
    /// In clear, for routing; the one inside counts.
    pub message_header: Header,
    /// The message, encrypted, base64.
    pub nexo_blob: String,
    /// How.
    pub security_trailer: SecurityTrailer,
}

/// Who speaks to whom about what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Header {
    /// [`PROTOCOL`].
    pub protocol_version: String,
    /// Service.
    pub message_class: String,
    /// Payment, `TransactionStatus`, Reversal, Abort or Reconciliation.
    pub message_category: Category,
    /// Request or Response.
    pub message_type: String,
    /// The hub.
    #[serde(rename = "SaleID")]
    pub sale_id: String,
    /// Names this exchange, up to ten letters and digits.
    #[serde(rename = "ServiceID")]
    pub service_id: String,
    /// The terminal.
    #[serde(rename = "POIID")]
    pub poi_id: String,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Category {
    /// Take money.
    Payment,
    /// What became of a payment?
    TransactionStatus,
    /// Give money back.
    Reversal,
    /// Stop waiting for a card.
    Abort,
    /// What was counted?
    Reconciliation,
}

/// A message: its header and one body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    /// Who speaks to whom.
    pub message_header: Header,
    /// The body, named after its category and direction.
    #[serde(flatten)]
    pub body: Body,
}

/// A message's body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// Take money.
    PaymentRequest(PaymentRequest),
    /// It was taken, or not.
    PaymentResponse(PaymentResponse),
    /// What became of a payment?
    TransactionStatusRequest(StatusRequest),
    /// This.
    TransactionStatusResponse(Box<StatusResponse>),
    /// Give money back.
    ReversalRequest(ReversalRequest),
    /// It was given back, or not.
    ReversalResponse(ReversalResponse),
    /// Stop waiting for a card. The payment itself is then answered.
    AbortRequest(AbortRequest),
    /// What was counted?
    ReconciliationRequest(ReconciliationRequest),
    /// This.
    ReconciliationResponse(ReconciliationResponse),
}

/// A transaction's name and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactionId {
    /// Its name.
    #[serde(rename = "TransactionID")]
    pub transaction_id: String,
    /// ISO 8601.
    pub time_stamp: String,
}

/// What the hub calls the sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SaleData {
    /// The intent's id: the idempotency key.
    #[serde(rename = "SaleTransactionID")]
    pub sale_transaction_id: TransactionId,
}

/// What the terminal calls the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PoiData {
    /// The terminal's reference.
    #[serde(rename = "POITransactionID")]
    pub poi_transaction_id: TransactionId,
    /// In which of the terminal's periods it was taken; `None` where the terminal does not tell.
    #[serde(
        rename = "POIReconciliationID",
        default,
        with = "reconciliation::digits",
        skip_serializing_if = "Option::is_none"
    )]
    pub poi_reconciliation_id: Option<u64>,
}

/// Take money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentRequest {
    /// For which sale.
    pub sale_data: SaleData,
    /// How much.
    pub payment_transaction: PaymentTransaction,
}

/// How much money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentTransaction {
    /// The amount.
    pub amounts_req: AmountsReq,
}

/// An amount as it is asked for, in major units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AmountsReq {
    /// Which currency.
    pub currency: Currency,
    /// Major units.
    pub requested_amount: f64,
}

/// An amount as it was taken, in major units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AmountsResp {
    /// Which currency.
    pub currency: Currency,
    /// Major units.
    pub authorized_amount: f64,
}

/// Whether it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    /// Success or Failure.
    pub result: Outcome,
    /// Why it failed, such as `Refusal`, `NotFound`, `InProgress`, `Aborted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_condition: Option<String>,
    /// More, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_response: Option<String>,
}

/// Done or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done.
    Success,
    /// Done in part; for a payment, less was taken than asked.
    Partial,
    /// Not done.
    Failure,
}

/// The answer to a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentResponse {
    /// Whether money was taken.
    pub response: Response,
    /// For which sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale_data: Option<SaleData>,
    /// The terminal's name of it.
    #[serde(rename = "POIData", default, skip_serializing_if = "Option::is_none")]
    pub poi_data: Option<PoiData>,
    /// How much, and with what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_result: Option<PaymentResult>,
}

/// How much was taken, and with what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentResult {
    /// How much.
    pub amounts_resp: AmountsResp,
    /// With what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_instrument_data: Option<InstrumentData>,
}

/// With what was paid; the scheme, and nothing else of the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstrumentData {
    /// The card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_data: Option<CardData>,
}

/// The scheme of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CardData {
    /// Such as `visa`.
    pub payment_brand: String,
}

/// Which earlier message is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageReference {
    /// Its category.
    pub message_category: Category,
    /// Its exchange.
    #[serde(rename = "ServiceID")]
    pub service_id: String,
    /// Its sender.
    #[serde(rename = "SaleID")]
    pub sale_id: String,
}

/// What became of a payment?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusRequest {
    /// Which payment.
    pub message_reference: MessageReference,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusResponse {
    /// Whether it is known.
    pub response: Response,
    /// The payment's answer, repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated_message_response: Option<Repeated>,
}

/// An answer, repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Repeated {
    /// Its header.
    pub message_header: Header,
    /// Its body.
    pub repeated_response_message_body: RepeatedBody,
}

/// The body of a repeated answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RepeatedBody {
    /// A payment's.
    pub payment_response: PaymentResponse,
}

/// Give money back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReversalRequest {
    /// For which sale.
    pub sale_data: SaleData,
    /// Which payment.
    #[serde(rename = "OriginalPOITransaction")]
    pub original_poi_transaction: PoiData,
    /// `MerchantCancel`.
    pub reversal_reason: String,
}

/// The answer to a reversal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReversalResponse {
    /// Whether it was given back.
    pub response: Response,
}

/// Stop waiting for a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AbortRequest {
    /// `MerchantAbort`.
    pub abort_reason: String,
    /// Which payment.
    pub message_reference: MessageReference,
}

/// A message that is not understood.
#[derive(Debug, thiserror::Error)]
pub enum NexoError {
    /// Not the JSON of the protocol.
    #[error("no nexo message: {0}")]
    Form(#[from] serde_json::Error),
    /// Its encryption does not fit.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The header in clear is not the one inside.
    #[error("the header in clear is not the one that was sealed")]
    Header,
}

/// The exchange's name for a payment of this intent: ten letters and digits, the same each time.
pub fn payment_service_id(intent: &IntentId) -> String {
    Hash::of(intent.as_str().as_bytes()).to_string()[..10].to_owned()
}

/// An amount in major units, as the protocol writes it.
pub fn major(amount: Money) -> f64 {
    amount.minor as f64 / f64::from(10_u32.pow(amount.currency.exponent()))
}

/// An amount in minor units, from major ones.
pub fn minor(amount: f64, currency: Currency) -> Money {
    Money::new((amount * f64::from(10_u32.pow(currency.exponent()))).round() as i64, currency)
}

/// Encrypts a message for its way.
///
/// # Errors
/// [`NexoError`] when it cannot be sealed.
pub fn seal(message: &Envelope<Message>, key: &SharedKey) -> Result<Vec<u8>, NexoError> {
    let (nexo_blob, security_trailer) = key.seal(&serde_json::to_vec(message)?)?;
    let sealed = |message: &Message| SealedMessage {
        message_header: message.message_header.clone(),
        nexo_blob,
        security_trailer,
    };
    let sealed = match message {
        Envelope::Request(message) => Envelope::Request(sealed(message)),
        Envelope::Response(message) => Envelope::Response(sealed(message)),
    };
    Ok(serde_json::to_vec(&sealed)?)
}

/// Decrypts and reads a message.
///
/// # Errors
/// [`NexoError`] when it is none, was sealed with another key, or changed.
pub fn open(bytes: &[u8], key: &SharedKey) -> Result<Envelope<Message>, NexoError> {
    let sealed: Envelope<SealedMessage> = serde_json::from_slice(bytes)?;
    let (Envelope::Request(outer) | Envelope::Response(outer)) = &sealed;
    let envelope: Envelope<Message> = serde_json::from_slice(&key.open(&outer.nexo_blob, &outer.security_trailer)?)?;
    let (Envelope::Request(inner) | Envelope::Response(inner)) = &envelope;
    if inner.message_header != outer.message_header {
        return Err(NexoError::Header);
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment() -> Message {
        Message {
            message_header: Header {
                protocol_version: PROTOCOL.into(),
                message_class: "Service".into(),
                message_category: Category::Payment,
                message_type: "Request".into(),
                sale_id: "trundle-s".into(),
                service_id: "0123456789".into(),
                poi_id: "V400m-1".into(),
            },
            body: Body::PaymentRequest(PaymentRequest {
                sale_data: SaleData {
                    sale_transaction_id: TransactionId {
                        transaction_id: "i-1".into(),
                        time_stamp: "2026-11-22T10:00:00Z".into(),
                    },
                },
                payment_transaction: PaymentTransaction {
                    amounts_req: AmountsReq { currency: Currency::GBP, requested_amount: 23.84 },
                },
            }),
        }
    }

    #[test]
    fn a_payment_has_the_protocols_own_names() {
        let written = serde_json::to_value(Envelope::Request(payment())).expect("plain fields");
        let expected: serde_json::Value = serde_json::from_str(
            r#"{"SaleToPOIRequest": {
                "MessageHeader": {"ProtocolVersion": "3.0", "MessageClass": "Service", "MessageCategory": "Payment",
                    "MessageType": "Request", "SaleID": "trundle-s", "ServiceID": "0123456789", "POIID": "V400m-1"},
                "PaymentRequest": {
                    "SaleData": {"SaleTransactionID": {"TransactionID": "i-1", "TimeStamp": "2026-11-22T10:00:00Z"}},
                    "PaymentTransaction": {"AmountsReq": {"Currency": "GBP", "RequestedAmount": 23.84}}}}}"#,
        )
        .expect("JSON");
        assert_eq!(written, expected);
    }

    #[test]
    fn a_terminals_answer_is_read_and_its_card_data_passed_over() {
        let text = r#"{"SaleToPOIResponse": {
            "MessageHeader": {"ProtocolVersion": "3.0", "MessageClass": "Service", "MessageCategory": "Payment",
                "MessageType": "Response", "SaleID": "s", "ServiceID": "1", "POIID": "p"},
            "PaymentResponse": {
                "Response": {"Result": "Success", "AdditionalResponse": "tid=1"},
                "SaleData": {"SaleTransactionID": {"TransactionID": "i-1", "TimeStamp": "t"}},
                "POIData": {"POIReconciliationID": "1000", "POITransactionID": {"TransactionID": "B1.X", "TimeStamp": "t"}},
                "PaymentReceipt": [],
                "PaymentResult": {"OnlineFlag": true,
                    "AmountsResp": {"AuthorizedAmount": 10.99, "Currency": "GBP"},
                    "PaymentInstrumentData": {"PaymentInstrumentType": "Card",
                        "CardData": {"PaymentBrand": "mc", "MaskedPan": "541333 **** 9999", "EntryMode": ["Contactless"]}}}}}}"#;
        let Envelope::Response(message) = serde_json::from_str::<Envelope<Message>>(text).expect("an answer") else {
            panic!("a response")
        };
        let Body::PaymentResponse(answer) = &message.body else { panic!("of a payment") };
        let result = answer.payment_result.as_ref().expect("a result");
        assert_eq!(
            minor(result.amounts_resp.authorized_amount, result.amounts_resp.currency),
            Money::new(1099, Currency::GBP)
        );
        assert!(!serde_json::to_string(&message).expect("plain fields").contains("9999"));
    }

    #[test]
    fn a_message_comes_through_and_a_header_in_clear_cannot_be_swapped() {
        let key = SharedKey::derive("open sesame", "trundle", 1);
        let sealed = seal(&Envelope::Request(payment()), &key).expect("sealed");
        assert_eq!(open(&sealed, &key).expect("opened"), Envelope::Request(payment()));
        let swapped = String::from_utf8(sealed).expect("JSON").replace("V400m-1", "V400m-2");
        assert!(matches!(open(swapped.as_bytes(), &key), Err(NexoError::Header)));
        assert!(matches!(open(b"{}", &key), Err(NexoError::Form(_))));
    }

    #[test]
    fn amounts_survive_the_way_through_major_units() {
        for code in ["GBP", "JPY", "KWD"] {
            let currency = Currency::try_from(code.to_owned()).expect("valid");
            for amount in [0, 1, 29, 57, 2384, 999_999_999] {
                assert_eq!(minor(major(Money::new(amount, currency)), currency).minor, amount, "{code} {amount}");
            }
        }
    }
}
