//! A terminal's answer. For `r` the bytes come as they are; else they are sealed here with the lane's key, so
//! that what lies behind the seal is tried too.

use std::sync::LazyLock;

use store_hub::intent::{Answer, Happening, Intent, IntentState, Step, decide};
use store_hub::terminal::nexo::{
    AmountsResp, Body, CardData, Category, Envelope, Header, InstrumentData, Message, MessageReference, Outcome,
    PROTOCOL, PaymentResponse, PaymentResult, PoiData, Repeated, RepeatedBody, Response, ReversalResponse, SaleData,
    SealedMessage, StatusRequest, StatusResponse, TransactionId, open, payment_service_id, seal,
};
use store_hub::terminal::seal::SharedKey;
use store_hub::terminal::understand;
use trip::bounds::{MAX_NAME, MAX_TOTAL};
use trip::{Currency, Hash, Totals, UnixMillis};

use crate::memory::bounded;
use crate::sample::{cart, intent as intent_id, json, lane, pounds, trip};

static SHARED: LazyLock<SharedKey> = LazyLock::new(|| SharedKey::derive("correct horse battery staple", "trundle", 1));

pub(crate) fn check(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    LazyLock::force(&SHARED);
    bounded(data, || match which {
        b'r' => assert!(open(rest, &SHARED).is_err(), "a message that nobody sealed was opened"),
        _ => sealed(rest),
    });
}

/// The message in the envelope that a terminal would put it in.
fn envelope(plain: &[u8]) -> Option<Vec<u8>> {
    let inner: serde_json::Value = serde_json::from_slice(plain).ok()?;
    let (name, message) = inner.as_object()?.iter().next()?;
    let (nexo_blob, security_trailer) = SHARED.seal(plain).ok()?;
    let message_header: Header = serde_json::from_value(message.get("MessageHeader")?.clone()).ok()?;
    let sealed = SealedMessage { message_header, nexo_blob, security_trailer };
    Some(json(&if name == "SaleToPOIRequest" { Envelope::Request(sealed) } else { Envelope::Response(sealed) }))
}

fn sealed(plain: &[u8]) {
    let Some(bytes) = envelope(plain) else { return };
    let Ok(read) = open(&bytes, &SHARED) else { return };
    let written = seal(&read, &SHARED).unwrap_or_else(|why| panic!("{read:?} cannot be sealed: {why}"));
    for (asked, category) in [(header(Category::Payment), "payment"), (header(Category::TransactionStatus), "status")] {
        let answer = understand(&bytes, &SHARED, &asked, &intent());
        assert_eq!(understand(&written, &SHARED, &asked, &intent()), answer, "{category}: it means the same again");
        judged(&answer);
    }
}

/// No answer pays for another amount, and none that names no bounded reference is believed.
fn judged(answer: &Answer) {
    if let Answer::Approved(approval) = answer {
        assert!((0..=MAX_TOTAL).contains(&approval.amount.minor), "{approval:?}");
        assert!(approval.tender.kind.len() <= MAX_NAME && approval.tender.reference.len() <= MAX_NAME);
    }
    for state in [IntentState::Sent, IntentState::Unknown, IntentState::Declined, IntentState::Reversing] {
        let mut after = Intent { state, ..intent() };
        let steps = decide(&after, &Happening::Answer(answer.clone()));
        steps.iter().for_each(|step| after.apply(step));
        let approved = after.state == IntentState::Approved;
        assert!(!approved || after.approval.as_ref().is_some_and(|a| a.amount == after.amount), "{steps:?}");
        assert!(!(approved && steps.iter().any(|step| matches!(step, Step::Declined(_)))), "{steps:?}");
    }
}

fn intent() -> Intent {
    let amount = pounds(1_032);
    Intent {
        id: intent_id(),
        trip: trip(),
        cart: cart(),
        lane: lane(),
        version: 1,
        attempt: 1,
        amount,
        basket: Hash::GENESIS,
        catalogue: Hash::GENESIS,
        totals: Totals { lines: vec![], savings: vec![], taxes: vec![], total: amount },
        state: IntentState::Sent,
        void: false,
        settled: false,
        sends: 1,
        approval: None,
        why: None,
        created_at: UnixMillis(0),
        not_before: UnixMillis(0),
    }
}

fn header(message_category: Category) -> Header {
    Header {
        protocol_version: PROTOCOL.into(),
        message_class: "Service".into(),
        message_category,
        message_type: "Response".into(),
        sale_id: "trundle-market-street".into(),
        service_id: payment_service_id(&intent_id()),
        poi_id: "V400m-1".into(),
    }
}

fn payment(result: Outcome, condition: Option<&str>, amount: f64) -> PaymentResponse {
    let id = |name: &str| TransactionId { transaction_id: name.into(), time_stamp: "2026-11-22T10:00:00Z".into() };
    PaymentResponse {
        response: Response {
            result,
            error_condition: condition.map(Into::into),
            additional_response: Some("tid=1".into()),
        },
        sale_data: Some(SaleData { sale_transaction_id: id(intent_id().as_str()) }),
        poi_data: Some(PoiData { poi_transaction_id: id("B1.X"), poi_reconciliation_id: None }),
        payment_result: Some(PaymentResult {
            amounts_resp: AmountsResp { currency: Currency::GBP, authorized_amount: amount },
            payment_instrument_data: Some(InstrumentData {
                card_data: Some(CardData { payment_brand: "visa".into() }),
            }),
        }),
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let answer = |category, body| {
        let message = Envelope::Response(Message { message_header: header(category), body });
        [b"a".to_vec(), json(&message)].concat()
    };
    let paid = |amount| Body::PaymentResponse(payment(Outcome::Success, None, amount));
    let refused = |condition| Body::PaymentResponse(payment(Outcome::Failure, Some(condition), 0.0));
    let status = |result, condition: Option<&str>, repeated: Option<PaymentResponse>| {
        let response = Response { result, error_condition: condition.map(Into::into), additional_response: None };
        let repeated_message_response = repeated.map(|payment_response| Repeated {
            message_header: header(Category::Payment),
            repeated_response_message_body: RepeatedBody { payment_response },
        });
        Body::TransactionStatusResponse(Box::new(StatusResponse { response, repeated_message_response }))
    };
    let reversed = Response { result: Outcome::Success, error_condition: None, additional_response: None };
    let question = Message {
        message_header: header(Category::TransactionStatus),
        body: Body::TransactionStatusRequest(StatusRequest {
            message_reference: MessageReference {
                message_category: Category::Payment,
                service_id: payment_service_id(&intent_id()),
                sale_id: "trundle-market-street".into(),
            },
        }),
    };
    vec![
        ("paid", answer(Category::Payment, paid(10.32))),
        ("paid-another-amount", answer(Category::Payment, paid(10.33))),
        ("refused", answer(Category::Payment, refused("Refusal"))),
        ("busy", answer(Category::Payment, refused("InProgress"))),
        (
            "status-paid",
            answer(
                Category::TransactionStatus,
                status(Outcome::Success, None, Some(payment(Outcome::Success, None, 10.32))),
            ),
        ),
        ("status-unknown", answer(Category::TransactionStatus, status(Outcome::Failure, Some("NotFound"), None))),
        ("reversed", answer(Category::Reversal, Body::ReversalResponse(ReversalResponse { response: reversed }))),
        ("question", [b"a".to_vec(), json(&Envelope::Request(question))].concat()),
        ("raw", b"r{\"SaleToPOIResponse\":{}}".to_vec()),
    ]
}
