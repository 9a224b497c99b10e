//! A cart that joins its store with a code and runs over TLS, both as the programs they are, at TRACE: it is on the
//! line, its files are its own, no secret is in a log, and no frame is on its disk.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Receiver;

use anyhow::{Context, ensure};
use tests::process::{Running, assets, command, wait_for};

/// A store with TLS in a folder of its own, and its hub.
struct Store {
    folder: tempfile::TempDir,
    hub: Running,
    _lines: Receiver<String>,
    http: SocketAddr,
    mqtt_tls: SocketAddr,
    http_tls: SocketAddr,
}

impl Store {
    fn open() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let catalogue = toml::Value::from(assets().join("store/catalogue.toml").display().to_string());
        let vendor = release_a_model(folder.path())?;
        let text = format!(
            "store = \"market-street\"\ndata = \"hub\"\ncatalogue = {catalogue}\nbus = {{ listen = \"127.0.0.1:0\" }}\n\
             http = \"127.0.0.1:0\"\n[tls]\nmqtt = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nnames = [\"localhost\"]\n\
             vendor_keys = [\"{vendor}\"]\n"
        );
        std::fs::write(folder.path().join("hub.toml"), text)?;
        let mut hub = command("store-hub")?;
        hub.arg("--config").arg(folder.path().join("hub.toml")).env("RUST_LOG", "trace");
        let (hub, lines) = Running::start_and_listen(hub)?;
        let ready: serde_json::Value = serde_json::from_str(&lines.recv().context("the hub's first line")?)?;
        let address = |name: &str| -> anyhow::Result<SocketAddr> {
            ready[name].as_str().with_context(|| format!("no {name} in {ready}"))?.parse().map_err(Into::into)
        };
        let (http, mqtt_tls, http_tls) = (address("http")?, address("mqtt_tls")?, address("http_tls")?);
        Ok(Self { folder, hub, _lines: lines, http, mqtt_tls, http_tls })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What staff see of the code.
    fn code(&self) -> anyhow::Result<String> {
        let mut hub = command("store-hub")?;
        hub.args(["provision", "--cart", "cart-01", "--config"]).arg(self.path("hub.toml"));
        let (hub, lines) = Running::start_and_listen(hub)?;
        let printed: Vec<String> = lines.iter().collect();
        ensure!(hub.ended()?.code() == 0, "no code");
        let code = printed.iter().map(|line| line.trim()).find(|line| line.len() == 49 && line.contains('-'));
        code.map(str::to_owned).with_context(|| format!("no code in {printed:?}"))
    }

    /// The staff page.
    fn page(&self) -> anyhow::Result<String> {
        let mut socket = TcpStream::connect(self.http)?;
        write!(socket, "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.http)?;
        let mut page = String::new();
        socket.read_to_string(&mut page)?;
        Ok(page)
    }
}

/// Puts a model that a vendor has signed among the hub's releases; the vendor's public key.
fn release_a_model(folder: &Path) -> anyhow::Result<String> {
    let releases = folder.join("hub/releases");
    std::fs::create_dir_all(&releases)?;
    let archive = releases.join("model.tar");
    let mut tar = Command::new("tar");
    tar.arg("-cf").arg(&archive).arg("-C").arg(assets().join("models"));
    ensure!(tar.args(["trainonly.onnx", "trainonly.json", "trainonly.gallery"]).status()?.success(), "no archive");
    let mut hub = command("store-hub")?;
    hub.args(["release", "--kind", "model", "--version", "1", "--key"]).arg(folder.join("vendor.key")).arg(&archive);
    let (hub, lines) = Running::start_and_listen(hub)?;
    let printed: Vec<String> = lines.iter().collect();
    ensure!(hub.ended()?.code() == 0, "no release");
    let key = printed.iter().find_map(|line| line.rsplit_once(": ")).map(|(_, key)| key.to_owned());
    key.with_context(|| format!("no key in {printed:?}"))
}

fn cart_toml(store: &Store) -> anyhow::Result<PathBuf> {
    let data = store.path("cart-01");
    let config = cart_app::demo::cart_config(&assets(), &data, store.mqtt_tls);
    let (host, port) = (store.mqtt_tls.ip().to_string(), store.mqtt_tls.port());
    let secure = config.replace(&format!("port = {port}\n"), &format!("port = {port}\ntls = true\n"));
    ensure!(secure.contains("tls = true"), "no line to {host} in {config}");
    let path = store.path("cart.toml");
    std::fs::write(&path, secure)?;
    Ok(path)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { all.extend(files(&path)?) } else { all.push(path) }
    }
    Ok(all)
}

