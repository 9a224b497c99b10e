//! The store's authority: one key that signs the certificates of its hub, its broker and its carts.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use identity::request::{KeyPair, RequestError};
use identity::{SecretError, pem, secret, trust};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, RevocationReason, RevokedCertParams, SanType,
    SerialNumber,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use time::OffsetDateTime;
use trip::provisioning::Fingerprint;
use trip::{CartId, Hash, StoreId};
use zeroize::Zeroizing;

/// For so long the authority itself counts: longer than a cart lasts.
const AUTHORITY_LIFE_S: u64 = 20 * 365 * DAY_S;
/// A certificate of the hub's own; made anew at two thirds.
pub const SERVER_LIFE_S: u64 = 90 * DAY_S;
/// Certificates count from a little before they are made: clocks of a store differ by minutes.
const BACKDATED_S: u64 = 3_600;
/// A revocation list is written anew at each change and each start; a broker may use it for so long.
const LIST_LIFE_S: u64 = 10 * 365 * DAY_S;
const DAY_S: u64 = 24 * 60 * 60;

/// The authority cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of it.
    #[error(transparent)]
    File(#[from] SecretError),
    /// A file of it is broken.
    #[error(transparent)]
    Pem(#[from] pem::PemError),
    /// A key of it.
    #[error(transparent)]
    Key(#[from] RequestError),
    /// One of its two files is missing.
    #[error(
        "{} is missing, and {} is there; put it back from a copy. Without it a new authority is needed: move the folder away, start again, and provision all carts anew",
        missing.display(), there.display()
    )]
    Half {
        /// What is missing.
        missing: PathBuf,
        /// What is there.
        there: PathBuf,
    },
    /// Key and certificate are of two authorities.
    #[error("{} does not belong to the key beside it: {why}", path.display())]
    Mismatch {
        /// The certificate.
        path: PathBuf,
        /// What the check said.
        why: String,
    },
    /// A request that cannot be granted.
    #[error("the certificate request cannot be read, or is not signed with its own key: {0}")]
    Request(rcgen::Error),
    /// A certificate that cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Sign(rcgen::Error),
    /// No randomness.
    #[error("the system gives no random bytes for a serial number: {0}")]
    Random(getrandom::Error),
}

/// A certificate that was just signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// In PEM.
    pub pem: String,
    /// SHA-256 of the certificate (DER): how the registry knows it.
    pub digest: Hash,
    /// Its serial number.
    pub serial: [u8; 16],
    /// Counts from, in seconds since 1970.
    pub not_before_s: u64,
    /// Counts until.
    pub not_after_s: u64,
}

/// A certificate with its key, for a server or client of the hub's own.
pub struct Own {
    /// The certificate and the authority's, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The chain in PEM.
    pub chain_pem: String,
    /// The key.
    pub key: PrivateKeyDer<'static>,
    /// The key in PEM, for a private file.
    pub key_pem: Zeroizing<String>,
    /// Until when it counts, in seconds since 1970.
    pub not_after_s: u64,
}

/// The authority.
pub struct Authority {
    store: StoreId,
    issuer: Issuer<'static, rcgen::KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({}, ..)", self.store)
    }
}

