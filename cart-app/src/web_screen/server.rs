//! The page and its socket, on this machine only.
//!
//! Every request must name a loopback host, so that no foreign page can reach it under a name of its own
//! (DNS rebinding), and the socket must be opened by the page itself, so that none can in its stead. The
//! token comes later, as the first message: an address in a log gives nobody in.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::{Semaphore, watch};

use super::event_loop::Gestures;
use super::frames::{Frames, MOST_VIEWERS};
use super::protocol::LONGEST_MESSAGE;
use super::token::Keys;
use super::{page, viewer};

/// So many sockets at once: the viewers, and as many again who have not yet shown their token.
const SOCKETS: usize = 2 * MOST_VIEWERS;
/// So long do viewers have to take leave when the screen ends.
const LEAVE_WITHIN: Duration = Duration::from_millis(1_500);

/// What every viewer needs.
#[derive(Clone)]
pub struct Desk {
    /// The picture.
    pub frames: Arc<Frames>,
    /// The way of gestures.
    pub gestures: Gestures,
    /// Who may come in.
    pub keys: Arc<Keys>,
    /// True at the end.
    pub stopped: watch::Receiver<bool>,
}

#[derive(Clone)]
struct Door {
    desk: Desk,
    sockets: Arc<Semaphore>,
}

/// Serves on a thread of its own until the desk is told to stop.
///
/// # Errors
/// What the system says.
pub fn start(socket: TcpListener, desk: Desk) -> io::Result<JoinHandle<()>> {
    socket.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let socket = runtime.block_on(async { tokio::net::TcpListener::from_std(socket) })?;
    let work = move || runtime.block_on(serve(socket, desk));
    std::thread::Builder::new().name("web-screen".into()).spawn(work)
}

async fn serve(socket: tokio::net::TcpListener, desk: Desk) {
    let sockets = Arc::new(Semaphore::new(SOCKETS));
    let mut stopped = desk.stopped.clone();
    let router = Router::new()
        .route("/", get(page::html))
        .route("/screen.css", get(page::style))
        .route("/screen.js", get(page::script))
        .route("/live", get(live))
        .layer(from_fn(guard))
        .with_state(Door { desk, sockets: sockets.clone() });
    tokio::select! {
        ended = axum::serve(socket, router) => {
            if let Err(why) = ended {
                tracing::warn!(%why, "the screen is served no longer");
            }
        }
        // Nobody to tell it to stop is a reason to.
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    // Each socket gives its permit back when its viewer has been told.
    drop(tokio::time::timeout(LEAVE_WITHIN, sockets.acquire_many(SOCKETS as u32)).await);
}

/// Lets only this machine's own page through, and tells browsers to allow no more than it needs.
async fn guard(request: Request, next: Next) -> Response {
    let Some(host) = host(request.headers()).filter(|host| is_loopback(host)).map(str::to_owned) else {
        return (StatusCode::MISDIRECTED_REQUEST, "open this page as http://127.0.0.1 or http://localhost")
            .into_response();
    };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&page::content_policy(&host)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let rules = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in rules {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The socket. A browser names the page that opens it; a program that names none is no browser.
async fn live(State(door): State<Door>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !same_origin(&headers) {
        return (StatusCode::FORBIDDEN, "only the screen's own page may open this").into_response();
    }
    let Ok(place) = door.sockets.try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many have this open already").into_response();
    };
    upgrade.max_message_size(LONGEST_MESSAGE).max_frame_size(LONGEST_MESSAGE).on_upgrade(async move |socket| {
        viewer::attend(socket, door.desk).await;
        drop(place);
    })
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// Any port: through an SSH tunnel it may be another than ours.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn same_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    match (origin.and_then(|origin| origin.strip_prefix("http://")), host(headers)) {
        (Some(origin), Some(host)) => origin == host,
        _ => false,
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
        for bad in ["", "evil.example:80", "127.0.0.1.evil.example", "192.168.1.5:80", "127.0.0.1:80; x"] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn a_socket_from_another_page_is_refused() {
        let check = |origin: Option<&'static str>, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8080"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(same_origin(&headers), expected, "{origin:?}");
        };
        check(Some("http://127.0.0.1:8080"), true);
        check(Some("http://localhost:8080"), false);
        check(Some("http://127.0.0.1:3000"), false);
        check(Some("https://127.0.0.1:8080"), false);
        check(Some("null"), false);
        check(None, false);
    }
}
