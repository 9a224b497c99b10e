//! Configuration files: the hub's, and the board of a cart's.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hal::BoardConfig;
use store_hub::config::{BusConfig, Config};

use crate::memory::bounded;
use crate::sample::{KEY, right};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    bounded(data, || {
        hub(text);
        board(text);
    });
}

/// Right and closed to the world, or refused with the line.
fn hub(text: &str) {
    match Config::parse(Path::new("hub.toml"), text) {
        Ok(config) => {
            assert!(config.http.ip().is_loopback(), "{}", config.http);
            assert!(!matches!(&config.bus, BusConfig::Listen(at) if !at.ip().is_loopback()));
            for (n, lane) in config.lanes.iter().enumerate() {
                assert!(config.lanes[..n].iter().all(|other| other.id != lane.id));
                assert!(!lane.passphrase.is_empty() && !lane.answer_within.is_zero());
            }
            for (n, cart) in config.carts.iter().enumerate() {
                assert!(config.carts[..n].iter().all(|other| other.id != cart.id));
            }
        }
        Err(why) => names_a_line(&why.to_string(), "hub.toml line ", text),
    }
}

fn names_a_line(why: &str, before: &str, text: &str) {
    let rest = why.strip_prefix(before).unwrap_or_else(|| panic!("no file and line in: {why}"));
    let line: usize = right(rest.split(':').next().unwrap_or_default().parse());
    assert!((1..=text.matches('\n').count() + 1).contains(&line), "{why}");
}

/// A board that is right is written and read again as the same.
fn board(text: &str) {
    let Ok(board) = toml::from_str::<BoardConfig>(text) else { return };
    match board.validate() {
        Ok(()) => {
            let again: BoardConfig = right(toml::from_str(&right(toml::to_string(&board))));
            assert_eq!(again, board);
            assert!(again.validate().is_ok());
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let key = BASE64_URL_SAFE_NO_PAD.encode(KEY.verifying_key().to_bytes());
    let hub = include_str!("sample/hub.toml").replace("PUBLIC-KEY", &key);
    [
        ("hub", hub.as_str()),
        ("hub-external", "store = \"s\"\ndata = \"d\"\ncatalogue = \"c\"\nbus = { external = \"broker:1883\" }\nhttp = \"[::1]:0\"\n"),
        ("board-sim", "name = \"sim\"\ncameras = [{ driver = \"sim\" }]\nscale = { driver = \"sim\" }\nmotion = { driver = \"sim\" }\n"),
        ("board", include_str!("sample/board.toml")),
    ]
    .map(|(name, text)| (name, text.as_bytes().to_vec()))
    .into()
}
