//! The page itself: no more than a canvas, and a line that says how it stands.

use axum::http::header;
use axum::response::{Html, IntoResponse};

/// What it is made of. Nothing else is loaded, from nowhere.
const HTML: &str = include_str!("../../web/screen.html");
const STYLE: &str = include_str!("../../web/screen.css");
const SCRIPT: &str = include_str!("../../web/screen.js");

pub async fn html() -> impl IntoResponse {
    Html(HTML)
}

pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

pub async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}

/// What a browser may do on this page that was opened as `host`: its own files, its own socket.
pub fn content_policy(host: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src ws://{host}; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
}
