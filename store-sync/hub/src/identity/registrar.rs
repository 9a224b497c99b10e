//! Grants certificates: to a cart with a one-time code, and to one that renews its own.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Verifier};
use trip::provisioning::{Code, Granted, Join, Renew, Secret, VERSION};
use trip::{CartId, StoreId};

use super::authority::{Authority, AuthorityError, Issued};
use super::registry::{CodeRefusal, Redeemed, Registry, RegistryError};
use super::roster::Watcher;
use crate::config::public_key;

/// For so long a code is good: a walk from the office to the cart, and no longer.
pub const CODE_LIFE_S: u64 = 15 * 60;

/// Nothing is granted.
#[derive(Debug, thiserror::Error)]
pub enum RegistrarError {
    /// The code.
    #[error(transparent)]
    Code(#[from] CodeRefusal),
    /// The message is not as it should be.
    #[error("the request is not as it should be: {0}")]
    Form(String),
    /// The authority cannot sign, or not this.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The registry cannot be written.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No randomness.
    #[error("the system gives no random bytes for a code: {0}")]
    Random(getrandom::Error),
}

impl RegistrarError {
    /// True when the one who asks is at fault, and may be told why.
    pub fn is_askers(&self) -> bool {
        matches!(self, Self::Code(_) | Self::Form(_) | Self::Authority(AuthorityError::Request(_)))
    }
}

/// What every cart is told beside its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// For how long a cart's certificate counts, in seconds.
    pub cart_life_s: u64,
    /// The broker's host; the hub's own where there is none.
    pub mqtt_host: Option<String>,
    /// The broker's port for TLS.
    pub mqtt_port: u16,
    /// The keys that sign releases, base64url.
    pub release_keys: Vec<String>,
}

/// Grants certificates.
#[derive(Debug)]
pub struct Registrar {
    store: StoreId,
    authority: Arc<Authority>,
    registry: Registry,
    terms: Terms,
    watcher: Option<Watcher>,
}

impl Registrar {
    /// Grants in the name of `authority`, and writes down whom in `registry`.
    /// `watcher` tells those who let carts in, before the cart has its answer.
    pub fn new(
        store: StoreId,
        authority: Arc<Authority>,
        registry: Registry,
        terms: Terms,
        watcher: Option<Watcher>,
    ) -> Self {
        Self { store, authority, registry, terms, watcher }
    }

    /// Grants what `join` asks for, if its code is good. `now_s` is the time in seconds since 1970.
    ///
    /// # Errors
    /// [`RegistrarError`]; the code is as before unless it was wrong or is used now.
    pub fn join(&mut self, join: &Join, now_s: u64) -> Result<Granted, RegistrarError> {
        let form = |what: &str| RegistrarError::Form(what.to_owned());
        if join.v != VERSION {
            return Err(form("it is of another version; update cart and hub to the same"));
        }
        let key = public_key(&join.signing_key).ok_or_else(|| form("signing_key is no ed25519 key"))?;
        let proof = BASE64_URL_SAFE_NO_PAD.decode(&join.proof).ok();
        let proof = proof.and_then(|bytes| Signature::from_slice(&bytes).ok()).ok_or_else(|| form("no proof"))?;
        key.verify(&Join::proof_of(&join.request, &join.secret), &proof)
            .map_err(|_| form("the proof is not by the signing key"))?;
        let (authority, life_s) = (self.authority.clone(), self.terms.cart_life_s);
        let issue = |cart: &CartId| -> Result<Issued, RegistrarError> {
            Ok(authority.cart(cart, &join.request, now_s, life_s)?)
        };
        match self.registry.redeem(&join.secret, &key, now_s, issue)? {
            Redeemed::Refused(why) => {
                tracing::warn!(code = join.secret.name(), %why, "somebody wants to join the store");
                Err(why.into())
            }
            Redeemed::Granted((cart, issued)) => Ok(self.granted(cart, issued)),
        }
    }

    /// Grants `cart`, which its present certificate has proved to be there, a new one.
    ///
    /// # Errors
    /// [`RegistrarError`] when the request is broken.
    pub fn renew(&mut self, cart: &CartId, renew: &Renew, now_s: u64) -> Result<Granted, RegistrarError> {
        if renew.v != VERSION {
            return Err(RegistrarError::Form("it is of another version; update cart and hub to the same".into()));
        }
        let issued = self.authority.cart(cart, &renew.request, now_s, self.terms.cart_life_s)?;
        self.registry.renewed(cart, &issued, now_s)?;
        Ok(self.granted(cart.clone(), issued))
    }

