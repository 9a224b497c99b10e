//! What a terminal counted: the messages that close a period of it, or tell again of one that is closed.
//!
//! Source: nexo Sale to POI Protocol 3.0, Reconciliation; Adyen, "Reconcile a balance mismatch".

use serde::{Deserialize, Serialize};
use trip::Currency;

use super::Response;

/// What was counted?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReconciliationRequest {
    /// Of which period.
    pub reconciliation_type: ReconciliationType,
    /// Which closed one; only with [`ReconciliationType::PreviousReconciliation`].
    #[serde(rename = "POIReconciliationID", default, with = "digits", skip_serializing_if = "Option::is_none")]
    pub poi_reconciliation_id: Option<u64>,
}

/// Which period is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReconciliationType {
    /// The one that runs: it is closed, and the next begins.
    SaleReconciliation,
    /// One that is closed: nothing changes.
    PreviousReconciliation,
}

/// What was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReconciliationResponse {
    /// Whether it is told.
    pub response: Response,
    /// Of which kind of period.
    pub reconciliation_type: ReconciliationType,
    /// Which period.
    #[serde(rename = "POIReconciliationID", default, with = "digits", skip_serializing_if = "Option::is_none")]
    pub poi_reconciliation_id: Option<u64>,
    /// The counts and sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transaction_totals: Vec<TransactionTotals>,
}

/// The counts and sums of one asker and one brand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactionTotals {
    /// Such as `Card`.
    pub payment_instrument_type: String,
    /// Such as `visa`; `None` where the terminal does not tell brands apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_brand: Option<String>,
    /// Who asked; `None` where the terminal does not tell askers apart.
    #[serde(rename = "SaleID", default, skip_serializing_if = "Option::is_none")]
    pub sale_id: Option<String>,
    /// Of the sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_currency: Option<Currency>,
    /// By kind of transaction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payment_totals: Vec<PaymentTotals>,
}

/// The count and sum of one kind of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PaymentTotals {
    /// Which kind.
    pub transaction_type: TransactionType,
    /// How many.
    pub transaction_count: u64,
    /// Their sum in major units, 0 or more.
    pub transaction_amount: f64,
}

/// A kind of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TransactionType {
    /// A payment.
    Debit,
    /// A refund that stands for itself.
    Credit,
    /// A payment that was taken back.
    ReverseDebit,
    /// A refund that was taken back.
    ReverseCredit,
    /// Refused: no money moved.
    Declined,
    /// Broken off: no money moved.
    Failed,
    /// A reservation, an instalment, points: nothing that the hub asks for.
    #[serde(other)]
    Other,
}

/// A period's number: digits in text, as the protocol has it, or a plain number, as some write it. Anything else
/// is none, and no reason to pass over the rest of an answer that tells of money.
pub(super) mod digits {
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    pub fn serialize<S: Serializer>(period: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match period {
            Some(period) => serializer.collect_str(period),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64(),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Body, Category, Envelope, Header, Message, Outcome, PROTOCOL, PoiData};
    use super::*;

    #[test]
    fn a_closing_has_the_protocols_own_names() {
        let message = Message {
            message_header: Header {
                protocol_version: PROTOCOL.into(),
                message_class: "Service".into(),
                message_category: Category::Reconciliation,
                message_type: "Request".into(),
                sale_id: "trundle-s".into(),
                service_id: "0518145303".into(),
                poi_id: "V400m-1".into(),
            },
            body: Body::ReconciliationRequest(ReconciliationRequest {
                reconciliation_type: ReconciliationType::PreviousReconciliation,
                poi_reconciliation_id: Some(1007),
            }),
        };
        let expected: serde_json::Value = serde_json::from_str(
            r#"{"SaleToPOIRequest": {
                "MessageHeader": {"ProtocolVersion": "3.0", "MessageClass": "Service", "MessageCategory": "Reconciliation",
                    "MessageType": "Request", "SaleID": "trundle-s", "ServiceID": "0518145303", "POIID": "V400m-1"},
                "ReconciliationRequest": {"ReconciliationType": "PreviousReconciliation", "POIReconciliationID": "1007"}}}"#,
        )
        .expect("JSON");
        assert_eq!(serde_json::to_value(Envelope::Request(message)).expect("plain fields"), expected);
    }

    #[test]
    fn a_terminals_totals_are_read() {
        let text = r#"{"SaleToPOIResponse": {
            "MessageHeader": {"ProtocolVersion": "3.0", "MessageClass": "Service", "MessageCategory": "Reconciliation",
                "MessageType": "Response", "SaleID": "s", "ServiceID": "1", "POIID": "p"},
            "ReconciliationResponse": {
                "Response": {"Result": "Success"},
                "ReconciliationType": "SaleReconciliation", "POIReconciliationID": "1000",
                "TransactionTotals": [{"SaleID": "s", "PaymentInstrumentType": "Card", "PaymentCurrency": "EUR",
                    "OperatorID": "x", "CardBrand": "mc", "ShiftNumber": "123",
                    "PaymentTotals": [
                        {"TransactionType": "Debit", "TransactionCount": 1, "TransactionAmount": 10.99},
                        {"TransactionType": "CashAdvance", "TransactionCount": 2, "TransactionAmount": 3}]}]}}}"#;
        let Envelope::Response(message) = serde_json::from_str::<Envelope<Message>>(text).expect("an answer") else {
            panic!("a response")
        };
        let Body::ReconciliationResponse(answer) = message.body else { panic!("of a reconciliation") };
        assert_eq!((answer.response.result, answer.poi_reconciliation_id), (Outcome::Success, Some(1000)));
        let totals = &answer.transaction_totals[0];
        assert_eq!((totals.sale_id.as_deref(), totals.card_brand.as_deref()), (Some("s"), Some("mc")));
        let kinds: Vec<_> = totals.payment_totals.iter().map(|t| (t.transaction_type, t.transaction_count)).collect();
        assert_eq!(kinds, [(TransactionType::Debit, 1), (TransactionType::Other, 2)]);
    }

    #[test]
    fn an_odd_period_does_not_hide_what_was_paid() {
        let check = |period: &str, expected: Option<u64>| {
            let text = format!(r#"{{"POITransactionID": {{"TransactionID": "B1.X", "TimeStamp": "t"}}{period}}}"#);
            let read: PoiData = serde_json::from_str(&text).expect(period);
            assert_eq!(read.poi_reconciliation_id, expected, "{period}");
        };
        check(r#", "POIReconciliationID": "1000""#, Some(1000));
        check(r#", "POIReconciliationID": 1000"#, Some(1000));
        check(r#", "POIReconciliationID": "RECON-1""#, None);
        check(r#", "POIReconciliationID": -1"#, None);
        check(r#", "POIReconciliationID": null"#, None);
        check("", None);
    }
}
