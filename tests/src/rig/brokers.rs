//! The brokers that the rig can have: one mosquitto without a memory, or three NATS servers that keep everything
//! three times.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::part::Part;
use crate::place::free_port;
use crate::process::wait_for;

/// Which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// mosquitto.
    Mosquitto,
    /// Three NATS servers with JetStream; the program is this.
    Nats(PathBuf),
}

/// The running brokers.
pub struct Brokers {
    /// A program each.
    pub parts: Vec<Part>,
    /// Where MQTT is spoken, one each.
    pub mqtt: Vec<SocketAddr>,
}

impl Brokers {
    /// Starts them, and waits until they take clients: three NATS servers have to find each other first.
    ///
    /// # Errors
    /// When a program is missing, or does not start.
    pub fn open(kind: &Kind, folder: &Path, logs: &Path) -> anyhow::Result<Self> {
        let (mut parts, mqtt) = match kind {
            Kind::Mosquitto => mosquitto(folder, logs)?,
            Kind::Nats(program) => nats(program, folder, logs)?,
        };
        parts.iter_mut().try_for_each(Part::start)?;
        for at in &mqtt {
            wait_for("a broker", || Ok(takes_clients(*at)))?;
        }
        Ok(Self { parts, mqtt })
    }
}

fn takes_clients(at: SocketAddr) -> Option<()> {
    // MQTT 3.1.1, a clean session of the client "rig" that keeps alive for ten seconds.
    const CONNECT: &[u8] = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x0a\x00\x03rig";
    const ACCEPTED: [u8; 4] = [0x20, 0x02, 0x00, 0x00];
    let mut line = TcpStream::connect(at).ok()?;
    line.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    line.write_all(CONNECT).ok()?;
    let mut answer = [0; 4];
    line.read_exact(&mut answer).ok()?;
    (answer == ACCEPTED).then_some(())
}

fn mosquitto(folder: &Path, logs: &Path) -> anyhow::Result<(Vec<Part>, Vec<SocketAddr>)> {
    let places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"];
    let Some(program) = places.into_iter().find(|path| Path::new(path).is_file()) else {
        bail!("mosquitto is missing: apt-get install mosquitto");
    };
    let at = free_port()?;
    let config = folder.join("mosquitto.conf");
    // With no memory over a restart: the journals are the truth.
    let text = format!(
        "listener {} {}\nallow_anonymous true\npersistence false\nuser root\nlog_type warning\nlog_type error\n",
        at.port(),
        at.ip()
    );
    std::fs::write(&config, text)?;
    let part = Part::new("mosquitto", logs.join("mosquitto.log"), move || {
        let mut broker = Command::new(program);
        broker.arg("-c").arg(&config);
        Ok(broker)
    });
    Ok((vec![part], vec![at]))
}

fn nats(program: &Path, folder: &Path, logs: &Path) -> anyhow::Result<(Vec<Part>, Vec<SocketAddr>)> {
    let ports = (0..3).map(|_| Ok([free_port()?, free_port()?, free_port()?])).collect::<anyhow::Result<Vec<_>>>()?;
    let routes: Vec<String> = ports.iter().map(|[_, cluster, _]| format!("\"nats://{cluster}\"")).collect();
    let mut parts = Vec::new();
    for (n, [client, cluster, mqtt]) in ports.iter().enumerate() {
        let name = format!("nats-{}", n + 1);
        let config = folder.join(format!("{name}.conf"));
        let store = folder.join(&name);
        let text = format!(
            "server_name: {name}\nlisten: \"{client}\"\nmqtt {{ listen: \"{mqtt}\", stream_replicas: 3 }}\n\
             jetstream {{ store_dir: {:?}, sync_interval: always }}\n\
             cluster {{ name: rig, listen: \"{cluster}\", routes: [{}] }}\n",
            store.display().to_string(),
            routes.join(", ")
        );
        std::fs::write(&config, text).with_context(|| config.display().to_string())?;
        let program = program.to_owned();
        parts.push(Part::new(&name, logs.join(format!("{name}.log")), move || {
            let mut server = Command::new(&program);
            server.arg("-c").arg(&config);
            Ok(server)
        }));
    }
    Ok((parts, ports.into_iter().map(|[.., mqtt]| mqtt).collect()))
}
