//! One delivery over HTTP: to the address of the configuration, and wherever that points to, to no other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use identity::pem::{PemError, certificates};
use identity::trust;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::courier::NotTaken;
use crate::here::is_here;

/// Where the back office listens: `https://host/path`, and `http://` on this machine alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    secure: bool,
    host: String,
    /// As the Host header says it.
    authority: String,
    port: u16,
    path: String,
}

impl Address {
    /// Reads `url`; `None` when it is none, has a user in it, or is plain and leads off this machine.
    pub fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (secure, port) = match uri.scheme_str()? {
            "https" => (true, 443),
            "http" if is_here(&host) => (false, 80),
            _ => return None,
        };
        if host.is_empty() {
            return None;
        }
        let port = authority.port_u16().unwrap_or(port);
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Some(Self { secure, host, authority: authority.to_string(), port, path })
    }
}

/// Deliveries cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The authority of the configuration cannot be read.
    #[error("cannot read [back_office] authority {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no certificate.
    #[error(transparent)]
    Certificate(#[from] PemError),
    /// This machine knows no authority.
    #[error(
        "this machine has no list of authorities to check the back office by; install ca-certificates, or name a file in [back_office] authority"
    )]
    NoAuthority,
    /// The library.
    #[error("TLS towards the back office cannot be set up: {0}")]
    Tls(rustls::Error),
}

/// Sends to one address.
#[derive(Clone, Debug)]
pub struct Post {
    address: Address,
    /// `None` on this machine.
    tls: Option<Arc<ClientConfig>>,
    answer_within: Duration,
}

impl Post {
    /// To `address`, whose certificate must be of `authority`, or of one of those this machine knows; an answer may
    /// take `answer_within` with all that goes before it.
    ///
    /// # Errors
    /// [`PostError`] when there is no authority to check by.
    pub fn new(address: Address, authority: Option<&Path>, answer_within: Duration) -> Result<Self, PostError> {
        let tls = if address.secure { Some(client(roots(authority)?)?) } else { None };
        Ok(Self { address, tls, answer_within })
    }

