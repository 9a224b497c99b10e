//! What a broker of its own, such as mosquitto, needs to let in the same carts with the same rights:
//! certificates, a revocation list, an access list that names each cart, and a configuration to include.
//! Written at the hub's start and whenever a cart joins or is revoked; the broker is told to read them
//! again (SIGHUP), by whoever runs it: see the crate's README.

use std::path::Path;

use identity::{SecretError, secret};
use trip::{CartId, StoreId, topics};

use super::authority::{Authority, AuthorityError};
use super::registry::{Registry, RegistryError};
use super::roster::Roster;

/// The files cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BrokerFilesError {
    /// One of them.
    #[error(transparent)]
    File(#[from] SecretError),
    /// A certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The list of the revoked.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// The hub's own name at the broker: its certificate's, and its client's.
pub fn hub_name(store: &StoreId) -> String {
    format!("hub-{store}")
}

/// Writes the broker's server certificate into `folder`, for `names`, and the configuration for a
/// listener on `port`.
///
/// # Errors
/// [`BrokerFilesError`] names the file.
pub fn write_server(
    folder: &Path,
    authority: &Authority,
    names: &[String],
    port: u16,
    now_s: u64,
) -> Result<(), BrokerFilesError> {
    secret::folder(folder)?;
    let own = authority.server(names, now_s)?;
    secret::write(&folder.join("server-key.pem"), own.key_pem.as_bytes())?;
    secret::write_public(&folder.join("server.pem"), own.chain_pem.as_bytes())?;
    secret::write_public(&folder.join("authority.pem"), authority.pem().as_bytes())?;
    secret::write_public(&folder.join("mosquitto.conf"), configuration(folder, port).as_bytes())?;
    Ok(())
}

fn configuration(folder: &Path, port: u16) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    format!(
        "# Written by store-hub. Include it from mosquitto.conf.\n\
         per_listener_settings true\n\
         listener {port}\n\
         cafile {}\ncertfile {}\nkeyfile {}\ncrlfile {}\n\
         require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n\
         acl_file {}\n\
         tls_version tlsv1.3\n\
         persistence false\nmax_packet_size {}\n",
        at("authority.pem"),
        at("server.pem"),
        at("server-key.pem"),
        at("revoked.pem"),
        at("access"),
        crate::bus::MAX_PAYLOAD_BYTES + 1024,
    )
}

/// Writes who may do what, and who may do nothing any more.
///
/// # Errors
/// [`BrokerFilesError`] names the file.
pub fn write_members(
    folder: &Path,
    authority: &Authority,
    registry: &Registry,
    store: &StoreId,
    roster: &Roster,
    now_s: u64,
) -> Result<(), BrokerFilesError> {
    let list = authority.revocation_list(&registry.revoked_serials()?, now_s)?;
    secret::write_public(&folder.join("revoked.pem"), list.as_bytes())?;
    let carts = roster.members.keys().filter(|cart| !roster.revoked.contains(*cart));
    secret::write(&folder.join("access"), access(store, carts).as_bytes())?;
    Ok(())
}

/// The access list in mosquitto's form. Each name is a certificate's common name, and of the letters that
/// a topic may have: no cart can be called `#`.
fn access<'a>(store: &StoreId, carts: impl Iterator<Item = &'a CartId>) -> String {
    let root = topics::ROOT;
    let hub = format!(
        "user {}\ntopic read {root}/{store}/cart/+/up/+\ntopic write {root}/{store}/cart/+/down/+\ntopic readwrite {}\n",
        hub_name(store),
        topics::hub_state(store),
    );
    let one = |cart: &CartId| {
        format!(
            "\nuser {cart}\ntopic write {root}/{store}/cart/{cart}/up/+\ntopic read {root}/{store}/cart/{cart}/down/+\ntopic read {}\n",
            topics::hub_state(store),
        )
    };
    format!("# Written by store-hub at each change; edits are lost.\n{hub}{}", carts.map(one).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cart_has_its_own_topics_and_no_others() {
        let store = StoreId::new("s").expect("valid");
        let carts = ["cart-1", "cart-2"].map(|name| CartId::new(name).expect("valid"));
        let text = access(&store, carts.iter());
        let of = |user: &str| -> Vec<String> {
            let rest = text.split(&format!("user {user}\n")).nth(1).expect("there");
            rest.lines().take_while(|line| line.starts_with("topic")).map(str::to_owned).collect()
        };
        assert_eq!(
            of("cart-1"),
            ["topic write tr1/s/cart/cart-1/up/+", "topic read tr1/s/cart/cart-1/down/+", "topic read tr1/s/hub/state"]
        );
        assert!(of("cart-2").iter().all(|line| !line.contains("cart-1")));
        assert_eq!(of("hub-s").len(), 3);
    }
}
