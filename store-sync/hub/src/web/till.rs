//! The pages by which staff take a basket to a till.
//!
//! `GET /till/{cart}` shows the basket as the hub has it and asks; `POST /till/{cart}` takes it. `GET /taken/{trip}`
//! is the list that the till rings up, fit to be printed, for as long as the hub's database lasts.

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::sync::oneshot;
use trip::{CartId, Hash, TripId};

use super::{Desk, tap, till_page as page};
use crate::hub::{StaffAction, TillAnswer, TillAsk, TillStage};

/// A question of these pages, and where its answer goes.
pub type TillCall = (TillAsk, oneshot::Sender<TillAnswer>);

/// The pages.
pub(super) fn routes() -> Router<Desk> {
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], page::SCRIPT) };
    Router::new()
        .route("/till/{cart}", get(look).post(take))
        .route("/taken/{trip}", get(taken))
        .route("/looked-at", post(looked_at))
        .route("/till.js", get(script))
}

#[derive(Deserialize)]
struct TakeForm {
    trip: TripId,
    /// Only asked of a cart with which nothing is amiss.
    #[serde(default)]
    sure: bool,
}

#[derive(Deserialize)]
struct LookedForm {
    trip: TripId,
    told: Hash,
}

async fn ask(desk: &Desk, ask: TillAsk) -> Result<TillAnswer, Response> {
    let silent =
        || (StatusCode::SERVICE_UNAVAILABLE, "the hub cannot answer now; try again in a moment").into_response();
    let (reply, answer) = oneshot::channel();
    desk.tills.send((ask, reply)).await.map_err(|_| silent())?;
    answer.await.map_err(|_| silent())
}

async fn look(State(desk): State<Desk>, Path(cart): Path<CartId>) -> Result<Response, Response> {
    Ok(match ask(&desk, TillAsk::Look(cart)).await? {
        TillAnswer::Sheet(sheet) => match &sheet.stage {
            TillStage::Taken { .. } => Redirect::to(&format!("/taken/{}", sheet.trip)).into_response(),
            TillStage::Free | TillStage::Refused(_) => Html(page::sheet(&sheet).into_string()).into_response(),
        },
        TillAnswer::Nothing(why) => nothing(&why),
    })
}

async fn take(
    State(desk): State<Desk>,
    Path(cart): Path<CartId>,
    Form(form): Form<TakeForm>,
) -> Result<Response, Response> {
    Ok(match ask(&desk, TillAsk::Take { cart, trip: form.trip, sure: form.sure }).await? {
        TillAnswer::Sheet(sheet) => match &sheet.stage {
            TillStage::Taken { .. } => Redirect::to(&format!("/taken/{}", sheet.trip)).into_response(),
            TillStage::Free | TillStage::Refused(_) => {
                (StatusCode::CONFLICT, Html(page::sheet(&sheet).into_string())).into_response()
            }
        },
        TillAnswer::Nothing(why) => nothing(&why),
    })
}

async fn taken(State(desk): State<Desk>, Path(trip): Path<TripId>) -> Result<Response, Response> {
    Ok(match ask(&desk, TillAsk::Taken(trip)).await? {
        TillAnswer::Sheet(sheet) => Html(page::sheet(&sheet).into_string()).into_response(),
        TillAnswer::Nothing(why) => nothing(&why),
    })
}

async fn looked_at(State(desk): State<Desk>, Form(form): Form<LookedForm>) -> Response {
    tap(&desk, StaffAction::LookedAt { trip: form.trip, told: form.told }).await
}

fn nothing(why: &str) -> Response {
    (StatusCode::NOT_FOUND, Html(page::nothing(why).into_string())).into_response()
}
