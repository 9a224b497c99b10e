//! The first contact: a cart that knows nothing but the one-time code trusts the store whose
//! authority has the fingerprint in that code, and nobody else.
//!
//! The hub sends its authority's certificate with its own. The one whose digest begins as the code
//! says becomes the only root, and the hub's certificate is then checked against it as always: name,
//! time and signature. So the secret in the code goes to nobody but the hub that the code is of.

use std::sync::{Arc, Mutex};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use trip::provisioning::Fingerprint;

use crate::trust;

/// Trusts the authority with one fingerprint.
#[derive(Debug)]
pub struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
    /// The authority that was found. A mutex, because rustls shares a verifier between handshakes.
    found: Mutex<Option<CertificateDer<'static>>>,
}

impl Pinned {
    /// Trusts the authority with this `fingerprint`.
    pub fn new(fingerprint: Fingerprint) -> Arc<Self> {
        Arc::new(Self { fingerprint, provider: trust::provider(), found: Mutex::new(None) })
    }

    /// The authority's certificate, once a handshake has proved it.
    pub fn authority(&self) -> Option<CertificateDer<'static>> {
        self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = intermediates
            .iter()
            .find(|certificate| self.fingerprint.fits(certificate))
            .ok_or(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))?;
        let verifier = trust::server_verifier(authority).map_err(|e| Error::General(e.to_string()))?;
        let verified = verifier.verify_server_cert(end_entity, &[], server_name, ocsp_response, now)?;
        *self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(authority.clone().into_owned());
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