    fn granted(&self, cart: CartId, issued: Issued) -> Granted {
        if let Some(Err(why)) = self.watcher.as_ref().map(Watcher::look) {
            tracing::warn!(%why, "a cart that was just granted a certificate may have to wait a moment");
        }
        Granted {
            v: VERSION,
            store: self.store.clone(),
            cart,
            certificate: issued.pem,
            authority: self.authority.pem().to_owned(),
            not_before_s: issued.not_before_s,
            not_after_s: issued.not_after_s,
            mqtt_host: self.terms.mqtt_host.clone(),
            mqtt_port: self.terms.mqtt_port,
            release_keys: self.terms.release_keys.clone(),
        }
    }
}

/// Makes a one-time code for `cart` and keeps its digest.
///
/// # Errors
/// [`RegistrarError`] when it cannot be kept.
pub fn new_code(
    authority: &Authority,
    registry: &mut Registry,
    cart: &CartId,
    now_s: u64,
) -> Result<Code, RegistrarError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(RegistrarError::Random)?;
    let secret = Secret::from_random(bytes);
    registry.keep_code(cart, &secret, now_s + CODE_LIFE_S)?;
    Ok(Code { secret, fingerprint: authority.fingerprint() })
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use identity::request::KeyPair;

    use super::super::authority::tests::NOW_S;
    use super::*;
    use crate::config::key_text;

    struct Desk {
        _place: tempfile::TempDir,
        registrar: Registrar,
        code: Code,
    }

    fn desk() -> Desk {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("identity");
        let store = StoreId::new("market-street").expect("valid");
        let authority = Arc::new(Authority::open(&folder, &store, NOW_S).expect("made"));
        let mut registry = Registry::open(&folder).expect("made");
        let cart = CartId::new("cart-01").expect("valid");
        let code = new_code(&authority, &mut registry, &cart, NOW_S).expect("a code");
        let terms = Terms { cart_life_s: 90, mqtt_host: None, mqtt_port: 8883, release_keys: vec![] };
        Desk { _place: place, registrar: Registrar::new(store, authority, registry, terms, None), code }
    }

    fn join(secret: &Secret, key: &SigningKey) -> Join {
        let request = KeyPair::generate().and_then(|k| k.request("cart")).expect("a request");
        let proof = key.sign(&Join::proof_of(&request, secret));
        Join {
            v: 1,
            secret: secret.clone(),
            request,
            signing_key: key_text(&key.verifying_key()),
            proof: BASE64_URL_SAFE_NO_PAD.encode(proof.to_bytes()),
        }
    }

    #[test]
    fn a_cart_joins_with_its_code_under_the_name_that_staff_gave_it() {
        let mut desk = desk();
        let granted =
            desk.registrar.join(&join(&desk.code.secret, &SigningKey::from_bytes(&[1; 32])), NOW_S).expect("granted");
        assert_eq!((granted.cart.as_str(), granted.store.as_str()), ("cart-01", "market-street"));
        assert_eq!(granted.not_after_s, NOW_S + 90);
        let renew = Renew { v: 1, request: KeyPair::generate().and_then(|k| k.request("x")).expect("a request") };
        let renewed = desk.registrar.renew(&granted.cart, &renew, NOW_S + 60).expect("renewed");
        assert_eq!(renewed.not_after_s, NOW_S + 150);
        assert_ne!(renewed.certificate, granted.certificate);
    }

    #[test]
    fn a_key_that_the_cart_does_not_have_is_not_registered_and_costs_no_code() {
        let mut desk = desk();
        let (own, stolen) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let right = join(&desk.code.secret, &own);
        let claims = Join { signing_key: key_text(&stolen.verifying_key()), ..right.clone() };
        let other = Join { request: join(&desk.code.secret, &own).request, ..right.clone() };
        for bad in [claims, other, Join { proof: "x".into(), ..right.clone() }, Join { v: 2, ..right.clone() }] {
            let error = desk.registrar.join(&bad, NOW_S).expect_err("refused");
            assert!(matches!(error, RegistrarError::Form(_)), "{error}");
        }
        desk.registrar.join(&right, NOW_S).expect("the code is still good");
    }

    #[test]
    fn a_late_code_is_refused() {
        let mut desk = desk();
        let join = join(&desk.code.secret, &SigningKey::from_bytes(&[1; 32]));
        let error = desk.registrar.join(&join, NOW_S + CODE_LIFE_S).expect_err("refused");
        assert!(matches!(error, RegistrarError::Code(CodeRefusal::Expired)), "{error}");
    }
}
