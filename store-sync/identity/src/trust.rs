//! Whom a machine of a store trusts: its authority, and nobody beside it. No list of public
//! authorities is read: a certificate that a stranger's authority gave for the right name counts
//! for nothing here.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, RootCertStore};

/// The one cryptography of the project: ring.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The authority cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[error("the store's authority certificate cannot be used: {0}")]
pub struct TrustError(String);

/// The authority alone, as rustls wants it.
///
/// # Errors
/// [`TrustError`] when it is no certificate.
pub fn roots(authority: &CertificateDer<'_>) -> Result<Arc<RootCertStore>, TrustError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone().into_owned()).map_err(|e| TrustError(e.to_string()))?;
    Ok(Arc::new(roots))
}

/// Checks servers against the authority.
///
/// # Errors
/// As [`roots`].
pub fn server_verifier(authority: &CertificateDer<'_>) -> Result<Arc<WebPkiServerVerifier>, TrustError> {
    WebPkiServerVerifier::builder_with_provider(roots(authority)?, provider())
        .build()
        .map_err(|e| TrustError(e.to_string()))
}

/// What rustls said about a certificate, in words that say what to do. `now` is this machine's time.
pub fn explain(error: &rustls::Error, now: UnixTime) -> String {
    let clock = |what: &str, at: Option<UnixTime>| {
        let at = at.map(|at| format!(" (it says {} s since 1970)", at.as_secs())).unwrap_or_default();
        format!(
            "{what}{at}, by this machine's clock, which says {} s since 1970; is the clock right? Set it, then try again",
            now.as_secs()
        )
    };
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired => clock("the certificate has expired", None),
            CertificateError::ExpiredContext { not_after, .. } => {
                clock("the certificate has expired", Some(*not_after))
            }
            CertificateError::NotValidYet => clock("the certificate is not valid yet", None),
            CertificateError::NotValidYetContext { not_before, .. } => {
                clock("the certificate is not valid yet", Some(*not_before))
            }
            CertificateError::UnknownIssuer => {
                "the certificate is of another store's authority; provision this cart for the store it stands in".into()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is not for this address; name it in the hub's [tls] names".into()
            }
            CertificateError::ApplicationVerificationFailure => {
                "the store's authority has another fingerprint than the code says; a wrong hub answers, or the code is of another store"
                    .into()
            }
            CertificateError::Revoked => "the certificate was revoked by the store".into(),
            other => format!("the certificate is not accepted: {other:?}"),
        },
        rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRevoked) => {
            "the hub says that this cart's certificate was revoked; provision the cart anew".into()
        }
        rustls::Error::AlertReceived(rustls::AlertDescription::CertificateExpired) => {
            "the hub says that this cart's certificate has expired; provision the cart anew".into()
        }
        rustls::Error::AlertReceived(rustls::AlertDescription::UnknownCA) => {
            "the hub says that this cart's certificate is of another store; provision the cart anew".into()
        }
        rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired) => {
            "the hub wants a certificate and this cart has none; provision it first".into()
        }
        other => other.to_string(),
    }
}
