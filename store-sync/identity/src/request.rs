//! A key pair, and the request for a certificate over it.

use rcgen::{CertificateParams, DistinguishedName, DnType};
use zeroize::Zeroizing;

/// A key pair cannot be made or read, or not be asked about.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Not made.
    #[error("no key pair can be made: {0}")]
    Make(rcgen::Error),
    /// Not read. Without the library's words, which might show the key.
    #[error("{0} holds no key pair; it may have been cut short")]
    Read(String),
    /// Not written as a request.
    #[error("no certificate request can be made: {0}")]
    Request(rcgen::Error),
}

/// An ECDSA P-256 key pair for TLS. (Batches are signed with another one, of ed25519: a certificate
/// that is renewed brings a new TLS key, and what was signed before stays checkable.)
pub struct KeyPair(rcgen::KeyPair);

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair(..)")
    }
}

impl KeyPair {
    /// A new one.
    ///
    /// # Errors
    /// [`RequestError`] when the system gives no random numbers.
    pub fn generate() -> Result<Self, RequestError> {
        rcgen::KeyPair::generate().map(Self).map_err(RequestError::Make)
    }

    /// One that was written as PEM (PKCS#8); `origin` is its file.
    ///
    /// # Errors
    /// [`RequestError`] when it is none.
    pub fn from_pem(text: &[u8], origin: &str) -> Result<Self, RequestError> {
        let read = || RequestError::Read(origin.to_owned());
        let text = std::str::from_utf8(text).map_err(|_| read())?;
        rcgen::KeyPair::from_pem(text).map(Self).map_err(|_| read())
    }

    /// As PEM (PKCS#8), for a private file.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// The pair as the certificate library takes it.
    pub fn inner(&self) -> &rcgen::KeyPair {
        &self.0
    }

    /// The pair as the certificate library takes it, for good.
    pub fn into_inner(self) -> rcgen::KeyPair {
        self.0
    }

    /// A request (PKCS#10, PEM) for a certificate in the name of `subject`. The store decides what is
    /// in the certificate; of the request it takes the public key alone.
    ///
    /// # Errors
    /// [`RequestError`] when it cannot be signed.
    pub fn request(&self, subject: &str) -> Result<String, RequestError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, subject);
        params.serialize_request(&self.0).and_then(|request| request.pem()).map_err(RequestError::Request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_as_it_is_written_and_never_printed() {
        let pair = KeyPair::generate().expect("a pair");
        let again = KeyPair::from_pem(pair.to_pem().as_bytes(), "key.pem").expect("read");
        assert_eq!(again.to_pem(), pair.to_pem());
        assert_eq!(format!("{pair:?}"), "KeyPair(..)");
        let error = KeyPair::from_pem(b"-----BEGIN PRIVATE KEY-----\nMIG", "key.pem").expect_err("cut").to_string();
        assert!(error.contains("key.pem") && !error.contains("MIG"), "{error}");
    }
}