impl Authority {
    /// Opens the authority of `store` in the private `folder`; makes it at the first start. `now_s` is the
    /// time in seconds since 1970.
    ///
    /// # Errors
    /// [`AuthorityError`] when a file is missing, broken, of another authority, or open to others.
    pub fn open(folder: &Path, store: &StoreId, now_s: u64) -> Result<Self, AuthorityError> {
        secret::folder(folder)?;
        let (key_path, path) = (folder.join("authority-key.pem"), folder.join("authority.pem"));
        let half = |missing: &Path, there: &Path| AuthorityError::Half { missing: missing.into(), there: there.into() };
        let key = secret::read(&key_path)?;
        let text = match std::fs::read(&path) {
            Ok(text) => Some(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(SecretError::File { what: "cannot read", path, source }.into()),
        };
        match (key, text) {
            (Some(key), Some(text)) => {
                let key = KeyPair::from_pem(&key, &key_path.display().to_string())?;
                let certificate = pem::certificates(&text, &path.display().to_string())?.remove(0);
                let authority = Self::of(store, key, certificate, String::from_utf8_lossy(&text).into_owned())?;
                authority.prove(&path, now_s)?;
                Ok(authority)
            }
            (None, None) => {
                let key = KeyPair::generate()?;
                let certificate = own_certificate(store, &key, now_s)?;
                // The key first: with a certificate alone nobody could go on.
                secret::write(&key_path, key.to_pem().as_bytes())?;
                secret::write_public(&path, certificate.pem().as_bytes())?;
                tracing::info!(%store, path = %path.display(), "the store's authority was made");
                Self::of(store, key, certificate.der().clone(), certificate.pem())
            }
            (None, Some(_)) => Err(half(&key_path, &path)),
            (Some(_), None) => Err(half(&path, &key_path)),
        }
    }

    fn of(
        store: &StoreId,
        key: KeyPair,
        certificate: CertificateDer<'static>,
        pem: String,
    ) -> Result<Self, AuthorityError> {
        let issuer = Issuer::from_ca_cert_der(&certificate, key.into_inner()).map_err(AuthorityError::Sign)?;
        Ok(Self { store: store.clone(), issuer, certificate, pem })
    }

    /// Signs a certificate for nobody and checks it, so that a key of another authority shows at the start
    /// and not at a cart.
    fn prove(&self, path: &Path, now_s: u64) -> Result<(), AuthorityError> {
        let mismatch = |why: String| AuthorityError::Mismatch { path: path.to_owned(), why };
        let own = self.server(&["prove.invalid".to_owned()], now_s)?;
        let name = ServerName::try_from("prove.invalid").map_err(|e| mismatch(e.to_string()))?;
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now_s));
        let verifier = trust::server_verifier(&self.certificate).map_err(|e| mismatch(e.to_string()))?;
        let checked = verifier.verify_server_cert(&own.chain[0], &[], &name, &[], now);
        checked.map(drop).map_err(|e| mismatch(trust::explain(&e, now)))
    }

    /// Its certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// By what a cart knows it at the first contact.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// Signs a certificate for `cart` over the key of its `request` (PKCS#10, PEM). Of the request nothing
    /// but the key is taken: name, use and time are the store's to say.
    ///
    /// # Errors
    /// [`AuthorityError`] when the request is broken or not signed with its own key.
    pub fn cart(&self, cart: &CartId, request: &str, now_s: u64, life_s: u64) -> Result<Issued, AuthorityError> {
        let request = CertificateSigningRequestParams::from_pem(request).map_err(AuthorityError::Request)?;
        let serial = serial()?;
        let (not_before_s, not_after_s) = (now_s.saturating_sub(BACKDATED_S.min(life_s)), now_s + life_s);
        let mut params = self.params(cart.as_str(), &serial, not_before_s, not_after_s);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let made = params.signed_by(&request.public_key, &self.issuer).map_err(AuthorityError::Sign)?;
        Ok(Issued { pem: made.pem(), digest: Hash::of(made.der()), serial, not_before_s, not_after_s })
    }

    /// Makes a key and a certificate for a server that carts reach by `names`: host names or addresses.
    ///
    /// # Errors
    /// [`AuthorityError`] when they cannot be made.
    pub fn server(&self, names: &[String], now_s: u64) -> Result<Own, AuthorityError> {
        self.own("hub", names, ExtendedKeyUsagePurpose::ServerAuth, now_s)
    }

    /// Makes a key and a certificate for the hub itself as a client of a broker, in the name `name`.
    ///
    /// # Errors
    /// As [`Authority::server`].
    pub fn client(&self, name: &str, now_s: u64) -> Result<Own, AuthorityError> {
        self.own(name, &[], ExtendedKeyUsagePurpose::ClientAuth, now_s)
    }

    fn own(
        &self,
        name: &str,
        names: &[String],
        usage: ExtendedKeyUsagePurpose,
        now_s: u64,
    ) -> Result<Own, AuthorityError> {
        let key = KeyPair::generate()?;
        let not_after_s = now_s + SERVER_LIFE_S;
        let mut params = self.params(name, &serial()?, now_s.saturating_sub(BACKDATED_S), not_after_s);
        params.extended_key_usages = vec![usage];
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into().map_err(AuthorityError::Sign)?),
            });
        }
        let made = params.signed_by(key.inner(), &self.issuer).map_err(AuthorityError::Sign)?;
        let key_pem = key.to_pem();
        Ok(Own {
            chain: vec![made.der().clone(), self.certificate.clone()],
            chain_pem: format!("{}{}", made.pem(), self.pem),
            key: pem::private_key(key_pem.as_bytes(), "a key that was just made")?,
            key_pem,
            not_after_s,
        })
    }

    fn params(&self, name: &str, serial: &[u8; 16], not_before_s: u64, not_after_s: u64) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, self.store.as_str());
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from_slice(serial));
        params.not_before = moment(not_before_s);
        params.not_after = moment(not_after_s);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params
    }

    /// Signs the list of revoked certificates, `(serial, when in seconds since 1970)` each, in PEM.
    ///
    /// # Errors
    /// [`AuthorityError`] when it cannot be signed.
    pub fn revocation_list(&self, revoked: &[([u8; 16], u64)], now_s: u64) -> Result<String, AuthorityError> {
        let one = |(serial, at_s): &([u8; 16], u64)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: moment(*at_s),
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: moment(now_s.saturating_sub(BACKDATED_S)),
            next_update: moment(now_s + LIST_LIFE_S),
            crl_number: SerialNumber::from(now_s),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(one).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).and_then(|list| list.pem()).map_err(AuthorityError::Sign)
    }
}

