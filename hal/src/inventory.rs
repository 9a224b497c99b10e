//! What is attached to this machine, and plainly what is not. `trundle devices` prints it.

use std::fs;
use std::path::{Path, PathBuf};

/// Where to look; [`Roots::machine`] on a cart, a temporary folder in a test.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Device nodes: `/dev`.
    pub dev: PathBuf,
    /// The kernel's description of devices: `/sys`.
    pub sys: PathBuf,
}

impl Roots {
    /// This machine's.
    pub fn machine() -> Self {
        Self { dev: "/dev".into(), sys: "/sys".into() }
    }
}

/// Whether a device is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is there; the text says what it is.
    There(String),
    /// It is not; the text says what to do.
    Missing(String),
}

/// One line of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The kind of device in words, such as `camera`.
    pub device: &'static str,
    /// Where it is, or where it was looked for.
    pub port: String,
    /// Whether it is there.
    pub presence: Presence,
}

struct Kind {
    device: &'static str,
    folder: PathBuf,
    prefix: &'static str,
    /// The file under an entry that names it; empty when there is none.
    name_file: PathBuf,
    remedy: &'static str,
}

/// Looks once; nothing is opened or changed.
pub fn inventory(roots: &Roots) -> Vec<Found> {
    let (dev, sys) = (&roots.dev, &roots.sys);
    let kinds = [
        Kind {
            device: "camera",
            folder: sys.join("class/video4linux"),
            prefix: "video",
            name_file: "name".into(),
            remedy: "Plug a V4L2 camera in (driver = \"nokhwa\"); on a Pi enable it in config.txt.",
        },
        Kind {
            device: "scale or motion sensor (IIO)",
            folder: sys.join("bus/iio/devices"),
            prefix: "iio:device",
            name_file: "name".into(),
            remedy: "Load the overlay of the HX711 or the accelerometer (driver = \"iio\"), or read the scale by pins (driver = \"hx711\").",
        },
        Kind {
            device: "battery or charger",
            folder: sys.join("class/power_supply"),
            prefix: "",
            name_file: "type".into(),
            remedy: "Load the overlay of the fuel gauge (driver = \"sysfs\").",
        },
        Kind {
            device: "GPIO chip",
            folder: dev.clone(),
            prefix: "gpiochip",
            name_file: PathBuf::new(),
            remedy: "Light and sounder (driver = \"gpio\") need a board with GPIO and its kernel driver.",
        },
        Kind {
            device: "I2C bus",
            folder: dev.clone(),
            prefix: "i2c-",
            name_file: PathBuf::new(),
            remedy: "Enable I2C (dtparam=i2c_arm=on) and load i2c-dev; fuel gauges and sensors sit on it.",
        },
    ];
    kinds.iter().flat_map(look).collect()
}

fn look(kind: &Kind) -> Vec<Found> {
    let mut names: Vec<String> = fs::read_dir(&kind.folder)
        .map(|entries| entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    names.retain(|name| name.starts_with(kind.prefix));
    names.sort();
    if names.is_empty() {
        let port = format!("{}/{}*", kind.folder.display(), kind.prefix);
        return vec![Found { device: kind.device, port, presence: Presence::Missing(kind.remedy.into()) }];
    }
    let found = |name: String| {
        let path = kind.folder.join(&name);
        let what = described(&path, &kind.name_file).unwrap_or(name);
        Found { device: kind.device, port: path.display().to_string(), presence: Presence::There(what) }
    };
    names.into_iter().map(found).collect()
}

fn described(path: &Path, name_file: &Path) -> Option<String> {
    if name_file.as_os_str().is_empty() {
        return None;
    }
    fs::read_to_string(path.join(name_file)).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_named_and_what_is_missing_comes_with_a_remedy() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let roots = Roots { dev: root.path().join("dev"), sys: root.path().join("sys") };
        let camera = roots.sys.join("class/video4linux/video0");
        fs::create_dir_all(&camera).expect("a folder");
        fs::write(camera.join("name"), "vivid-000-vid-cap\n").expect("a file");
        fs::create_dir_all(&roots.dev).expect("a folder");
        fs::write(roots.dev.join("gpiochip0"), "").expect("a file");

        let found = inventory(&roots);
        let there: Vec<(&str, &str)> = found
            .iter()
            .filter_map(|found| match &found.presence {
                Presence::There(what) => Some((found.device, what.as_str())),
                Presence::Missing(_) => None,
            })
            .collect();
        assert_eq!(there, [("camera", "vivid-000-vid-cap"), ("GPIO chip", "gpiochip0")]);
        let missing = found.iter().filter(|found| matches!(&found.presence, Presence::Missing(remedy) if !remedy.is_empty()));
        assert_eq!(missing.count(), 3);
    }
}
