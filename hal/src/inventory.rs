//! What is attached to this machine, and plainly what is missing and what to do about it.
//!
//! Nothing is opened for work here: the kernel's own lists are read, so that `trundle devices` tells
//! the same story whether or not a board file is right, and while a cart is running. A node that
//! exists but may not be opened by this user is the commonest trouble of a fresh cart, so it has a
//! word of its own.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use crate::driver::sysfs::{names_in, read_text};
use crate::driver::sysfs_battery::feeds_the_cart;

/// The folders in which the kernel shows devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The device nodes, `/dev`.
    pub dev: PathBuf,
    /// The kernel's objects, `/sys`.
    pub sys: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { dev: "/dev".into(), sys: "/sys".into() }
    }
}

/// Whether a device can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    Present,
    /// It is there, and cannot be used as it is.
    Barred {
        /// What a person can do, a whole sentence.
        remedy: String,
    },
    /// There is none of its kind.
    Missing {
        /// What a person can do, a whole sentence.
        remedy: String,
    },
}

/// One device, or one kind of device that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its kind in words: `camera`, `scale`, `motion`, `battery`, `gpio`, `i2c`, `hid`, `serial`, or
    /// `iio` for a sensor that the cart has no use for.
    pub kind: &'static str,
    /// Maker's name and model, as the kernel gives it; empty when missing.
    pub model: String,
    /// Where it is attached: what a board file would name. When missing: where it was looked for.
    pub port: String,
    /// Whether it can be used.
    pub presence: Presence,
}

impl fmt::Display for Found {
    /// One line for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, model, port, presence } = self;
        match presence {
            Presence::Present => write!(f, "{kind:<8} {port}  {model}"),
            Presence::Barred { remedy } => write!(f, "{kind:<8} {port}  {model}: cannot be used. {remedy}"),
            Presence::Missing { remedy } => write!(f, "{kind:<8} missing under {port}. {remedy}"),
        }
    }
}

/// Everything that is there, kind by kind, with a line for each kind that is missing.
pub fn inventory(roots: &Roots) -> Vec<Found> {
    let mut all = Vec::new();
    all.extend(or_missing(cameras(roots), &CAMERA, roots));
    let sensors = sensors(roots);
    for kind in [&SCALE, &MOTION] {
        let of_kind = sensors.iter().filter(|found| found.kind == kind.kind).cloned().collect();
        all.extend(or_missing(of_kind, kind, roots));
    }
    all.extend(sensors.into_iter().filter(|found| found.kind == "iio"));
    all.extend(or_missing(batteries(roots), &BATTERY, roots));
    for kind in [&GPIO, &I2C, &HID, &SERIAL] {
        all.extend(or_missing(nodes(roots, kind), kind, roots));
    }
    all
}

/// A kind of device: where its nodes are, who may use them, what to do when there is none.
struct Kind {
    kind: &'static str,
    /// Beginnings of its nodes' names in `/dev`.
    nodes: &'static [&'static str],
    /// The folder in `/sys` that lists it.
    class: &'static str,
    /// The file with the model, below the device's own folder in `class`.
    model: &'static str,
    /// The group that Debian and Raspberry Pi OS let use the node.
    group: &'static str,
    /// What to do when there is none.
    when_missing: &'static str,
}

const CAMERA: Kind = Kind {
    kind: "camera",
    nodes: &["video"],
    class: "class/video4linux",
    model: "name",
    group: "video",
    when_missing: "Plug in a USB camera; one on a ribbon cable needs its overlay in config.txt. Without one the cart \
                   knows things by hand scanner and touch only.",
};

const SCALE: Kind = Kind {
    kind: "scale",
    nodes: &[],
    class: "bus/iio/devices",
    model: "name",
    group: "",
    when_missing: "Load the kernel's hx711 driver with the pins it is wired to, or set scale.driver = \"hx711\" with its \
                   pins in the board file (that one cannot be seen from here).",
};

const MOTION: Kind = Kind {
    kind: "motion",
    nodes: &[],
    class: "bus/iio/devices",
    model: "name",
    group: "",
    when_missing: "Switch the I2C bus on and load the accelerometer's kernel driver. Without one a bump of the cart can \
                   look like a change of weight.",
};

const BATTERY: Kind = Kind {
    kind: "battery",
    nodes: &[],
    class: "class/power_supply",
    model: "model_name",
    group: "",
    when_missing: "Load the fuel gauge's kernel driver, or set battery.driver = \"none\" for a cart on mains.",
};

const GPIO: Kind = Kind {
    kind: "gpio",
    nodes: &["gpiochip"],
    class: "bus/gpio/devices",
    model: "of_node/compatible",
    group: "gpio",
    when_missing: "Light, sounder and hx711 on pins need a board with GPIO; on others set their driver to \"none\".",
};

const I2C: Kind = Kind {
    kind: "i2c",
    nodes: &["i2c-"],
    class: "class/i2c-dev",
    model: "name",
    group: "i2c",
    when_missing: "Needed only for sensors on that bus: switch it on (dtparam=i2c_arm=on in config.txt) and load i2c-dev.",
};

