//! No PIN and no key is in a log or an error of the cart, however much is logged.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use cart_app::staff::pin::Pins;
use cart_app::startup::load_key;
use hal::Moment;
use tracing_subscriber::EnvFilter;

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

#[test]
fn no_pin_and_no_key_is_in_a_log_or_an_error() {
    let log = Kept::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    tracing::info!("the log is kept");
    let place = tempfile::tempdir().expect("a folder");
    let mut said = String::new();

    let (right, wrong, weak) = ("739104", "860257", "121212");
    said += &Pins::set(place.path(), weak).expect_err("weak").to_string();
    Pins::set(place.path(), right).expect("set");
    let mut pins = Pins::open(place.path(), Moment::default());
    for pin in [wrong, wrong, wrong, wrong, right] {
        said += &format!("{:?} ", pins.try_pin(pin, Moment::default()));
    }
    said += &format!("{pins:?}");

    let path = place.path().join("cart-key");
    let key = load_key(&path).expect("made");
    let text = std::fs::read_to_string(&path).expect("there");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
    let error = format!("{:#}", load_key(&path).expect_err("others may read it"));
    assert!(error.contains("chmod 600"), "{error}");
    said += &error;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    std::fs::write(&path, &text[..50]).expect("cut short");
    said += &format!("{:#} {key:?}", load_key(&path).expect_err("cut short"));

    let log = String::from_utf8_lossy(&log.0.lock().expect("whole")).into_owned();
    assert!(log.contains("the log is kept"));
    for secret in [right, wrong, weak, &text[..32], &text[32..64]] {
        assert!(!log.contains(secret), "it is in the log");
        assert!(!said.contains(secret), "it is in an error");
    }
}
