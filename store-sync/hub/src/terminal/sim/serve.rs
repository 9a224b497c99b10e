//! The simulator's two addresses.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::log::{Log, Progress, Transaction};
use super::reader::{Paid, Reader};
use super::{Play, Setup, SimError};
use crate::terminal::nexo::{
    AmountsResp, Body, CardData, Envelope, Header, InstrumentData, Message, Outcome, PaymentRequest, PaymentResponse,
    PaymentResult, PoiData, ReconciliationResponse, ReconciliationType, Repeated, RepeatedBody, Response,
    ReversalResponse, SaleData, StatusResponse, TransactionId, major, minor, open, seal,
};
use crate::terminal::seal::SharedKey;

/// A simulator that runs until its process ends or this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where hubs ask.
    pub nexo: SocketAddr,
    /// Where cards are held to it.
    pub control: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Desk {
    reader: Reader,
    key: SharedKey,
}

/// Starts a simulator.
///
/// # Errors
/// [`SimError`] when an address is in use or its log cannot be written.
pub async fn serve(setup: Setup) -> Result<Running, SimError> {
    let log = Log::open(&setup.state)?;
    let reader = Reader::new(&setup, log);
    let desk = Arc::new(Desk { reader: reader.clone(), key: setup.key });
    let (nexo, nexo_task) = listen(setup.listen, Router::new().route("/nexo", post(nexo)).with_state(desk)).await?;
    let control = Router::new()
        .route("/tap", post(tap))
        .route("/script", post(script))
        .route("/transactions", get(transactions))
        .with_state(reader);
    let (control, control_task) = listen(setup.control, control).await?;
    Ok(Running { nexo, control, tasks: [nexo_task, control_task] })
}

async fn listen(address: SocketAddr, router: Router) -> Result<(SocketAddr, JoinHandle<()>), SimError> {
    let fail = |source| SimError::Listen { address, source };
    let socket = TcpListener::bind(address).await.map_err(fail)?;
    let bound = socket.local_addr().map_err(fail)?;
    let task = tokio::spawn(async move {
        if let Err(e) = axum::serve(socket, router).await {
            tracing::error!(error = %e, "the simulator stopped listening");
        }
    });
    Ok((bound, task))
}

#[derive(Deserialize)]
struct Tap {
    #[serde(default = "visa")]
    card: String,
}

fn visa() -> String {
    "visa".into()
}

async fn tap(State(reader): State<Reader>, Json(tap): Json<Tap>) -> HttpResponse {
    if reader.tap(&tap.card) {
        Json(json!({ "tapped": tap.card })).into_response()
    } else {
        (StatusCode::CONFLICT, Json(json!({ "error": "no payment waits for a card" }))).into_response()
    }
}

async fn script(State(reader): State<Reader>, Json(script): Json<Vec<Play>>) {
    reader.set_script(script);
}

async fn transactions(State(reader): State<Reader>) -> Json<Vec<Transaction>> {
    Json(reader.all())
}

async fn nexo(State(desk): State<Arc<Desk>>, bytes: Bytes) -> HttpResponse {
    let message = match open(&bytes, &desk.key) {
        Ok(Envelope::Request(message)) => message,
        Ok(Envelope::Response(_)) => {
            return (StatusCode::BAD_REQUEST, "a response where a request was due").into_response();
        }
        Err(e) => return (StatusCode::BAD_REQUEST, e.to_string()).into_response(),
    };
    // A task of its own: a hub that hangs up does not stop a payment that a person stands before.
    let key = desk.key.clone();
    match tokio::spawn(answer(desk, message)).await {
        Ok(Ok(Some(message))) => match seal(&Envelope::Response(message), &key) {
            Ok(sealed) => ([("content-type", "application/json")], sealed).into_response(),
            Err(e) => (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()).into_response(),
        },
        Ok(Ok(None)) => "ok".into_response(),
        Ok(Err(e)) => (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()).into_response(),
        Err(e) => (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()).into_response(),
    }
}

