//! The encryption of local terminal messages: keys from a passphrase, AES-256-CBC, HMAC-SHA256.
//!
//! Source: Adyen, "Protect communications with the terminal" (local communications): PBKDF2 with
//! HMAC-SHA1, salt `AdyenNexoV1Salt`, 4,000 rounds, 80 bytes: HMAC key 32, cipher key 32, IV 16; the
//! IV is XORed with the message's nonce; the HMAC is over the plain text.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Fixed by the protocol.
const SALT: &[u8] = b"AdyenNexoV1Salt";
/// Fixed by the protocol.
const ROUNDS: u32 = 4_000;
/// Fixed by the protocol; this program knows the first version.
const CRYPTO_VERSION: u32 = 1;

/// Beside an encrypted message: how it was encrypted, and proof that it is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecurityTrailer {
    /// 1.
    pub adyen_crypto_version: u32,
    /// Which shared key.
    pub key_identifier: String,
    /// Which version of it.
    pub key_version: u32,
    /// 16 random bytes, base64.
    pub nonce: String,
    /// HMAC-SHA256 over the plain text, base64.
    pub hmac: String,
}

/// Why a message is not opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// Another key, or another version of it, than this end has.
    #[error("sealed with key \"{identifier}\" version {version}; set the same key here and in the terminal")]
    Key {
        /// Its identifier.
        identifier: String,
        /// Its version.
        version: u32,
    },
    /// Another form of encryption.
    #[error("sealed in form {0}; this program knows form 1")]
    Form(u32),
    /// It was changed, or the passphrases differ.
    #[error("the message was changed on its way, or the passphrases differ")]
    Changed,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// The keys both ends derive from their passphrase.
#[derive(Clone)]
pub struct SharedKey {
    identifier: String,
    version: u32,
    hmac: [u8; 32],
    cipher: [u8; 32],
    iv: [u8; 16],
}

impl SharedKey {
    /// Derives the keys; takes some milliseconds.
    pub fn derive(passphrase: &str, identifier: &str, version: u32) -> Self {
        let mut bytes = [0; 80];
        pbkdf2::pbkdf2_hmac::<sha1::Sha1>(passphrase.as_bytes(), SALT, ROUNDS, &mut bytes);
        let mut key = Self { identifier: identifier.to_owned(), version, hmac: [0; 32], cipher: [0; 32], iv: [0; 16] };
        key.hmac.copy_from_slice(&bytes[..32]);
        key.cipher.copy_from_slice(&bytes[32..64]);
        key.iv.copy_from_slice(&bytes[64..]);
        key
    }

