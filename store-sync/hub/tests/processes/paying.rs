//! A locked basket is paid, once, and its receipt verifies.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tempfile::TempDir;
use trip::message::Order;

use super::harness::*;

#[tokio::test]
async fn a_locked_basket_is_paid_and_its_receipt_verifies() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let simulator = simulator(folder.path(), &["--auto-tap-ms", "1"]);
    let cart = store_with_locked_cart(folder.path(), &simulator);
    let hub = hub(folder.path());
    let (order, acked) = listen_for(&hub, &cart, |order| matches!(order, Order::Receipt { .. })).await;
    assert_eq!(acked, Some(cart.head), "the batch was acked before the receipt");
    let Order::Receipt { cose, qr, .. } = order else { unreachable!("it was waited for") };
    let taken = charged(&simulator).await;
    assert_eq!(taken.iter().map(|(_, progress)| progress.as_str()).collect::<Vec<_>>(), ["approved"]);

    std::fs::write(path("receipt"), BASE64_URL_SAFE_NO_PAD.decode(cose).expect("base64url")).expect("written");
    std::fs::write(path("qr"), qr).expect("written");
    let key = path("hub/receipt-key.pub");
    assert_eq!(std::fs::read_to_string(&key).expect("there"), hub.address("receipt_key"));
    for file in ["receipt", "qr"] {
        let checked = store_hub(&["receipt", "verify", &path(file), "--key", &key]);
        let page = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success() && page.contains("signature good") && page.contains("£3.70"), "{page}");
    }
    std::fs::write(path("bad"), b"nonsense").expect("written");
    let refused = store_hub(&["receipt", "verify", &path("bad"), "--key", &key]);
    assert_eq!((refused.status.code(), refused.stderr.is_empty()), (Some(1), false));

    let page =
        reqwest::get(format!("http://{}/", hub.address("http"))).await.expect("an answer").text().await.expect("text");
    assert!(page.contains("gate open") && page.contains("market-street-000001"), "{page}");
    let foreign = reqwest::Client::new()
        .get(format!("http://{}/", hub.address("http")))
        .header("host", "evil.example")
        .send()
        .await;
    assert_eq!(foreign.expect("an answer").status().as_u16(), 421);
}

#[tokio::test]
async fn a_hub_killed_while_a_card_is_awaited_takes_the_money_once() {
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &[]);
    let cart = store_with_locked_cart(folder.path(), &simulator);
    let first = hub(folder.path());
    listen_for(&first, &cart, |order| matches!(order, Order::AwaitTap { .. })).await;
    tokio::time::timeout(PATIENCE, async { while charged(&simulator).await.is_empty() {} })
        .await
        .expect("the terminal is asked");
    drop(first);
    assert!(tap(&simulator, "visa").await, "the terminal still waits for the card");
    let second = hub(folder.path());
    listen_for(&second, &cart, |order| matches!(order, Order::Receipt { .. })).await;
    let taken = charged(&simulator).await;
    assert_eq!(taken.iter().map(|(_, progress)| progress.as_str()).collect::<Vec<_>>(), ["approved"]);
}