/// The answer to `message`; `None` when it is answered without a message.
async fn answer(desk: Arc<Desk>, message: Message) -> std::io::Result<Option<Message>> {
    let header = Header { message_type: "Response".into(), ..message.message_header };
    let body = match message.body {
        Body::PaymentRequest(asked) => match desk.reader.pay(transaction(&header, &asked)).await? {
            Paid::Answer(transaction) => Body::PaymentResponse(told(&desk, &transaction)),
            Paid::Busy => Body::PaymentResponse(PaymentResponse {
                response: failure("Busy", ""),
                sale_data: None,
                poi_data: None,
                payment_result: None,
            }),
            Paid::Silence => std::future::pending().await,
        },
        Body::TransactionStatusRequest(asked) => {
            let about = asked.message_reference;
            let known = desk.reader.by_exchange(&about.sale_id, &about.service_id);
            Body::TransactionStatusResponse(Box::new(status(&desk, &header, known)))
        }
        Body::ReversalRequest(asked) => {
            let reversed = desk.reader.reverse(&asked.sale_data.sale_transaction_id.transaction_id)?;
            let response = match reversed {
                Some(_) => success(),
                None => failure("NotFound", "no money was taken"),
            };
            Body::ReversalResponse(ReversalResponse { response })
        }
        Body::AbortRequest(asked) => {
            desk.reader.abort(&asked.message_reference.sale_id, &asked.message_reference.service_id);
            return Ok(None);
        }
        Body::ReconciliationRequest(asked) => {
            let closed = match asked.reconciliation_type {
                ReconciliationType::SaleReconciliation => None,
                // Without a number it is about none.
                ReconciliationType::PreviousReconciliation => Some(asked.poi_reconciliation_id.unwrap_or(u64::MAX)),
            };
            let counted = desk.reader.reconcile(closed, &header.sale_id, &header.service_id)?;
            let response = match (&counted, closed) {
                (Some(_), _) => success(),
                (None, None) => failure("Busy", "a card is waited for"),
                (None, Some(_)) => failure("NotFound", "there is no such period"),
            };
            let (period, transaction_totals) = counted.map_or((None, Vec::new()), |(p, totals)| (Some(p), totals));
            Body::ReconciliationResponse(ReconciliationResponse {
                response,
                reconciliation_type: asked.reconciliation_type,
                poi_reconciliation_id: period,
                transaction_totals,
            })
        }
        Body::PaymentResponse(_)
        | Body::TransactionStatusResponse(_)
        | Body::ReversalResponse(_)
        | Body::ReconciliationResponse(_) => return Ok(None),
    };
    Ok(Some(Message { message_header: header, body }))
}

fn transaction(header: &Header, asked: &PaymentRequest) -> Transaction {
    let amounts = &asked.payment_transaction.amounts_req;
    let id = asked.sale_data.sale_transaction_id.transaction_id.clone();
    Transaction {
        reference: format!("sim.{}", &trip::Hash::of(id.as_bytes()).to_string()[..12]),
        id,
        sale_id: header.sale_id.clone(),
        service_id: header.service_id.clone(),
        amount: minor(amounts.requested_amount, amounts.currency),
        progress: Progress::Waiting,
        brand: String::new(),
        why: String::new(),
        at: jiff::Timestamp::now().to_string(),
    }
}

/// What the terminal says of a payment that is over.
fn told(desk: &Desk, transaction: &Transaction) -> PaymentResponse {
    let id = |name: &str| TransactionId { transaction_id: name.to_owned(), time_stamp: transaction.at.clone() };
    let response = match transaction.progress {
        Progress::Approved => success(),
        Progress::Reversed => failure("Cancel", "the money was given back"),
        Progress::Declined if transaction.why == "Aborted" => failure("Aborted", ""),
        Progress::Declined => failure("Refusal", &transaction.why),
        Progress::Waiting => failure("InProgress", ""),
    };
    let taken = (transaction.progress == Progress::Approved).then(|| PaymentResult {
        amounts_resp: AmountsResp {
            currency: transaction.amount.currency,
            authorized_amount: major(transaction.amount),
        },
        payment_instrument_data: Some(InstrumentData {
            card_data: Some(CardData { payment_brand: transaction.brand.clone() }),
        }),
    });
    PaymentResponse {
        response,
        sale_data: Some(SaleData { sale_transaction_id: id(&transaction.id) }),
        poi_data: Some(PoiData {
            poi_transaction_id: id(&transaction.reference),
            poi_reconciliation_id: desk.reader.taken_in(&transaction.id),
        }),
        payment_result: taken,
    }
}

fn status(desk: &Desk, header: &Header, known: Option<Transaction>) -> StatusResponse {
    match known {
        None => StatusResponse { response: failure("NotFound", ""), repeated_message_response: None },
        Some(t) if t.progress == Progress::Waiting => {
            StatusResponse { response: failure("InProgress", ""), repeated_message_response: None }
        }
        Some(t) => StatusResponse {
            response: success(),
            repeated_message_response: Some(Repeated {
                message_header: Header { service_id: t.service_id.clone(), ..header.clone() },
                repeated_response_message_body: RepeatedBody { payment_response: told(desk, &t) },
            }),
        },
    }
}

fn success() -> Response {
    Response { result: Outcome::Success, error_condition: None, additional_response: None }
}

fn failure(condition: &str, why: &str) -> Response {
    let why = Some(why.to_owned()).filter(|w| !w.is_empty());
    Response { result: Outcome::Failure, error_condition: Some(condition.into()), additional_response: why }
}
