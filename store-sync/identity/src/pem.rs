//! Certificates and keys from PEM. A text that is cut short, empty or of another kind is named by its
//! origin, and no error ever quotes the text: it may be a key.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A PEM text that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{origin} holds no {wanted} in PEM form ({why}); it may have been cut short")]
pub struct PemError {
    origin: String,
    wanted: &'static str,
    why: &'static str,
}

/// The certificates in `text`, at least one. `origin` is the file or message, for the error.
///
/// # Errors
/// [`PemError`] when one of them is broken or there is none.
pub fn certificates(text: &[u8], origin: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let fail = |why| PemError { origin: origin.to_owned(), wanted: "certificate", why };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|_| fail("a section is broken"))?;
    // A text that ends in the middle of a section yields the whole ones before it and no error.
    let begun = text.windows(11).filter(|w| w == b"-----BEGIN ").count();
    match found.len() {
        0 => Err(fail("there is no whole section")),
        n if n != begun => Err(fail("a section does not end")),
        _ => Ok(found),
    }
}

/// The private key in `text`.
///
/// # Errors
/// [`PemError`] when it is broken or there is none.
pub fn private_key(text: &[u8], origin: &str) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|_| PemError {
        origin: origin.to_owned(),
        wanted: "private key",
        why: "there is no whole section",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::KeyPair;

    #[test]
    fn a_key_cut_short_anywhere_is_refused_and_never_quoted() {
        let key = KeyPair::generate().expect("a key");
        let text = key.to_pem();
        assert!(private_key(text.as_bytes(), "key.pem").is_ok());
        let body = text.lines().nth(1).expect("a line");
        for end in [0, 1, 10, 40, text.len() / 2, text.len() - 30, text.len() - 7] {
            let error = private_key(&text.as_bytes()[..end], "key.pem").expect_err("cut short").to_string();
            assert!(error.starts_with("key.pem holds no private key"), "{error}");
            assert!(!error.contains(&body[..8]), "the error quotes the key: {error}");
        }
    }

    #[test]
    fn certificates_are_all_whole_or_refused() {
        let made = rcgen::generate_simple_self_signed(vec!["a".into()]).expect("a certificate").cert.pem();
        let two = format!("{made}{made}");
        assert_eq!(certificates(two.as_bytes(), "x").expect("two").len(), 2);
        for end in [0, 20, made.len() - 30, made.len() + 60] {
            assert!(certificates(&two.as_bytes()[..end], "x").is_err(), "cut at {end}");
        }
        assert!(certificates(&[0xff, 0x00, 0x2d], "x").is_err());
    }
}
