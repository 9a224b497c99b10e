//! TLS for carts: the hub shows a certificate of its own authority, and lets in only certificates that
//! the registry knows. A revoked one is refused in the handshake, although it is signed and in time.

use std::sync::{Arc, PoisonError, RwLock};

use identity::trust;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, ServerConnection,
    SignatureScheme,
};
use tokio::sync::watch;
use trip::CartId;

use super::authority::{Authority, Own};
use super::roster::Roster;

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS for carts cannot be set up: {0}")]
pub struct TlsError(String);

/// The certificate that the hub shows; it may be replaced while the hub runs.
#[derive(Debug)]
pub struct Keeper {
    // A lock, because handshakes on every task read it and the renewal writes it.
    shown: RwLock<Arc<CertifiedKey>>,
}

impl Keeper {
    /// Shows `own`.
    ///
    /// # Errors
    /// [`TlsError`] when the key cannot be used.
    pub fn new(own: &Own) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self { shown: RwLock::new(certified(own)?) }))
    }

    /// Shows `own` from the next handshake on.
    ///
    /// # Errors
    /// As [`Keeper::new`]; the one before is then still shown.
    pub fn show(&self, own: &Own) -> Result<(), TlsError> {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = certified(own)?;
        Ok(())
    }
}

fn certified(own: &Own) -> Result<Arc<CertifiedKey>, TlsError> {
    let key =
        trust::provider().key_provider.load_private_key(own.key.clone_key()).map_err(|e| TlsError(e.to_string()))?;
    Ok(Arc::new(CertifiedKey::new(own.chain.clone(), key)))
}

impl ResolvesServerCert for Keeper {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl ResolvesClientCert for Keeper {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.shown.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The hub's side of TLS towards a broker of its own.
///
/// # Errors
/// [`TlsError`] when the authority cannot be used.
pub fn client(authority: &Authority, keeper: Arc<Keeper>) -> Result<Arc<ClientConfig>, TlsError> {
    let fail = |e: &dyn std::error::Error| TlsError(e.to_string());
    let config = ClientConfig::builder_with_provider(trust::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| fail(&e))?
        .with_root_certificates(trust::roots(authority.certificate()).map_err(|e| fail(&e))?)
        .with_client_cert_resolver(keeper);
    Ok(Arc::new(config))
}

/// How carts are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Only with a certificate: the broker.
    Certificate,
    /// Also without one, to join; who shows one shows one that counts.
    CertificateOrNone,
}

/// The server's side of TLS.
///
/// # Errors
/// [`TlsError`] when the authority cannot be used.
pub fn server(
    authority: &Authority,
    keeper: Arc<Keeper>,
    roster: watch::Receiver<Arc<Roster>>,
    entry: Entry,
) -> Result<Arc<ServerConfig>, TlsError> {
    let fail = |e: &dyn std::error::Error| TlsError(e.to_string());
    let roots = trust::roots(authority.certificate()).map_err(|e| fail(&e))?;
    let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, trust::provider());
    if entry == Entry::CertificateOrNone {
        verifier = verifier.allow_unauthenticated();
    }
    let signed = verifier.build().map_err(|e| fail(&e))?;
    let mut config = ServerConfig::builder_with_provider(trust::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| fail(&e))?
        .with_client_cert_verifier(Arc::new(Members { signed, roster }))
        .with_cert_resolver(keeper);
    // A resumed session is not asked for its certificate again, and a revoked cart would come back with one.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// Whose certificate opened the connection; `None` for one without a certificate, or whose certificate
/// counts no more.
pub fn holder(connection: &ServerConnection, roster: &Roster, now_s: u64) -> Option<CartId> {
    let certificate = connection.peer_certificates()?.first()?;
    roster.holder(certificate, now_s).cloned()
}

/// Lets in certificates that are signed, in time, and in the registry.
#[derive(Debug)]
struct Members {
    signed: Arc<dyn ClientCertVerifier>,
    roster: watch::Receiver<Arc<Roster>>,
}

impl ClientCertVerifier for Members {
    fn offer_client_auth(&self) -> bool {
        self.signed.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.signed.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signed.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.signed.verify_client_cert(end_entity, intermediates, now)?;
        match self.roster.borrow().holder(end_entity, now.as_secs()) {
            Some(_) => Ok(verified),
            None => Err(Error::InvalidCertificate(CertificateError::Revoked)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}
