//! A line that can be broken: a TCP proxy on loopback, one for each end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// As it should be.
    Fair,
    /// Nobody gets through, and who was through is cut off.
    Cut,
    /// Everything stands still, and nothing is lost: it comes all at once when the line is well again.
    Stalled,
    /// Each piece takes so many milliseconds more, in either direction.
    Slow(u16),
    /// What the broker hands on comes twice, and what follows at once overtakes it.
    Stutters,
}

/// The line; it ends with its owner.
pub struct Proxy {
    /// Where it listens, all the time.
    pub address: SocketAddr,
    weather: watch::Sender<Weather>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Leads to a terminal, which does not speak MQTT: its line never stutters.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn to_terminal(runtime: &tokio::runtime::Runtime, to: SocketAddr) -> anyhow::Result<Self> {
        Self::open(runtime, vec![to], false)
    }

    /// Leads to the first of these brokers that listens, beginning with another one each time.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn to_brokers(runtime: &tokio::runtime::Runtime, to: &[SocketAddr]) -> anyhow::Result<Self> {
        Self::open(runtime, to.to_vec(), true)
    }

    fn open(runtime: &tokio::runtime::Runtime, to: Vec<SocketAddr>, mqtt: bool) -> anyhow::Result<Self> {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("a port for a proxy")?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Fair);
        Ok(Self { address, weather, task: runtime.spawn(accept(listener, to, mqtt, seen)) })
    }

    /// From now on.
    pub fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn accept(listener: TcpListener, mut to: Vec<SocketAddr>, mqtt: bool, weather: watch::Receiver<Weather>) {
    // Until its owner goes.
    while let Ok((client, _)) = listener.accept().await {
        if *weather.borrow() == Weather::Cut {
            continue;
        }
        let weather = weather.clone();
        to.rotate_left(1);
        let to = to.clone();
        tokio::spawn(async move {
            let Some(server) = first_that_listens(&to).await else { return };
            let (client_read, client_write) = client.into_split();
            let (server_read, server_write) = server.into_split();
            // When one direction ends, so does the other.
            tokio::select! {
                () = pass(client_read, server_write, weather.clone(), None) => {}
                () = pass(server_read, client_write, weather, mqtt.then(Packets::default)) => {}
            }
        });
    }
}

async fn first_that_listens(to: &[SocketAddr]) -> Option<TcpStream> {
    for address in to {
        if let Ok(server) = TcpStream::connect(address).await {
            return Some(server);
        }
    }
    None
}

/// Passes on one direction until either end or the weather cuts it; what comes in `packets` can stutter.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    mut packets: Option<Packets>,
) {
    let mut bytes = [0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut bytes) => read,
            cut = weather.wait_for(|weather| *weather == Weather::Cut) => return drop(cut),
        };
        let Ok(count @ 1..) = read else { return };
        let now = *weather.borrow();
        match now {
            Weather::Cut => return,
            Weather::Stalled => {
                let Ok(now) = weather.wait_for(|weather| *weather != Weather::Stalled).await else { return };
                if *now == Weather::Cut {
                    return;
                }
            }
            Weather::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms.into())).await,
            Weather::Fair | Weather::Stutters => {}
        }
        let out = match &mut packets {
            Some(packets) => packets.take(&bytes[..count], now == Weather::Stutters),
            None => bytes[..count].to_vec(),
        };
        if to.write_all(&out).await.is_err() {
            return;
        }
    }
}

/// MQTT packets, found by their length; those that hand a message on can be doubled and swapped.
#[derive(Default)]
struct Packets {
    pending: Vec<u8>,
}

const PUBLISH: u8 = 3;

impl Packets {
    /// What is to be sent on of what has come. A line that never stutters passes everything at once.
    fn take(&mut self, bytes: &[u8], stutters: bool) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let mut whole = Vec::new();
        while let Some(length) = packet_length(&self.pending) {
            let rest = self.pending.split_off(length);
            whole.push(std::mem::replace(&mut self.pending, rest));
        }
        if stutters {
            let published: Vec<usize> = (0..whole.len()).filter(|n| whole[*n][0] >> 4 == PUBLISH).collect();
            published.chunks_exact(2).for_each(|pair| whole.swap(pair[0], pair[1]));
            if let Some(first) = published.first() {
                whole.push(whole[*first].clone());
            }
        }
        whole.concat()
    }
}

/// How long the first packet is, header included; `None` while it has not all come.
fn packet_length(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for (n, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length += usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            let whole = n + 2 + length;
            return (bytes.len() >= whole).then_some(whole);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart_wherever_they_are_cut_and_published_ones_come_twice() {
        let long = [&[0x32, 0x82, 0x01][..], &[7; 130]].concat();
        let stream = [&[0x40, 2, 0, 1][..], &long, &[0x30, 2, 9, 9], &[0xd0, 0]].concat();
        for cut in 0..stream.len() {
            let mut packets = Packets::default();
            let passed = [packets.take(&stream[..cut], false), packets.take(&stream[cut..], false)].concat();
            assert_eq!(passed, stream);
        }
        let stuttered = Packets::default().take(&stream, true);
        let expected = [&[0x40, 2, 0, 1][..], &[0x30, 2, 9, 9], &long, &[0xd0, 0], &[0x30, 2, 9, 9]].concat();
        assert_eq!(stuttered, expected, "swapped, and the first once more");
    }
}
