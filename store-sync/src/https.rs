//! One request to the hub over TLS: small, for the cart asks seldom.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::{ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trip::provisioning::Refused;

use crate::tls;

/// Connecting may take so long, and so may the head of the answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A whole answer may take so long; a model over a slow network takes minutes.
const LONGEST: Duration = Duration::from_secs(600);

/// The hub did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The address.
    #[error("\"{0}\" is no address of a hub; expected one such as https://hub.example:8444")]
    Address(String),
    /// Nobody there.
    #[error("the hub at {hub} does not answer: {why}")]
    Silent {
        /// Where.
        hub: String,
        /// Why.
        why: String,
    },
    /// TLS was refused, by one side or the other.
    #[error("the hub at {hub} and this cart do not trust each other: {why}")]
    Trust {
        /// Where.
        hub: String,
        /// Why, and what to do.
        why: String,
    },
    /// It said no.
    #[error("the hub at {hub} refuses: {why}")]
    Refused {
        /// Where.
        hub: String,
        /// Its words.
        why: String,
        /// Its status.
        status: u16,
    },
}

/// Where the hub answers carts.
#[derive(Clone, Debug)]
pub struct Hub {
    name: String,
    host: String,
    port: u16,
    tls: Arc<ClientConfig>,
}

impl Hub {
    /// The hub at `url`, such as `https://hub.example:8444`, reached by `tls`.
    ///
    /// # Errors
    /// [`HttpsError::Address`] when it is no such address.
    pub fn new(url: &str, tls: Arc<ClientConfig>) -> Result<Self, HttpsError> {
        let wrong = || HttpsError::Address(url.to_owned());
        let uri: Uri = url.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let plain = uri.path() == "/" || uri.path().is_empty();
        if uri.scheme_str() != Some("https") || !plain || uri.query().is_some() {
            return Err(wrong());
        }
        let host = uri.host().ok_or_else(wrong)?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { name: url.to_owned(), host, port: uri.port_u16().unwrap_or(443), tls })
    }

    /// Its host alone.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Sends `body` to `path`, and reads an answer of at most `most` bytes. `now` is the cart's time, for
    /// the words of an error.
    ///
    /// # Errors
    /// [`HttpsError`] says who refused and why.
    pub async fn ask(
        &self,
        path: &str,
        body: Option<Vec<u8>>,
        most: usize,
        now: UnixTime,
    ) -> Result<Bytes, HttpsError> {
        match tokio::time::timeout(LONGEST, self.try_to_ask(path, body, most, now)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.silent("it took too long")),
        }
    }

    fn silent(&self, why: impl ToString) -> HttpsError {
        HttpsError::Silent { hub: self.name.clone(), why: why.to_string() }
    }

    fn failed(&self, error: &(dyn std::error::Error + 'static), now: UnixTime) -> HttpsError {
        match tls::complaint(error, now) {
            Some(why) => HttpsError::Trust { hub: self.name.clone(), why },
            None => self.silent(error),
        }
    }

    async fn try_to_ask(
        &self,
        path: &str,
        body: Option<Vec<u8>>,
        most: usize,
        now: UnixTime,
    ) -> Result<Bytes, HttpsError> {
        let name = ServerName::try_from(self.host.clone()).map_err(|_| HttpsError::Address(self.name.clone()))?;
        let connect = async {
            let socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
            TlsConnector::from(self.tls.clone()).connect(name, socket).await
        };
        let stream = tokio::time::timeout(PATIENCE, connect).await.map_err(|_| self.silent("no answer in time"))?;
        let stream = stream.map_err(|e| self.failed(&e, now))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| self.failed(&e, now))?;
        let driver = tokio::spawn(connection);
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("{}:{}", self.host, self.port))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|e| self.silent(e))?;
        let answer = tokio::time::timeout(PATIENCE, sender.send_request(request)).await;
        let answer = match answer {
            Err(_) => return Err(self.silent("no answer in time")),
            Ok(Ok(answer)) => answer,
            // A refused certificate shows on the connection, and the request sees only that it was closed.
            Ok(Err(e)) => {
                return Err(match driver.await {
                    Ok(Err(cause)) => self.failed(&cause, now),
                    _ => self.failed(&e, now),
                });
            }
        };
        let status = answer.status();
        let body = Limited::new(answer.into_body(), most).collect().await;
        let body = body.map_err(|e| self.silent(e))?.to_bytes();
        if status != StatusCode::OK {
            let said = serde_json::from_slice::<Refused>(&body).map(|refused| refused.why);
            let why = said.unwrap_or_else(|_| format!("it answers {status}"));
            return Err(HttpsError::Refused { hub: self.name.clone(), why, status: status.as_u16() });
        }
        Ok(body)
    }
}