    /// Sends `body` with `headers`.
    ///
    /// # Errors
    /// [`NotTaken`] for every answer but a 2xx, a redirection too, and when there is none.
    pub async fn send(&self, headers: &[(&'static str, String)], body: &str) -> Result<(), NotTaken> {
        let sent = tokio::time::timeout(self.answer_within, self.try_to_send(headers, body)).await;
        let late = || NotTaken::Silent { why: format!("no answer within {} s", self.answer_within.as_secs()) };
        match sent.map_err(|_| late())?? {
            200..=299 => Ok(()),
            status => Err(NotTaken::Refused { status }),
        }
    }

    async fn try_to_send(&self, headers: &[(&'static str, String)], body: &str) -> Result<u16, NotTaken> {
        let address = &self.address;
        let socket = TcpStream::connect((address.host.as_str(), address.port)).await.map_err(silent)?;
        match &self.tls {
            None => self.ask(socket, headers, body).await,
            Some(tls) => {
                let name = ServerName::try_from(address.host.clone()).map_err(silent)?;
                let stream = TlsConnector::from(tls.clone()).connect(name, socket).await.map_err(silent)?;
                self.ask(stream, headers, body).await
            }
        }
    }

    /// The status that is answered; what else the answer says is not read.
    async fn ask<S>(&self, stream: S, headers: &[(&'static str, String)], body: &str) -> Result<u16, NotTaken>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(silent)?;
        let fixed = Request::post(&self.address.path)
            .header(HOST, &self.address.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("trundle-store-hub/", env!("CARGO_PKG_VERSION")));
        let request = headers.iter().fold(fixed, |request, (name, value)| request.header(*name, value));
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).map_err(silent)?;
        // In a set of its own, so that it ends with this attempt.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let answer = sender.send_request(request).await.map_err(silent)?;
        Ok(answer.status().as_u16())
    }
}

fn silent(why: impl ToString) -> NotTaken {
    NotTaken::Silent { why: why.to_string() }
}

fn roots(authority: Option<&Path>) -> Result<RootCertStore, PostError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = authority {
        let text = std::fs::read(path).map_err(|source| PostError::Read { path: path.to_owned(), source })?;
        for certificate in certificates(&text, &path.display().to_string())? {
            roots.add(certificate).map_err(PostError::Tls)?;
        }
    } else {
        // Some systems list one that cannot be read; the others count.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() { Err(PostError::NoAuthority) } else { Ok(roots) }
}

fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>, PostError> {
    let config = ClientConfig::builder_with_provider(trust::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(PostError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::Redirect;
    use axum::routing::post;
    use rustls::ServerConfig;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn an_address_is_secure_or_on_this_machine() {
        let check = |url: &str, expected: Option<(bool, &str, u16, &str)>| {
            let address = Address::parse(url);
            let seen = address.as_ref().map(|a| (a.secure, a.host.as_str(), a.port, a.path.as_str()));
            assert_eq!(seen, expected, "{url}");
        };
        check("https://office.example/trundle?store=7", Some((true, "office.example", 443, "/trundle?store=7")));
        check("https://office.example:8443", Some((true, "office.example", 8443, "/")));
        check("http://127.0.0.1:9000/in", Some((false, "127.0.0.1", 9000, "/in")));
        check("http://[::1]/in", Some((false, "::1", 80, "/in")));
        check("http://localhost/in", Some((false, "localhost", 80, "/in")));
        for bad in [
            "http://office.example/in",
            "http://127.0.0.1.office.example/in",
            "https://user:word@office.example/",
            "ftp://office.example/",
            "office.example/in",
            "/in",
            "https://",
            "",
        ] {
            check(bad, None);
        }
    }

    async fn plain(router: axum::Router) -> Post {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let bound = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, router).await });
        let address = Address::parse(&format!("http://{bound}/in")).expect("an address");
        Post::new(address, None, SOON).expect("plain")
    }

    #[tokio::test]
    async fn only_a_2xx_is_taken_and_no_redirection_is_followed() {
        for (status, expected) in [(200, None), (204, None), (301, Some(301)), (409, Some(409)), (503, Some(503))] {
            let status = StatusCode::from_u16(status).expect("a status");
            let post = plain(axum::Router::new().route("/in", post(move || async move { status }))).await;
            let refused = post.send(&[("webhook-id", "batch-1".into())], "{}").await.err();
            assert_eq!(refused, expected.map(|status| NotTaken::Refused { status }));
        }
        let elsewhere = post(|| async { Redirect::temporary("/there") });
        let router = axum::Router::new().route("/in", elsewhere).route("/there", post(|| async { "taken" }));
        assert_eq!(plain(router).await.send(&[], "{}").await, Err(NotTaken::Refused { status: 307 }));
    }

    #[tokio::test]
    async fn nobody_there_a_cut_line_and_no_answer_in_time_are_silence() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        let address = Address::parse(&format!("http://{free}/in")).expect("an address");
        let nobody = Post::new(address, None, SOON).expect("plain");
        assert!(matches!(nobody.send(&[], "{}").await, Err(NotTaken::Silent { .. })));
        let cut = plain(axum::Router::new().route("/in", post(cut_the_line))).await;
        assert!(matches!(cut.send(&[], "{}").await, Err(NotTaken::Silent { .. })));
        let never = plain(axum::Router::new().route("/in", post(std::future::pending::<()>))).await;
        let never = Post { answer_within: Duration::from_millis(50), ..never };
        assert!(matches!(never.send(&[], "{}").await, Err(NotTaken::Silent { .. })));
    }

    async fn cut_the_line() -> &'static str {
        std::panic::resume_unwind(Box::new("the line is cut"))
    }

    #[tokio::test]
    async fn only_the_authority_that_was_named_is_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = |name: &str| {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
            let path = folder.path().join(name);
            std::fs::write(&path, made.cert.pem()).expect("written");
            (made, path)
        };
        let ((office, known), (_, stranger)) = (made("office.pem"), made("stranger.pem"));
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(office.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(trust::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("a version")
            .with_no_client_auth()
            .with_single_cert(vec![office.cert.der().clone()], key)
            .expect("a certificate");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((socket, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(socket).await else { continue };
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                let _ = stream.flush().await;
            }
        });
        let to = |authority: &Path| {
            let address = Address::parse(&format!("https://localhost:{port}/in")).expect("an address");
            Post::new(address, Some(authority), SOON).expect("set up")
        };
        assert_eq!(to(&known).send(&[], "{}").await, Ok(()));
        let refused = to(&stranger).send(&[], "{}").await;
        assert!(matches!(&refused, Err(NotTaken::Silent { why }) if why.contains("certificate")), "{refused:?}");
        let missing = Post::new(Address::parse("https://localhost/").expect("one"), Some(Path::new("/none.pem")), SOON);
        assert!(missing.expect_err("no file").to_string().contains("/none.pem"));
    }
}
