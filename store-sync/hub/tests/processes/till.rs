//! Staff take a basket to the till.

use std::time::Duration;

use tempfile::TempDir;
use trip::TripEvent;
use trip::message::Order;

use super::harness::*;

#[tokio::test]
async fn staff_take_a_basket_to_the_till_by_their_page() {
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &[]);
    let mut cart = store_with_locked_cart(folder.path(), &simulator);
    cart.write(TripEvent::BasketUnlocked { version: 1 });
    let hub = hub(folder.path());
    let (http, client) = (format!("http://{}", hub.address("http")), reqwest::Client::new());
    let get = async |path: &str| {
        let answer = client.get(format!("{http}{path}")).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let post = async |path: &str, form: &'static str| {
        let asked = client.post(format!("{http}{path}")).header("origin", &http).body(form);
        let answer = asked.header("content-type", "application/x-www-form-urlencoded").send().await;
        let answer = answer.expect("an answer");
        (answer.status().as_u16(), answer.url().path().to_owned(), answer.text().await.expect("text"))
    };
    let staff = async {
        // The cart is on the line, and so it is asked whether it really cannot be used.
        while !get("/till/cart-1").await.1.contains("name=\"sure\"") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(post("/till/cart-1", "trip=cart-1.7.1").await.0, 409);
        post("/till/cart-1", "trip=cart-1.7.1&sure=true").await
    };
    let heard = listen_for(&hub, &cart, |order| *order == Order::Transfer);
    let ((_, acked), (status, path, page)) = tokio::join!(heard, staff);
    assert_eq!((acked, status, path.as_str()), (Some(cart.head), 200, "/taken/cart-1.7.1"));
    for part in ["Taken to the till at", "Oat drink", "2 ×", "£3.70", "compare it with the cart by eye"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(get("/taken/cart-1.7.1").await.0, 200, "it has an address of its own");
    assert!(get("/").await.1.contains("basket at the till"));
    assert_eq!((get("/till/cart-2").await.0, get("/taken/cart-1.7.2").await.0), (404, 404));
    assert!(charged(&simulator).await.is_empty());
}