const HID: Kind = Kind {
    kind: "hid",
    nodes: &["hidraw"],
    class: "class/hidraw",
    model: "device/uevent",
    group: "input",
    when_missing: "Needed only for a USB scale or hand scanner: plug it in.",
};

const SERIAL: Kind = Kind {
    kind: "serial",
    nodes: &["ttyUSB", "ttyACM"],
    class: "class/tty",
    model: "device/uevent",
    group: "dialout",
    when_missing: "Needed only for a scale on a serial line: plug in its adapter.",
};

fn or_missing(found: Vec<Found>, kind: &Kind, roots: &Roots) -> Vec<Found> {
    if !found.is_empty() {
        return found;
    }
    let port = match kind.nodes {
        [] => roots.sys.join(kind.class).display().to_string(),
        nodes => {
            nodes.iter().map(|node| roots.dev.join(node).display().to_string() + "*").collect::<Vec<_>>().join(", ")
        }
    };
    let presence = Presence::Missing { remedy: kind.when_missing.into() };
    vec![Found { kind: kind.kind, model: String::new(), port, presence }]
}

/// Video nodes that give pictures; a camera's further nodes carry data about them.
fn cameras(roots: &Roots) -> Vec<Found> {
    let first = |found: &Found| {
        let name = Path::new(&found.port).file_name().unwrap_or_default();
        let index = read_text(&roots.sys.join(CAMERA.class).join(name).join("index"));
        index.map_or(true, |index| index == "0")
    };
    nodes(roots, &CAMERA).into_iter().filter(first).collect()
}

/// Sensors behind the kernel's IIO, by what they measure.
fn sensors(roots: &Roots) -> Vec<Found> {
    let folder = roots.sys.join(SCALE.class);
    let devices = names_in(&folder).into_iter().filter(|name| name.starts_with("iio:device"));
    devices
        .map(|port| {
            let device = folder.join(&port);
            let model = read_text(&device.join("name")).unwrap_or_default();
            let kind = if device.join("in_accel_x_raw").exists() {
                MOTION.kind
            } else if device.join("in_voltage0_raw").exists() {
                SCALE.kind
            } else {
                "iio"
            };
            Found { kind, model, port, presence: Presence::Present }
        })
        .collect()
}

/// Supplies that feed the cart; the charger and the batteries of other devices are no news here.
fn batteries(roots: &Roots) -> Vec<Found> {
    let folder = roots.sys.join(BATTERY.class);
    let names = names_in(&folder).into_iter().filter(|name| feeds_the_cart(&folder.join(name)));
    names
        .map(|port| {
            let supply = folder.join(&port);
            let parts = ["manufacturer", BATTERY.model].iter().filter_map(|file| read_text(&supply.join(file)).ok());
            let model = parts.collect::<Vec<_>>().join(" ");
            let presence = match read_text(&supply.join("present")) {
                Ok(text) if text == "0" => {
                    Presence::Barred { remedy: "The gauge is there: put the battery in.".into() }
                }
                _ => Presence::Present,
            };
            Found { kind: BATTERY.kind, model, port, presence }
        })
        .collect()
}

/// Devices with a node in `/dev`, by the nodes and the kernel's list together: in a container the
/// kernel may know a device whose node was not handed in.
fn nodes(roots: &Roots, kind: &Kind) -> Vec<Found> {
    let class = roots.sys.join(kind.class);
    let mut names = names_in(&roots.dev);
    names.extend(names_in(&class).into_iter().filter(|name| !roots.dev.join(name).exists()));
    names.retain(|name| kind.nodes.iter().any(|node| numbered(name, node)));
    names
        .into_iter()
        .map(|name| {
            let node = roots.dev.join(&name);
            let presence = node_presence(&node, kind);
            let model = model(&class.join(&name).join(kind.model));
            Found { kind: kind.kind, model, port: node.display().to_string(), presence }
        })
        .collect()
}

/// True for `video0` and the beginning `video`, not for `video-codec`.
fn numbered(name: &str, beginning: &str) -> bool {
    let number = name.strip_prefix(beginning);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn node_presence(node: &Path, kind: &Kind) -> Presence {
    if !node.exists() {
        let remedy = "The kernel knows it, but its node is not here: hand the node into the container.";
        return Presence::Barred { remedy: remedy.into() };
    }
    // A serial line is not tried: opening it lifts its DTR wire, which resets some devices.
    if kind.kind == SERIAL.kind {
        return Presence::Present;
    }
    match OpenOptions::new().read(true).write(true).open(node) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let remedy = format!("Give this user the group \"{}\" and log in again.", kind.group);
            Presence::Barred { remedy }
        }
        // Busy, for one, is no fault: the cart may be running.
        _ => Presence::Present,
    }
}

