//! What a hub says that cannot start.

use std::io::Read;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::harness::GOODS;

#[test]
fn a_hub_that_cannot_start_says_why_and_fails() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound");
    std::fs::write(path("goods.toml"), GOODS).expect("written");
    std::fs::write(path("a-file"), "").expect("written");
    let right = "store = \"s\"\ndata = \"hub\"\ncatalogue = \"goods.toml\"\nbus = { listen = \"127.0.0.1:0\" }\nhttp = \"127.0.0.1:0\"\n";
    let check = |config: String, part: &str| {
        std::fs::write(path("hub.toml"), config).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_store-hub"))
            .args(["--config", &path("hub.toml")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        let status = child.wait().expect("it ends");
        assert!(!status.success() && said.contains(part), "expected {part:?}: {said}");
    };
    check(format!("{right}colour = 1\n"), "hub.toml line 6");
    check(right.replace("goods.toml", "none.toml"), "none.toml");
    check(right.replace("\"hub\"", "\"a-file\""), "a-file");
    check(
        right.replace("bus = { listen = \"127.0.0.1:0\"", &format!("bus = {{ listen = \"{port}\"")),
        &port.to_string(),
    );
    check(right.replace("http = \"127.0.0.1:0\"", &format!("http = \"{port}\"")), &port.to_string());
}
