//! Wrong files, full disks, ports that are taken: where a program cannot go on it ends with a code that
//! is not 0 and names the file, the line and what to do.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use cart_app::demo::cart_config;
use cart_vision::Gallery;
use tempfile::TempDir;
use tests::process::{Running, assets, command, wait_for};
use tests::tampered::{cut_short, one_bit_off};

/// A folder with copies of all that a cart and a hub read, to be spoilt one at a time.
struct Spoilt {
    folder: TempDir,
}

impl Spoilt {
    fn new() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        for sub in ["store", "models"] {
            std::fs::create_dir(folder.path().join(sub))?;
        }
        let copied =
            ["store/catalogue.toml", "models/trainonly.onnx", "models/trainonly.json", "models/trainonly.gallery"];
        for name in copied {
            std::fs::copy(assets().join(name), folder.path().join(name))?;
        }
        let spoilt = Self { folder };
        let nowhere = ([127, 0, 0, 1], 9).into();
        std::fs::write(spoilt.at("cart.toml"), cart_config(spoilt.folder.path(), &spoilt.at("cart"), nowhere))?;
        std::fs::write(
            spoilt.at("hub.toml"),
            "store = \"market-street\"\ndata = \"hub\"\ncatalogue = \"store/catalogue.toml\"\n\
             bus = { listen = \"127.0.0.1:0\" }\nhttp = \"127.0.0.1:0\"\n",
        )?;
        Ok(spoilt)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn replace(&self, name: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(self.at(name))?;
        assert!(text.contains(from), "{name} has no {from}");
        Ok(std::fs::write(self.at(name), text.replacen(from, to, 1))?)
    }

    /// The programs' words for a path in the folder.
    fn cart(&self) -> anyhow::Result<Command> {
        let mut cart = command("cart")?;
        cart.args(["play", "--headless", "--terminal-control", "127.0.0.1:9"]);
        cart.arg("--config").arg(self.at("cart.toml")).arg("--receipt-key").arg(self.at("no-key"));
        cart.arg("--trip").arg(assets().join("demo-trips/drawn.toml")).arg("--out").arg(self.at("out"));
        cart.arg("--pictures").arg(assets().join("store/pictures.toml"));
        Ok(cart)
    }

    fn hub(&self) -> anyhow::Result<Command> {
        let mut hub = command("store-hub")?;
        hub.arg("--config").arg(self.at("hub.toml")).env("TRUNDLE_TRUST", self.at("trust"));
        Ok(hub)
    }
}

