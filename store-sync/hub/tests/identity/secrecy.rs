//! No secret is in a log, however much is logged: hub and cart run at TRACE, and the test looks for bytes.

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use tracing_subscriber::EnvFilter;
use trip::TripEvent;

use crate::harness::{Cart, Store};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The ways in which bytes may stand in a log.
fn ways(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let list = bytes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    [
        bytes.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        list.into_bytes(),
        BASE64_STANDARD.encode(bytes).into_bytes(),
        BASE64_URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
    ]
    .into_iter()
    .map(|way| (name.to_owned(), way))
    .collect()
}

fn found(log: &[u8], secrets: &[(String, Vec<u8>)]) -> Vec<String> {
    let is_in = |secret: &[u8]| log.windows(secret.len()).any(|w| w[0] == secret[0] && w == secret);
    secrets.iter().filter(|(_, secret)| is_in(secret)).map(|(name, _)| name.clone()).collect()
}

/// The base64 lines of a PEM text.
fn lines(name: &str, pem: &str) -> Vec<(String, Vec<u8>)> {
    let inner = pem.lines().filter(|line| !line.starts_with("-----") && line.len() > 20);
    inner.map(|line| (name.to_owned(), line.as_bytes().to_vec())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_and_no_code_is_in_a_log_of_hub_or_cart_at_trace() {
    let cart_log = Kept::default();
    let writer = cart_log.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let mut store = Store::open("market-street");
    store.start();
    let (right, void) = (store.code("cart-01"), store.code("cart-02"));
    let mut cart = Cart::new(&store.name, "cart-01");
    cart.join(&store, &right).await.expect("it joins");
    // A code that is used up, and one for nobody: what goes wrong is logged most.
    drop(Cart::new(&store.name, "cart-01").join(&store, &right).await.expect_err("used"));
    store.command(&["revoke", "--cart", "cart-02"]);
    drop(Cart::new(&store.name, "cart-02").join(&store, &void).await.expect_err("void"));
    let line = cart.line();
    line.appended.send_replace(cart.write(TripEvent::HelpCalled));
    cart.acked(1).await;
    drop(line);
    let renewed = store_sync::provisioning::renew(cart.identity(), &cart.tls(), cart.data()).await.expect("renewed");
    drop(renewed);

    let mut secrets = ways("the cart's batch key", cart.key.as_bytes());
    for code in [&right, &void] {
        let secret = serde_json::to_string(&code.secret).expect("text");
        secrets.push(("a code".into(), secret.trim_matches('"').as_bytes().to_vec()));
        secrets.push(("a code as it is shown".into(), code.to_string().as_bytes()[..14].to_vec()));
    }
    let read = |name: &str| std::fs::read(store.path("hub").join(name)).expect("there");
    let authority = String::from_utf8(read("identity/authority-key.pem")).expect("text");
    secrets.extend(lines("the authority's key", &authority));
    secrets.extend(ways("the release key", &read("identity/release.key")));
    secrets.extend(ways("the receipt key", &read("receipt.key")));
    let identity = std::fs::read_to_string(store_sync::identity::path_in(cart.data())).expect("there");
    let identity: serde_json::Value = serde_json::from_str(&identity).expect("JSON");
    secrets.extend(lines("the cart's TLS key", identity["key"].as_str().expect("a key")));
    assert!(secrets.len() > 20, "the test looks for {} things", secrets.len());

    let (hub, cart) = (store.log(), cart_log.0.lock().expect("whole").clone());
    let (hub_text, cart_text) = (String::from_utf8_lossy(&hub), String::from_utf8_lossy(&cart));
    assert!(hub_text.contains("DEBUG") && hub_text.contains("a certificate was granted"), "the hub logs too little");
    assert!(cart_text.contains("INFO") && cart_text.contains("line to the broker stands"), "the cart logs too little");
    assert_eq!(found(&hub, &secrets), Vec::<String>::new(), "in the hub's log");
    assert_eq!(found(&cart, &secrets), Vec::<String>::new(), "in the cart's log");
    // The search itself finds what is there.
    let planted = [hub.as_slice(), cart_log_line(&right).as_bytes()].concat();
    assert_eq!(found(&planted, &secrets), ["a code as it is shown"]);
}

fn cart_log_line(code: &trip::provisioning::Code) -> String {
    format!("DEBUG joining with {code}")
}