fn own_certificate(store: &StoreId, key: &KeyPair, now_s: u64) -> Result<rcgen::Certificate, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, store.as_str());
    params.distinguished_name.push(DnType::CommonName, format!("{store} carts"));
    params.serial_number = Some(SerialNumber::from_slice(&serial()?));
    params.not_before = moment(now_s.saturating_sub(BACKDATED_S));
    params.not_after = moment(now_s + AUTHORITY_LIFE_S);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.self_signed(key.inner()).map_err(AuthorityError::Sign)
}

/// Random, positive, and never with a leading zero byte: the same in each encoding.
fn serial() -> Result<[u8; 16], AuthorityError> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(AuthorityError::Random)?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

fn moment(seconds: u64) -> OffsetDateTime {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// 2026-11-22.
    pub(crate) const NOW_S: u64 = 1_795_305_600;

    fn store() -> StoreId {
        StoreId::new("market-street").expect("valid")
    }

    fn cart() -> CartId {
        CartId::new("cart-01").expect("valid")
    }

    fn made() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("identity");
        Authority::open(&folder, &store(), NOW_S).expect("made");
        (place, folder)
    }

    fn error(folder: &Path) -> String {
        Authority::open(folder, &store(), NOW_S).expect_err("refused").to_string()
    }

    #[test]
    fn an_authority_is_made_once_and_its_key_is_for_its_owner_alone() {
        let (_place, folder) = made();
        let again = Authority::open(&folder, &store(), NOW_S).expect("opened");
        let third = Authority::open(&folder, &store(), NOW_S).expect("opened");
        assert_eq!(again.fingerprint(), third.fingerprint());
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("authority-key.pem"))), (0o700, 0o600));
        assert_eq!(format!("{again:?}"), "Authority(market-street, ..)");
    }

    #[test]
    fn an_authority_that_cannot_be_trusted_is_refused_by_the_name_of_its_file() {
        let (_place, folder) = made();
        let (key, certificate) = (folder.join("authority-key.pem"), folder.join("authority.pem"));
        let (kept_key, kept) = (std::fs::read(&key).expect("there"), std::fs::read(&certificate).expect("there"));

        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("set");
        assert!(error(&folder).contains("chmod 600"), "{}", error(&folder));
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("set");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o750)).expect("set");
        assert!(error(&folder).contains("chmod 700"), "{}", error(&folder));
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("set");

        secret::write(&key, &kept_key[..60]).expect("written");
        assert!(error(&folder).contains("authority-key.pem holds no key pair"), "{}", error(&folder));
        secret::write(&key, &kept_key).expect("written");
        std::fs::write(&certificate, &kept[..kept.len() / 2]).expect("written");
        assert!(error(&folder).contains("authority.pem holds no certificate"), "{}", error(&folder));
        std::fs::remove_file(&certificate).expect("removed");
        assert!(error(&folder).contains("authority.pem is missing"), "{}", error(&folder));

        let (_other_place, other) = made();
        std::fs::copy(other.join("authority.pem"), &certificate).expect("copied");
        assert!(error(&folder).contains("does not belong to the key"), "{}", error(&folder));
        std::fs::write(&certificate, &kept).expect("written");
        Authority::open(&folder, &store(), NOW_S).expect("as before");
    }

    #[test]
    fn of_a_request_the_key_alone_is_taken() {
        let (_place, folder) = made();
        let authority = Authority::open(&folder, &store(), NOW_S).expect("opened");
        let key = KeyPair::generate().expect("a key");
        // It asks to be a hub, and an authority.
        let mut greedy = CertificateParams::new(vec!["hub.example".into()]).expect("a name");
        greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let request = greedy.serialize_request(key.inner()).and_then(|r| r.pem()).expect("a request");
        let issued = authority.cart(&cart(), &request, NOW_S, DAY_S).expect("granted");
        let certificate = pem::certificates(issued.pem.as_bytes(), "x").expect("one").remove(0);
        assert_eq!(issued.digest, Hash::of(&certificate));
        let name = ServerName::try_from("hub.example").expect("a name");
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW_S));
        let verifier = trust::server_verifier(authority.certificate()).expect("a verifier");
        assert!(verifier.verify_server_cert(&certificate, &[], &name, &[], now).is_err(), "a cart became a server");
    }

    #[test]
    fn a_broken_request_is_refused() {
        let (_place, folder) = made();
        let authority = Authority::open(&folder, &store(), NOW_S).expect("opened");
        let request = KeyPair::generate().and_then(|k| k.request("cart-01")).expect("a request");
        assert!(authority.cart(&cart(), &request, NOW_S, DAY_S).is_ok());
        let mut forged = request.clone().into_bytes();
        let at = request.len() - 60;
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("text");
        for bad in ["", "hello", &request[..request.len() / 2], forged.as_str()] {
            assert!(authority.cart(&cart(), bad, NOW_S, DAY_S).is_err(), "{bad}");
        }
    }
}