/// The program ends by itself, not with 0, and its last words contain all of `parts`; it did not panic.
fn refuses(case: &str, program: Command, parts: &[&str]) -> anyhow::Result<()> {
    let ended = Running::start(program)?.ended()?;
    assert!(ended.code() > 0, "{case}: it ended with {:?}: {}", ended.status, ended.stderr);
    for part in parts {
        assert!(ended.stderr.contains(part), "{case}: no \"{part}\" in: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("panicked"), "{case}: {}", ended.stderr);
    Ok(())
}

fn cart_refuses(case: &str, spoil: impl FnOnce(&Spoilt) -> anyhow::Result<()>, parts: &[&str]) -> anyhow::Result<()> {
    let spoilt = Spoilt::new()?;
    spoil(&spoilt)?;
    refuses(case, spoilt.cart()?, parts)
}

fn hub_refuses(case: &str, spoil: impl FnOnce(&Spoilt) -> anyhow::Result<()>, parts: &[&str]) -> anyhow::Result<()> {
    let spoilt = Spoilt::new()?;
    spoil(&spoilt)?;
    refuses(case, spoilt.hub()?, parts)
}

fn remove(path: PathBuf) -> anyhow::Result<()> {
    Ok(std::fs::remove_file(path)?)
}

/// The catalogue with one more product.
fn add_product(spoilt: &Spoilt, rest: &str) -> anyhow::Result<()> {
    let path = spoilt.at("store/catalogue.toml");
    let text = std::fs::read_to_string(&path)?;
    let product = format!("\n[[product]]\nsku = \"another\"\nname = \"Another\"\ntax = \"zero\"\n{rest}\n");
    Ok(std::fs::write(&path, text + &product)?)
}

const TWICE: &str = "gtins = [\"9520001000102\"]\nsale = { each = { price = 100 } }";
const NEGATIVE: &str = "sale = { each = { price = -5 } }";

#[test]
fn a_cart_with_a_wrong_configuration_names_the_file_the_line_and_what_was_expected() -> anyhow::Result<()> {
    let wrong = |from: &'static str, to: &'static str| move |s: &Spoilt| s.replace("cart.toml", from, to);
    cart_refuses("a wrong key", wrong("host =", "hots ="), &["cart.toml, line 7", "hots", "host"])?;
    cart_refuses("a port beyond all ports", wrong("port = 9", "port = 90000"), &["cart.toml, line 8"])?;
    cart_refuses("a word for a number", wrong("port = 9", "port = \"nine\""), &["cart.toml, line 8", "u16"])?;
    cart_refuses(
        "a driver nobody knows",
        wrong("\"sim\" }, {", "\"crystal-ball\" }, {"),
        &["cart.toml", "crystal-ball"],
    )?;
    cart_refuses("no configuration", |s| remove(s.at("cart.toml")), &["cart.toml", "No such file"])
}

#[test]
fn a_cart_without_a_right_model_or_gallery_names_it() -> anyhow::Result<()> {
    let model = |s: &Spoilt| s.at("models/trainonly.onnx");
    let real = || assets().join("models/trainonly.onnx");
    cart_refuses("no model", |s| remove(model(s)), &["trainonly.onnx", "No such file"])?;
    cart_refuses("half a model", |s| cut_short(&real(), &model(s), 0.5), &["trainonly.onnx"])?;
    cart_refuses("an empty model", |s| cut_short(&real(), &model(s), 0.0), &["trainonly.onnx"])?;
    cart_refuses("a model with one bit off", |s| one_bit_off(&real(), &model(s), 70_000), &["trainonly.onnx"])?;
    cart_refuses("no description", |s| remove(s.at("models/trainonly.json")), &["trainonly.json"])?;
    cart_refuses("no gallery", |s| remove(s.at("models/trainonly.gallery")), &["trainonly.gallery"])?;
    let half =
        |s: &Spoilt| cut_short(&assets().join("models/trainonly.gallery"), &s.at("models/trainonly.gallery"), 0.5);
    cart_refuses("half a gallery", half, &["trainonly.gallery", "damaged"])?;
    let other = |s: &Spoilt| Ok(Gallery::new("f00d", 80).save(&s.at("models/trainonly.gallery"))?);
    cart_refuses("another model's gallery", other, &["trainonly.gallery", "f00d", "enrol again"])
}

#[test]
fn a_cart_without_a_right_catalogue_names_it() -> anyhow::Result<()> {
    cart_refuses("none", |s| remove(s.at("store/catalogue.toml")), &["catalogue.toml", "No such file"])?;
    cart_refuses("a GTIN twice", |s| add_product(s, TWICE), &["catalogue.toml", "9520001000102", "oat-drink-1l"])?;
    cart_refuses("a negative price", |s| add_product(s, NEGATIVE), &["catalogue.toml", "another", "negative"])
}

#[test]
fn a_cart_that_cannot_write_says_where() -> anyhow::Result<()> {
    let file = |s: &Spoilt| Ok(std::fs::write(s.at("cart"), "")?);
    cart_refuses("a data folder that is a file", file, &["data folder", "cart"])?;
    let spoilt = Spoilt::new()?;
    refuses("a full disk", on_a_full_disk(&spoilt.cart()?), &["journal.sqlite", "is there space?"])?;
    let key = |s: &Spoilt| {
        std::fs::create_dir(s.at("cart"))?;
        Ok(std::fs::write(s.at("cart/cart-key"), "no key")?)
    };
    cart_refuses("a key that others may read", key, &["cart-key", "chmod 600"])
}

#[test]
fn a_hub_with_a_wrong_file_names_it() -> anyhow::Result<()> {
    let wrong = |s: &Spoilt| s.replace("hub.toml", "http", "htpt");
    hub_refuses("a wrong key", wrong, &["hub.toml line 5", "htpt", "http"])?;
    hub_refuses("no catalogue", |s| remove(s.at("store/catalogue.toml")), &["catalogue.toml"])?;
    hub_refuses("a GTIN twice", |s| add_product(s, TWICE), &["catalogue.toml", "9520001000102"])?;
    hub_refuses("a negative price", |s| add_product(s, NEGATIVE), &["catalogue.toml", "negative"])?;
    hub_refuses("a data folder that is a file", |s| Ok(std::fs::write(s.at("hub"), "")?), &["data folder", "hub"])?;
    let rubbish = |s: &Spoilt| {
        std::fs::create_dir(s.at("hub"))?;
        Ok(std::fs::write(s.at("hub/hub.db"), "this is no database, and long enough to be read as one".repeat(99))?)
    };
    hub_refuses("a database that is none", rubbish, &["hub.db"])?;
    let spoilt = Spoilt::new()?;
    refuses("a full disk", on_a_full_disk(&spoilt.hub()?), &["hub"])
}

#[test]
fn a_hub_whose_port_is_taken_names_it() -> anyhow::Result<()> {
    for listens in ["bus = { listen = \"127.0.0.1:0\" }", "http = \"127.0.0.1:0\""] {
        let other = TcpListener::bind("127.0.0.1:0")?;
        let taken = other.local_addr()?.to_string();
        let take = |s: &Spoilt| s.replace("hub.toml", listens, &listens.replace("127.0.0.1:0", &taken));
        hub_refuses(listens, take, &["cannot listen", &taken])?;
    }
    Ok(())
}

/// Codes and scale go on without sight; only staff and the screen are told.
#[test]
fn a_cart_on_its_board_runs_without_a_model_and_says_so() -> anyhow::Result<()> {
    let spoilt = Spoilt::new()?;
    remove(spoilt.at("models/trainonly.onnx"))?;
    let log = spoilt.at("log");
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" 2>\"$0\""]).arg(&log).arg(command("cart")?.get_program());
    shell.args(["run", "--headless", "--config"]).arg(spoilt.at("cart.toml"));
    let mut cart = Running::start(shell)?;
    wait_for("its word on the model", || {
        assert!(cart.runs()?, "it ended: {}", std::fs::read_to_string(&log)?);
        Ok(std::fs::read_to_string(&log).ok().filter(|text| text.contains("trainonly.onnx")).map(drop))
    })?;
    wait_for("its journal", || Ok(spoilt.at("cart/journal.sqlite").is_file().then_some(())))?;
    assert!(cart.runs()?);
    Ok(())
}

/// No file may grow beyond half a kilobyte, which is what a program meets on a full disk.
fn on_a_full_disk(program: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]).arg(program.get_program());
    shell.args(program.get_args());
    for (name, value) in program.get_envs() {
        let _ = value.map(|value| shell.env(name, value));
    }
    shell.current_dir(Path::new("/"));
    shell
}
