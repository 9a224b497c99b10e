//! The cart's signature over what it sends.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use trip::message::{BATCH_LABEL, Batch, Signed, VERSION};

/// A batch, signed with the cart's key.
pub fn seal(batch: &Batch, key: &SigningKey) -> Signed {
    let body = serde_json::to_string(batch).unwrap_or_else(|e| unreachable!("a batch has only plain fields: {e}"));
    let signature = key.sign(&Signed::message(BATCH_LABEL, &body));
    Signed { v: VERSION, signature: URL_SAFE_NO_PAD.encode(signature.to_bytes()), body }
}
