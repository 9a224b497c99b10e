//! The page on which staff look at a cart's screen, while its shopper lets them.
//!
//! `GET /look/{cart}` is the page, `/look/{cart}/live` says when there is another picture or none any more, and
//! `/look/{cart}/picture` is the last one. All of it is kept by nobody (`Cache-Control: no-store`, see `guard`), and
//! nothing goes the other way: staff touch nothing.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use trip::CartId;

use super::board::Shown;
use super::{Desk, SAY_SOMETHING_EVERY, look_page as page};

/// The pages.
pub(super) fn routes() -> Router<Desk> {
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], page::SCRIPT) };
    Router::new()
        .route("/look/{cart}", get(look))
        .route("/look/{cart}/live", get(live))
        .route("/look/{cart}/picture", get(picture))
        .route("/look.js", get(script))
}

impl Desk {
    /// What staff may see of a cart's screen; `None` where nobody waits for help.
    fn shown(&self, cart: &CartId) -> Option<Shown> {
        self.screens.borrow().get(cart).cloned()
    }
}

async fn look(State(desk): State<Desk>, Path(cart): Path<CartId>) -> Html<String> {
    Html(page::whole(&cart, desk.shown(&cart).as_ref()).into_string())
}

async fn picture(State(desk): State<Desk>, Path(cart): Path<CartId>) -> Response {
    match desk.shown(&cart) {
        Some(Shown::Picture(picture)) => ([(header::CONTENT_TYPE, "image/png")], picture.png.to_vec()).into_response(),
        Some(Shown::Soon | Shown::ToNobody) | None => {
            (StatusCode::NOT_FOUND, "this screen is not shown").into_response()
        }
    }
}

/// One word for each change of this cart's screen.
async fn live(
    State(desk): State<Desk>,
    Path(cart): Path<CartId>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut screens = desk.screens.clone();
    screens.mark_changed();
    // What it was told last; nothing yet.
    let told = None;
    let events = stream::unfold((screens, cart, told), |(mut screens, cart, mut told)| async move {
        loop {
            screens.changed().await.ok()?;
            let shown = screens.borrow_and_update().get(&cart).cloned();
            if told.as_ref() != Some(&shown) {
                told = Some(shown);
                break;
            }
        }
        let event = told.as_ref().map_or_else(Event::default, |shown| word(shown.as_ref()));
        Some((Ok(event), (screens, cart, told)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SAY_SOMETHING_EVERY))
}

fn word(shown: Option<&Shown>) -> Event {
    match shown {
        Some(Shown::Picture(picture)) => {
            Event::default().event("picture").data(format!("{} {}", picture.number, picture.at_ms))
        }
        Some(Shown::Soon) => Event::default().event("soon").data("soon"),
        Some(Shown::ToNobody) | None => Event::default().event("over").data(page::over(shown.is_some())),
    }
}