/// The model in a file of the kernel: plain text, `HID_NAME=` or `DRIVER=` of an uevent, or the first
/// of a device tree's names, which end in NUL bytes.
fn model(file: &Path) -> String {
    let text = read_text(file).unwrap_or_default();
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let told = value("HID_NAME=").or_else(|| value("DRIVER=")).unwrap_or(&text);
    told.split('\0').next().unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::sysfs::testing::lay_out;

    /// What is told of a machine with `files`, without the lines about kinds that are missing.
    fn check(files: &[(&str, &str)], expected: &[(&str, &str, &str)]) {
        let (root, all) = take(files);
        let there = all.iter().filter(|found| !matches!(found.presence, Presence::Missing { .. }));
        let told: Vec<_> = there
            .map(|found| {
                let port = found.port.replace(&root.path().display().to_string(), "");
                (found.kind, port, found.model.as_str())
            })
            .collect();
        let told: Vec<_> = told.iter().map(|(kind, port, model)| (*kind, port.as_str(), *model)).collect();
        assert_eq!(told, expected);
    }

    fn take(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Found>) {
        let root = tempfile::tempdir().expect("a temporary folder");
        lay_out(root.path(), files);
        let all = inventory(&Roots { dev: root.path().join("dev"), sys: root.path().join("sys") });
        (root, all)
    }

    #[test]
    fn a_bare_machine_is_told_each_kind_it_lacks_and_what_to_do() {
        let (_root, all) = take(&[]);
        let kinds: Vec<&str> = all.iter().map(|found| found.kind).collect();
        assert_eq!(kinds, ["camera", "scale", "motion", "battery", "gpio", "i2c", "hid", "serial"]);
        for found in &all {
            assert!(matches!(&found.presence, Presence::Missing { remedy } if remedy.ends_with('.')), "{found}");
        }
    }

    #[test]
    fn a_cameras_second_node_is_not_a_second_camera() {
        let camera = |node: &str, file: &str| format!("sys/class/video4linux/{node}/{file}");
        let (name, index) = (camera("video0", "name"), camera("video0", "index"));
        let (name1, index1) = (camera("video1", "name"), camera("video1", "index"));
        let files = [("dev/video0", ""), ("dev/video1", ""), ("dev/video-codec", "")];
        let more = [(&*name, "Acme Eye"), (&*index, "0"), (&*name1, "Acme Eye"), (&*index1, "1")];
        check(&[&files[..], &more[..]].concat(), &[("camera", "/dev/video0", "Acme Eye")]);
    }

    #[test]
    fn sensors_are_told_by_what_they_measure() {
        let files = [
            ("sys/bus/iio/devices/iio:device0/name", "hx711"),
            ("sys/bus/iio/devices/iio:device0/in_voltage0_raw", "1"),
            ("sys/bus/iio/devices/iio:device1/name", "lis3dh"),
            ("sys/bus/iio/devices/iio:device1/in_accel_x_raw", "1"),
            ("sys/bus/iio/devices/iio:device2/name", "bme280"),
            ("sys/bus/iio/devices/trigger0/name", "tick"),
        ];
        check(
            &files,
            &[("scale", "iio:device0", "hx711"), ("motion", "iio:device1", "lis3dh"), ("iio", "iio:device2", "bme280")],
        );
    }

    #[test]
    fn batteries_pins_buses_and_cables_are_told_by_name_and_port() {
        let files = [
            ("sys/class/power_supply/AC/type", "Mains"),
            ("sys/class/power_supply/BAT0/type", "Battery"),
            ("sys/class/power_supply/BAT0/model_name", "A1"),
            ("dev/gpiochip0", ""),
            ("sys/bus/gpio/devices/gpiochip0/of_node/compatible", "raspberrypi,rp1-gpio\0"),
            ("dev/i2c-1", ""),
            ("sys/class/i2c-dev/i2c-1/name", "bcm2835 (i2c@7e804000)"),
            ("dev/hidraw0", ""),
            ("sys/class/hidraw/hidraw0/device/uevent", "DRIVER=hid-generic\nHID_NAME=Acme Scale"),
            ("dev/ttyUSB0", ""),
            ("sys/class/tty/ttyUSB0/device/uevent", "DRIVER=ftdi_sio"),
            ("dev/tty1", ""),
        ];
        let expected = [
            ("battery", "BAT0", "A1"),
            ("gpio", "/dev/gpiochip0", "raspberrypi,rp1-gpio"),
            ("i2c", "/dev/i2c-1", "bcm2835 (i2c@7e804000)"),
            ("hid", "/dev/hidraw0", "Acme Scale"),
            ("serial", "/dev/ttyUSB0", "ftdi_sio"),
        ];
        check(&files, &expected);
    }

    #[test]
    fn a_device_that_is_there_but_cannot_be_used_says_why() {
        let (_root, all) = take(&[
            ("sys/class/video4linux/video0/name", "Acme Eye"),
            ("sys/class/power_supply/BAT0/type", "Battery"),
            ("sys/class/power_supply/BAT0/present", "0"),
        ]);
        let barred = all.iter().filter(|found| matches!(found.presence, Presence::Barred { .. }));
        let told: Vec<String> = barred.map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{all:?}");
        assert!(told[0].contains("Acme Eye") && told[0].contains("container"), "{}", told[0]);
        assert!(told[1].contains("put the battery in"), "{}", told[1]);
    }
}
