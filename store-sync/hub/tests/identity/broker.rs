//! The same with mosquitto as the store's broker: the hub writes its certificates, its access list and its
//! list of the revoked.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use trip::TripEvent;

use crate::harness::{PATIENCE, Store};

struct Mosquitto(Child);

impl Drop for Mosquitto {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Mosquitto {
    fn start(store: &Store, port: u16) -> Self {
        let own = store.path("hub/identity/broker/mosquitto.conf");
        let text = std::fs::read_to_string(&own).expect("the hub has written it");
        // As the test's own user; started by root, mosquitto would become another who may read no key.
        let config = store.path("mosquitto.conf");
        std::fs::write(&config, format!("user root\n{text}")).expect("written");
        let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"];
        let program = program.into_iter().find(|path| std::path::Path::new(path).exists());
        let program = program.expect("this test needs mosquitto: apt-get install mosquitto");
        let child = Command::new(program)
            .args(["-c", config.to_str().expect("plain")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let broker = Self(child);
        for _ in 0..500 {
            if std::net::TcpStream::connect(address).is_ok() {
                return broker;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("mosquitto does not listen on {address}");
    }

    /// Has it read its lists again.
    fn reload(&self) {
        let done = Command::new("kill").args(["-HUP", &self.0.id().to_string()]).status().expect("kill runs");
        assert!(done.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_lets_in_the_same_carts_with_the_same_rights() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a port").port();
    let mut store = Store::with_bus("market-street", &format!("{{ secured = \"localhost:{port}\" }}"), false);
    // The files come first: the hub writes them before it seeks the broker.
    let written = store.path("hub/identity/broker/mosquitto.conf");
    let broker = {
        drop(store.fails_to_start());
        assert!(written.exists());
        Mosquitto::start(&store, port)
    };
    store.start();
    let cart = store.joined("cart-01").await;
    let listed = async {
        let access = store.path("hub/identity/broker/access");
        while !std::fs::read_to_string(&access).expect("there").contains("user cart-01") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, listed).await.expect("listed in time");
    broker.reload();
    let line = cart.line();
    line.appended.send_replace(cart.write(TripEvent::HelpCalled));
    cart.acked(1).await;
    drop(line);

    store.command(&["revoke", "--cart", "cart-01"]);
    let unlisted = async {
        let access = store.path("hub/identity/broker/access");
        while std::fs::read_to_string(&access).expect("there").contains("user cart-01") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, unlisted).await.expect("unlisted in time");
    broker.reload();
    let refused = async {
        loop {
            let mut options = rumqttc::MqttOptions::new("market-street-cart-01", "localhost", port);
            let tls = rumqttc::TlsConfiguration::Rustls(cart.tls().config);
            options.set_transport(rumqttc::Transport::tls_with_config(tls));
            let (_client, mut events) = rumqttc::AsyncClient::new(options, 4);
            match events.poll().await {
                Err(why) => return store_sync::tls::complaint(&why, store_sync::tls::now()).unwrap_or_default(),
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, refused).await.expect("refused in time");
    assert!(error.contains("revoked"), "{error}");
}