    /// Encrypts `plain`: the blob, base64, and its trailer.
    ///
    /// # Errors
    /// [`SealError::Random`] when the system gives no random bytes.
    pub fn seal(&self, plain: &[u8]) -> Result<(String, SecurityTrailer), SealError> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        Ok(self.seal_with(plain, nonce))
    }

    fn seal_with(&self, plain: &[u8], nonce: [u8; 16]) -> (String, SecurityTrailer) {
        let blob = cbc::Encryptor::<Aes256>::new(&self.cipher.into(), &self.iv(nonce).into())
            .encrypt_padded_vec::<Pkcs7>(plain);
        let trailer = SecurityTrailer {
            adyen_crypto_version: CRYPTO_VERSION,
            key_identifier: self.identifier.clone(),
            key_version: self.version,
            nonce: BASE64_STANDARD.encode(nonce),
            hmac: BASE64_STANDARD.encode(self.mac(plain).finalize().into_bytes()),
        };
        (BASE64_STANDARD.encode(blob), trailer)
    }

    /// Decrypts and checks a blob.
    ///
    /// # Errors
    /// [`SealError`] when it was sealed with another key or form, or changed.
    pub fn open(&self, blob: &str, trailer: &SecurityTrailer) -> Result<Vec<u8>, SealError> {
        if trailer.adyen_crypto_version != CRYPTO_VERSION {
            return Err(SealError::Form(trailer.adyen_crypto_version));
        }
        if trailer.key_identifier != self.identifier || trailer.key_version != self.version {
            return Err(SealError::Key { identifier: trailer.key_identifier.clone(), version: trailer.key_version });
        }
        let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| SealError::Changed);
        let nonce: [u8; 16] = bytes(&trailer.nonce)?.try_into().map_err(|_| SealError::Changed)?;
        let plain = cbc::Decryptor::<Aes256>::new(&self.cipher.into(), &self.iv(nonce).into())
            .decrypt_padded_vec::<Pkcs7>(&bytes(blob)?)
            .map_err(|_| SealError::Changed)?;
        self.mac(&plain).verify_slice(&bytes(&trailer.hmac)?).map_err(|_| SealError::Changed)?;
        Ok(plain)
    }

    fn iv(&self, nonce: [u8; 16]) -> [u8; 16] {
        let mut iv = self.iv;
        iv.iter_mut().zip(nonce).for_each(|(byte, n)| *byte ^= n);
        iv
    }

    fn mac(&self, plain: &[u8]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.hmac_block());
        mac.update(plain);
        mac
    }

    /// The HMAC key, filled up to the hash's block with zeros, as HMAC itself does (RFC 2104).
    fn hmac_block(&self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..32].copy_from_slice(&self.hmac);
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SharedKey {
        SharedKey::derive("correct horse battery staple", "trundle", 1)
    }

    #[test]
    fn keys_and_messages_have_the_bytes_that_an_independent_reckoning_gives() {
        // From Python: hashlib.pbkdf2_hmac("sha1", …, 4000, 80), AES by OpenSSL, hmac with sha256.
        let key = key();
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(&key.hmac), "4a6d29898941aa7957a2b21b5f001b41f684edc5e45739ca2ae2b58df6df4b93");
        assert_eq!(hex(&key.cipher), "40dc887457945d4fc4befdead88dea1edafcb6b410589e5b04ad87629abb19e9");
        assert_eq!(hex(&key.iv), "d5514d02b4f9a145df741465fe1fe75c");
        let (blob, trailer) = key.seal_with(br#"{"SaleToPOIRequest":{}}"#, *b"0123456789abcdef");
        assert_eq!(blob, "u+SuLKvIgnQTXDps0tg3xnBMUjd6x5KRAt73eUnqrsQ=");
        assert_eq!(trailer.hmac, "CZ245lobQtcsRAv6JwEDSk9FxDiw7P7Y74CvQ/EYkfo=");
    }

    #[test]
    fn a_message_is_opened_as_it_was_sealed() {
        for plain in [&b""[..], b"x", &[7; 4_096]] {
            let (blob, trailer) = key().seal(plain).expect("sealed");
            assert_eq!(key().open(&blob, &trailer).as_deref(), Ok(plain));
        }
    }

    #[test]
    fn a_changed_message_or_another_key_is_refused() {
        let (blob, trailer) = key().seal(b"pay 23.84").expect("sealed");
        let check = |blob: &str, trailer: SecurityTrailer, expected: SealError| {
            assert_eq!(key().open(blob, &trailer), Err(expected));
        };
        let flip = |text: &str| {
            let mut bytes = BASE64_STANDARD.decode(text).expect("base64");
            bytes[0] ^= 1;
            BASE64_STANDARD.encode(bytes)
        };
        check(&blob, SecurityTrailer { hmac: flip(&trailer.hmac), ..trailer.clone() }, SealError::Changed);
        check(&blob, SecurityTrailer { nonce: flip(&trailer.nonce), ..trailer.clone() }, SealError::Changed);
        check(&flip(&blob), trailer.clone(), SealError::Changed);
        check("", trailer.clone(), SealError::Changed);
        check("?", trailer.clone(), SealError::Changed);
        let other = SecurityTrailer { key_version: 2, ..trailer.clone() };
        check(&blob, other, SealError::Key { identifier: "trundle".into(), version: 2 });
        check(&blob, SecurityTrailer { adyen_crypto_version: 2, ..trailer.clone() }, SealError::Form(2));
        assert_eq!(SharedKey::derive("wrong", "trundle", 1).open(&blob, &trailer), Err(SealError::Changed));
    }
}
