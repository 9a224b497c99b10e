//! TLS of the line, for MQTT and HTTP alike: the store's authority is the only one trusted, and the cart
//! shows its own certificate. A renewed certificate is shown from the next connection on.

use std::sync::{Arc, PoisonError, RwLock};

use identity::pin::Pinned;
use identity::trust;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{ClientConfig, SignatureScheme};

use crate::identity::{Identity, IdentityError};

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The library.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

fn setup(e: impl std::fmt::Display) -> TlsError {
    TlsError::Setup(e.to_string())
}

/// The certificate that the cart shows.
#[derive(Debug)]
pub struct Shown {
    // A lock, because connections read it and the renewal writes it.
    current: RwLock<Arc<CertifiedKey>>,
}

impl Shown {
    fn new(identity: &Identity) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self { current: RwLock::new(certified(identity)?) }))
    }

    /// Shows the certificate of `identity` from the next connection on.
    ///
    /// # Errors
    /// [`TlsError`] when it cannot be used; the one before is then still shown.
    pub fn show(&self, identity: &Identity) -> Result<(), TlsError> {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = certified(identity)?;
        Ok(())
    }
}

fn certified(identity: &Identity) -> Result<Arc<CertifiedKey>, TlsError> {
    let certified = CertifiedKey::from_der(identity.chain()?, identity.private_key()?, &trust::provider());
    certified.map(Arc::new).map_err(setup)
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A cart's side of TLS, and the certificate it shows.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For MQTT and HTTP.
    pub config: Arc<ClientConfig>,
    /// To be replaced at a renewal.
    pub shown: Arc<Shown>,
}

/// TLS as `identity`, by this machine's clock.
///
/// # Errors
/// [`TlsError`] when a certificate or the key cannot be used.
pub fn client(identity: &Identity) -> Result<Tls, TlsError> {
    client_at(identity, Arc::new(DefaultTimeProvider))
}

/// As [`client`], by another clock.
///
/// # Errors
/// As [`client`].
pub fn client_at(identity: &Identity, clock: Arc<dyn TimeProvider>) -> Result<Tls, TlsError> {
    let shown = Shown::new(identity)?;
    let roots = trust::roots(&identity.authority()?).map_err(setup)?;
    let config = ClientConfig::builder_with_details(trust::provider(), clock)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(setup)?
        .with_root_certificates(roots)
        .with_client_cert_resolver(shown.clone());
    Ok(Tls { config: Arc::new(config), shown })
}

/// TLS for the first contact: whoever `pinned` trusts, and no certificate to show.
///
/// # Errors
/// [`TlsError`] when the library cannot be set up.
pub fn first_contact(pinned: Arc<Pinned>, clock: Arc<dyn TimeProvider>) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_details(trust::provider(), clock)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(pinned)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What TLS has against a connection, in words that say what to do; `None` when it is not TLS that
/// failed. Looks through the causes of `error`.
pub fn complaint(error: &(dyn std::error::Error + 'static), now: UnixTime) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(trust::explain(tls, now));
        }
        // An io::Error holds what it was made of, but does not name it as its source.
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            let inner: &(dyn std::error::Error + 'static) = inner;
            return complaint(inner, now);
        }
        cause = error.source();
    }
    None
}

/// This machine's time, as TLS counts it.
pub fn now() -> UnixTime {
    UnixTime::now()
}
