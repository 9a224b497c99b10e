//! The carts' HTTP: joining, renewing, and fetching releases. TLS only; every request is a connection of
//! its own, so that what is let in is judged anew each time.
//!
//! `POST /v1/join` is the one thing that needs no certificate. The rest is for carts that show one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use trip::provisioning::{Granted, Join, Refused, Renew, VERSION};
use trip::release::Kind;
use trip::{CartId, Hash};

use super::registrar::{Registrar, RegistrarError};
use super::roster::Roster;
use super::tls;
use crate::releases::Releases;

/// A handshake, and then the head of a request, may take so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// A whole request may take so long; a model over a slow network takes minutes.
const LONGEST: Duration = Duration::from_secs(600);
/// More than that wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;
/// A certificate request is some hundred bytes.
const LARGEST_BODY: usize = 16 * 1024;
/// After an error of the listening socket.
const REST: Duration = Duration::from_millis(100);

/// Whose certificate opened the connection.
#[derive(Clone)]
struct Peer(Option<CartId>);

/// What answers carts.
#[derive(Clone)]
pub struct Door {
    // A lock, because requests on every task use the one registrar, for milliseconds.
    registrar: Arc<Mutex<Registrar>>,
    releases: Arc<Releases>,
}

impl Door {
    /// Answers with what `registrar` grants and what is on the shelf of `releases`.
    pub fn new(registrar: Registrar, releases: Arc<Releases>) -> Self {
        Self { registrar: Arc::new(Mutex::new(registrar)), releases }
    }

    /// Serves `listener` for ever.
    pub async fn serve(self, listener: TcpListener, tls: Arc<ServerConfig>, roster: watch::Receiver<Arc<Roster>>) {
        let router = Router::new()
            .route("/v1/join", post(join))
            .route("/v1/renew", post(renew))
            .route("/v1/releases/{kind}", get(manifest))
            .route("/v1/releases/{kind}/{digest}", get(file))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(self);
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((socket, from)) => {
                    let (router, acceptor, roster) = (router.clone(), TlsAcceptor::from(tls.clone()), roster.clone());
                    tokio::spawn(async move {
                        let served = tokio::time::timeout(LONGEST, connection(socket, acceptor, roster, router));
                        match served.await {
                            Ok(Ok(())) => {}
                            Ok(Err(why)) => tracing::debug!(%from, why, "a request ended"),
                            Err(_) => tracing::debug!(%from, "a request took too long"),
                        }
                        drop(place);
                    });
                }
                Err(why) => {
                    tracing::warn!(%why, "no connection can be taken");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
}

async fn connection(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    roster: watch::Receiver<Arc<Roster>>,
    router: Router,
) -> Result<(), String> {
    let accepted = tokio::time::timeout(PATIENCE, acceptor.accept(socket)).await;
    let stream = accepted.map_err(|_| "no handshake in time".to_owned())?.map_err(|e| e.to_string())?;
    let peer = Peer(tls::holder(stream.get_ref().1, &roster.borrow(), super::now_s()));
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(|e| e.to_string())
}

async fn join(State(door): State<Door>, Json(join): Json<Join>) -> Response {
    granted(door, move |registrar| registrar.join(&join, super::now_s())).await
}

async fn renew(State(door): State<Door>, Extension(peer): Extension<Peer>, Json(renew): Json<Renew>) -> Response {
    let Peer(Some(cart)) = peer else { return stranger() };
    granted(door, move |registrar| registrar.renew(&cart, &renew, super::now_s())).await
}

/// Asks the registrar on a thread that may wait for the disk.
async fn granted(
    door: Door,
    ask: impl FnOnce(&mut Registrar) -> Result<Granted, RegistrarError> + Send + 'static,
) -> Response {
    let registrar = door.registrar;
    let answer =
        tokio::task::spawn_blocking(move || ask(&mut registrar.lock().unwrap_or_else(PoisonError::into_inner)));
    match answer.await {
        Ok(Ok(granted)) => {
            tracing::info!(cart = %granted.cart, not_after_s = granted.not_after_s, "a certificate was granted");
            Json(granted).into_response()
        }
        Ok(Err(why)) if why.is_askers() => refused(StatusCode::FORBIDDEN, why.to_string()),
        Ok(Err(why)) => {
            tracing::error!(%why, "no certificate could be granted");
            refused(StatusCode::SERVICE_UNAVAILABLE, "the hub cannot do this now; its log says why".into())
        }
        Err(_) => refused(StatusCode::SERVICE_UNAVAILABLE, "the hub is stopping".into()),
    }
}

async fn manifest(State(door): State<Door>, Extension(peer): Extension<Peer>, Path(kind): Path<String>) -> Response {
    if peer.0.is_none() {
        return stranger();
    }
    match Kind::parse(&kind).and_then(|kind| door.releases.signed(kind)) {
        Some(signed) => Json(signed).into_response(),
        None => refused(StatusCode::NOT_FOUND, format!("there is no release of \"{kind}\"")),
    }
}

async fn file(
    State(door): State<Door>,
    Extension(peer): Extension<Peer>,
    Path((kind, digest)): Path<(String, String)>,
) -> Response {
    if peer.0.is_none() {
        return stranger();
    }
    let asked = Kind::parse(&kind).zip(Hash::try_from(digest).ok());
    let Some(path) = asked.and_then(|(kind, digest)| door.releases.file(kind, &digest)) else {
        return refused(StatusCode::NOT_FOUND, "there is no such file".into());
    };
    match tokio::fs::read(&path).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        Err(why) => {
            tracing::error!(%why, path = %path.display(), "a release cannot be read");
            refused(StatusCode::SERVICE_UNAVAILABLE, "the hub cannot read it now".into())
        }
    }
}

fn stranger() -> Response {
    refused(StatusCode::FORBIDDEN, "this is for carts of the store; show a certificate".into())
}

fn refused(status: StatusCode, why: String) -> Response {
    (status, Json(Refused { v: VERSION, why })).into_response()
}
