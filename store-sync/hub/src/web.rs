//! The staff page: one page on this machine, drawn here and kept fresh by server-sent events. Beside it the pages of
//! baskets that are taken to a till (see `till`), of carts' screens (see `look`), and those of shoppers' phones (see `phone`).
//!
//! The staff page is for the loopback only. Every request must name a loopback host, so that no foreign web
//! page can reach it under a name of its own (DNS rebinding), and every tap must come from the page
//! itself, so that none can tap in its stead.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use trip::{CartId, HoldId, LineId};

use crate::here::is_here;
use crate::hub::StaffAction;

mod bars;
pub mod board;
mod document;
mod look;
mod look_page;
mod page;
mod phone;
mod phone_page;
mod till;
mod till_page;

pub use phone::PhoneCall;
pub use till::TillCall;

use board::{Board, Screens};

/// Waiting times are counted on the page; it is told the time this often, so that clocks agree.
const SAY_SOMETHING_EVERY: Duration = Duration::from_secs(15);

/// The page cannot be served.
#[derive(Debug, thiserror::Error)]
#[error(
    "staff page cannot listen on {address}: {source}; choose another port in http = \"…\" or stop the other program"
)]
pub struct WebError {
    address: SocketAddr,
    source: std::io::Error,
}

#[derive(Clone)]
struct Desk {
    board: watch::Receiver<Arc<Board>>,
    screens: watch::Receiver<Arc<Screens>>,
    taps: mpsc::Sender<StaffAction>,
    phones: mpsc::Sender<PhoneCall>,
    tills: mpsc::Sender<TillCall>,
    /// Under which address phones reach their pages, such as `https://carts.example`.
    phone_url: Arc<str>,
}

/// Serves the page at `address`, port 0 for any free one; returns where it is, under which address phones
/// reach theirs (`phone_url`, or else the same), and what serves them.
///
/// # Errors
/// [`WebError`] when the port is in use.
pub async fn serve(
    address: SocketAddr,
    board: watch::Receiver<Arc<Board>>,
    screens: watch::Receiver<Arc<Screens>>,
    taps: mpsc::Sender<StaffAction>,
    phones: mpsc::Sender<PhoneCall>,
    tills: mpsc::Sender<TillCall>,
    phone_url: Option<String>,
) -> Result<(SocketAddr, Arc<str>, impl Future<Output = std::io::Result<()>> + Send), WebError> {
    let fail = |source| WebError { address, source };
    let socket = TcpListener::bind(address).await.map_err(fail)?;
    let bound = socket.local_addr().map_err(fail)?;
    let phone_url: Arc<str> = phone_url.unwrap_or_else(|| format!("http://{bound}")).into();
    let desk = Desk { board, screens, taps, phones, tills, phone_url: phone_url.clone() };
    let router = Router::new()
        .route("/", get(page))
        .route("/live", get(live))
        .route("/help-has-come", post(help_has_come))
        .route("/on-the-way", post(on_the_way))
        .route("/age-checked", post(age_checked))
        .route("/release-hold", post(release_hold))
        .route("/lift-fence", post(lift_fence))
        .route("/style.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE) }))
        .route("/live.js", get(|| async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], page::SCRIPT) }))
        .merge(phone::routes())
        .merge(till::routes())
        .merge(look::routes())
        .layer(from_fn_with_state(desk.clone(), guard))
        .with_state(desk);
    Ok((bound, phone_url, async move { axum::serve(socket, router).await }))
}

/// Lets only this machine's own page through, and phones to theirs; tells browsers to allow no more than these
/// need.
async fn guard(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let for_phones = phone::is_for_phones(request.uri().path());
    let asked = host(headers);
    if !asked.is_some_and(|asked| is_loopback(asked) || (for_phones && Some(asked) == host_of(&desk.phone_url))) {
        return (StatusCode::MISDIRECTED_REQUEST, "open this page as http://127.0.0.1 on the hub itself")
            .into_response();
    }
    if request.method() == axum::http::Method::POST && !same_origin(headers) {
        return (StatusCode::FORBIDDEN, "this must be tapped on the page itself").into_response();
    }
    let mut response = next.run(request).await;
    let rules = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in rules {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    is_here(name)
}

/// The host of a web address, with its port, if it has one.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    rest.split('/').next()
}

/// Browsers name the page that a form is sent from; it must be this one.
fn same_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok());
    match (origin.and_then(host_of), host(headers)) {
        (Some(origin), Some(host)) => origin == host,
        _ => false,
    }
}

async fn page(State(desk): State<Desk>) -> Html<String> {
    let board = desk.board.borrow().clone();
    Html(page::whole(&board).into_string())
}

/// The board, drawn anew whenever it changes.
async fn live(State(desk): State<Desk>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut board = desk.board;
    board.mark_changed();
    let events = stream::unfold(board, |mut board| async move {
        board.changed().await.ok()?;
        let drawn = page::board(&board.borrow_and_update().clone()).into_string();
        Some((Ok(Event::default().event("board").data(drawn)), board))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SAY_SOMETHING_EVERY))
}

#[derive(Deserialize)]
struct CartForm {
    cart: CartId,
}

async fn help_has_come(State(desk): State<Desk>, Form(form): Form<CartForm>) -> Response {
    tap(&desk, StaffAction::HelpHasCome { cart: form.cart }).await
}

async fn on_the_way(State(desk): State<Desk>, Form(form): Form<CartForm>) -> Response {
    tap(&desk, StaffAction::OnTheWay { cart: form.cart }).await
}

async fn lift_fence(State(desk): State<Desk>, Form(form): Form<CartForm>) -> Response {
    tap(&desk, StaffAction::LiftFence { cart: form.cart }).await
}

#[derive(Deserialize)]
struct AgeForm {
    cart: CartId,
    line: u32,
    approved: bool,
}

async fn age_checked(State(desk): State<Desk>, Form(form): Form<AgeForm>) -> Response {
    tap(&desk, StaffAction::AgeChecked { cart: form.cart, line: LineId(form.line), approved: form.approved }).await
}

#[derive(Deserialize)]
struct HoldForm {
    cart: CartId,
    hold: u32,
}

async fn release_hold(State(desk): State<Desk>, Form(form): Form<HoldForm>) -> Response {
    tap(&desk, StaffAction::ReleaseHold { cart: form.cart, hold: HoldId(form.hold) }).await
}

async fn tap(desk: &Desk, action: StaffAction) -> Response {
    match desk.taps.send(action).await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the hub is stopping").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_let_in() {
        for good in ["localhost", "localhost:8080", "127.0.0.1:8080", "127.0.0.1", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "192.168.1.5:80",
            "localhost.evil.example",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn a_tap_from_another_page_is_refused() {
        let check = |origin: Option<&'static str>, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, header::HeaderValue::from_static("127.0.0.1:8080"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, header::HeaderValue::from_static(origin));
            }
            assert_eq!(same_origin(&headers), expected, "{origin:?}");
        };
        check(Some("http://127.0.0.1:8080"), true);
        check(Some("https://127.0.0.1:8080"), true);
        check(Some("ftp://127.0.0.1:8080"), false);
        check(Some("http://evil.example"), false);
        check(Some("http://127.0.0.1:8081"), false);
        check(Some("null"), false);
        check(None, false);
    }
}
