//! How a cart joins its store, and how it renews what it was granted. The cart makes its keys itself; none
//! of them ever leaves it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use identity::pin::Pinned;
use identity::request::{KeyPair, RequestError};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use trip::provisioning::{Code, Granted, Join, Renew, VERSION};

use crate::https::{HttpsError, Hub};
use crate::identity::{Identity, IdentityError};
use crate::tls::{self, Tls, TlsError};

/// A grant is some kilobytes.
const MOST_BYTES: usize = 64 * 1024;

/// The cart did not join, or did not renew.
#[derive(Debug, thiserror::Error)]
pub enum ProvisioningError {
    /// The hub.
    #[error(transparent)]
    Https(#[from] HttpsError),
    /// A key.
    #[error(transparent)]
    Key(#[from] RequestError),
    /// The identity's file.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What the hub granted is not as it should be.
    #[error("what the hub granted cannot be used: {0}")]
    Granted(String),
}

/// What was granted, and the TLS key it was granted over, before they are kept.
#[derive(Debug)]
pub struct Joined {
    /// What the store granted.
    pub granted: Granted,
    key: KeyPair,
    hub: String,
}

impl Joined {
    /// Keeps it in the cart's folder `data`.
    ///
    /// # Errors
    /// [`IdentityError`] when it cannot be written.
    pub fn keep(self, data: &Path) -> Result<Identity, IdentityError> {
        Identity::keep(data, self.granted, &self.key.to_pem(), &self.hub)
    }
}

/// Joins the store of the hub at `url` with a one-time `code`. The hub must show the authority whose
/// fingerprint is in the code; the secret goes to nobody else. `signing` is the key of the cart's batches.
///
/// # Errors
/// [`ProvisioningError`] says who refused and why.
pub async fn join(
    url: &str,
    code: &Code,
    signing: &SigningKey,
    clock: Arc<dyn TimeProvider>,
) -> Result<Joined, ProvisioningError> {
    let pinned = Pinned::new(code.fingerprint.clone());
    let hub = Hub::new(url, tls::first_contact(pinned.clone(), clock.clone())?)?;
    let key = KeyPair::generate()?;
    let request = key.request("cart")?;
    let proof = signing.sign(&Join::proof_of(&request, &code.secret));
    let join = Join {
        v: VERSION,
        secret: code.secret.clone(),
        request,
        signing_key: BASE64_URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes()),
        proof: BASE64_URL_SAFE_NO_PAD.encode(proof.to_bytes()),
    };
    let granted = ask(&hub, "/v1/join", &join, clock.current_time().unwrap_or_else(UnixTime::now)).await?;
    let origin = "the hub's answer";
    let authority = identity::pem::certificates(granted.authority.as_bytes(), origin)
        .map_err(|e| ProvisioningError::Granted(e.to_string()))?;
    if pinned.authority().as_ref() != authority.first() {
        return Err(ProvisioningError::Granted("its authority is not the one of the code".into()));
    }
    Ok(Joined { granted, key, hub: url.trim_end_matches('/').to_owned() })
}

/// Renews the certificate of `identity`: a new key, a new certificate, the same name. From then on `tls`
/// shows the new one.
///
/// # Errors
/// [`ProvisioningError`]; the present one is then kept, and counts until it expires.
pub async fn renew(identity: &Identity, tls: &Tls, data: &Path) -> Result<Identity, ProvisioningError> {
    let hub = Hub::new(&identity.hub, tls.config.clone())?;
    let key = KeyPair::generate()?;
    let request = key.request("cart")?;
    let granted = ask(&hub, "/v1/renew", &Renew { v: VERSION, request }, tls::now()).await?;
    if (&granted.store, &granted.cart) != (&identity.granted.store, &identity.granted.cart) {
        let why = format!("it is for cart \"{}\" of store \"{}\"", granted.cart, granted.store);
        return Err(ProvisioningError::Granted(why));
    }
    if granted.authority != identity.granted.authority {
        return Err(ProvisioningError::Granted("the store has another authority; provision the cart anew".into()));
    }
    let renewed = Identity::keep(data, granted, &key.to_pem(), &identity.hub)?;
    tls.shown.show(&renewed)?;
    Ok(renewed)
}

async fn ask(
    hub: &Hub,
    path: &str,
    message: &impl serde::Serialize,
    now: UnixTime,
) -> Result<Granted, ProvisioningError> {
    let body = serde_json::to_vec(message).unwrap_or_else(|e| unreachable!("a message has only plain fields: {e}"));
    let answer = hub.ask(path, Some(body), MOST_BYTES, now).await?;
    let granted: Granted =
        serde_json::from_slice(&answer).map_err(|e| ProvisioningError::Granted(format!("it is not readable: {e}")))?;
    match granted.v {
        VERSION => Ok(granted),
        v => Err(ProvisioningError::Granted(format!("it has version {v}, this cart knows {VERSION}"))),
    }
}