/// The base64 lines of the private keys in a PEM or JSON text.
fn key_lines(text: &str) -> Vec<String> {
    let keys = text.split("-----BEGIN PRIVATE KEY-----").skip(1);
    let bodies = keys.filter_map(|rest| rest.split("-----END").next());
    bodies
        .flat_map(|body| body.split(['\n', '\\']))
        .map(|l| l.trim_start_matches('n').to_owned())
        .filter(|l| l.len() > 20)
        .collect()
}

#[test]
fn a_cart_joins_and_runs_over_tls_and_nothing_secret_is_in_a_log() -> anyhow::Result<()> {
    let store = Store::open()?;
    let config = cart_toml(&store)?;

    // Without an identity it does not start, and says what to do.
    let mut early = command("cart")?;
    early.args(["run", "--headless", "--config"]).arg(&config);
    let early = Running::start(early)?.ended()?;
    assert!(early.code() != 0 && early.stderr.contains("store-hub provision"), "{}", early.stderr);

    let code = store.code()?;
    let provision = |code: &str| -> anyhow::Result<tests::process::Ended> {
        let mut cart = command("cart")?;
        cart.args(["provision", "--hub", &format!("https://localhost:{}", store.http_tls.port()), "--code", code]);
        cart.arg("--config").arg(&config).env("RUST_LOG", "trace");
        Running::start(cart)?.ended()
    };
    let mistyped = provision(&format!("{}{}", &code[..48], if code.ends_with('0') { '1' } else { '0' }))?;
    assert!(mistyped.code() != 0 && mistyped.stderr.contains("mistyped"), "{}", mistyped.stderr);
    let joined = provision(&code)?;
    assert_eq!(joined.code(), 0, "{}", joined.stderr);

    let run = || -> anyhow::Result<Running> {
        let mut cart = command("cart")?;
        cart.args(["run", "--headless", "--config"]).arg(&config).env("RUST_LOG", "trace");
        Running::start(cart)
    };
    let cart = run()?;
    wait_for("the cart on the staff page", || {
        let page = store.page()?;
        Ok((page.contains("id=\"cart-cart-01\"") && !page.contains(">offline<")).then_some(()))
    })?;
    for kind in ["catalogue", "model"] {
        let release = store.path(&format!("cart-01/releases/{kind}.floor"));
        wait_for(&format!("the {kind} from the hub"), || Ok(release.exists().then_some(())))?;
    }
    cart.interrupt()?;
    let cart = cart.ended()?;
    assert_eq!(cart.code(), 0, "{}", cart.stderr);
    // From its next start on it looks with the model that the vendor has signed.
    let again = run()?;
    wait_for("the released model", || {
        let models = std::fs::read_dir(store.path("cart-01/models")).into_iter().flatten().flatten();
        Ok(models.into_iter().find(|model| model.path().join("trainonly.gallery").exists()))
    })?;
    again.interrupt()?;
    let again = again.ended()?;
    assert_eq!(again.code(), 0, "{}", again.stderr);
    assert!(again.stderr.contains("the released model looks"), "{}", again.stderr);
    let identity = std::fs::read_to_string(store.path("cart-01/identity/identity.json"))?;
    let authority = std::fs::read_to_string(store.path("hub/identity/authority-key.pem"))?;
    let batch_key = std::fs::read_to_string(store.path("cart-01/cart-key"))?;
    store.hub.interrupt()?;
    let Store { hub, folder, .. } = store;
    let hub = hub.ended()?;

    let mut secrets =
        vec![code.clone(), code.replace('-', ""), code[..14].to_owned(), code.replace('-', "")[..12].to_owned()];
    secrets.push(batch_key.trim().to_owned());
    secrets.extend(key_lines(&identity));
    secrets.extend(key_lines(&authority));
    assert!(secrets.len() >= 9, "the test looks for {} things", secrets.len());
    for (whose, log) in [("hub", &hub.stderr), ("cart", &cart.stderr), ("cart provision", &joined.stderr)] {
        let found: Vec<&String> = secrets.iter().filter(|secret| log.contains(secret.as_str())).collect();
        assert!(found.is_empty(), "the log of {whose} holds {} secrets", found.len());
    }
    assert!(cart.stderr.contains("DEBUG") && hub.stderr.contains("DEBUG"), "too little was logged");

    // Frames are on no disk: every file is one that is known, and none is a picture.
    for path in files(&folder.path().join("cart-01"))? {
        let bytes = std::fs::read(&path)?;
        let picture =
            bytes.starts_with(&[0xff, 0xd8, 0xff]) || bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"RIFF");
        let name = path.strip_prefix(folder.path())?.display().to_string();
        let known = ["identity/", "releases/", "models/", "journal.sqlite", "cart-key", "health.json", "simulated"];
        assert!(!picture && known.iter().any(|part| name.contains(part)), "{name} is on the cart's disk");
        if name.contains("identity") || name.contains("cart-key") {
            assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o077, 0, "{name} may be read by others");
        }
    }
    Ok(())
}
