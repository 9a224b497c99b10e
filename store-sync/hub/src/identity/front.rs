//! The front of the broker inside: ends TLS, knows whose certificate opened a connection, and passes on
//! to the broker on loopback what that cart may send.
//!
//! Each packet is read and written anew, so that the broker gets what was judged and not other bytes
//! that it might read in another way. A connection ends when its cart is revoked or its
//! certificate expires, also while it is open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::Packet;
use rumqttc::mqttbytes::{Error as MqttError, check};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use trip::{CartId, StoreId};

use super::rights::{Breach, Rights};
use super::roster::Roster;
use super::tls;
use crate::bus::MAX_PAYLOAD_BYTES;

/// A handshake and the CONNECT after it may take so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who is not known yet; more wait in the system's queue.
const MOST_STRANGERS: usize = 256;
/// A packet's topic and header beside its payload.
const HEADER_BYTES: usize = 1024;
const LARGEST: usize = MAX_PAYLOAD_BYTES + HEADER_BYTES;
/// After an error of the listening socket, such as no more file handles.
const REST: Duration = Duration::from_millis(100);

/// Why a connection ended that the cart did not end itself.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("it did not say who it is in time")]
    Slow,
    #[error("TLS: {0}")]
    Handshake(std::io::Error),
    #[error("its certificate counts no more")]
    Stranger,
    #[error("it may not do this: {0}")]
    Breach(#[from] Breach),
    #[error("it speaks no MQTT: {0}")]
    Mqtt(MqttError),
    #[error("the connection broke: {0}")]
    Broken(std::io::Error),
    #[error("the broker inside does not answer: {0}")]
    Broker(std::io::Error),
}

/// Where the front stands.
#[derive(Clone)]
pub struct Front {
    /// TLS, with a certificate asked of everyone.
    pub tls: Arc<ServerConfig>,
    /// The broker on loopback.
    pub broker: SocketAddr,
    /// The store.
    pub store: StoreId,
    /// Who is let in.
    pub roster: watch::Receiver<Arc<Roster>>,
}

impl Front {
    /// Serves `listener` for ever.
    pub async fn serve(self, listener: TcpListener) {
        let strangers = Arc::new(Semaphore::new(MOST_STRANGERS));
        loop {
            let Ok(permit) = strangers.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((socket, from)) => {
                    let front = self.clone();
                    tokio::spawn(async move {
                        match front.connection(socket, permit).await {
                            Ok(()) => {}
                            Err(why @ (Ended::Breach(_) | Ended::Stranger)) => {
                                tracing::warn!(%from, %why, "a cart's connection was ended");
                            }
                            Err(why) => tracing::debug!(%from, %why, "a connection ended"),
                        }
                    });
                }
                Err(why) => {
                    tracing::warn!(%why, "no connection can be taken");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn connection(&self, socket: TcpStream, permit: tokio::sync::OwnedSemaphorePermit) -> Result<(), Ended> {
        let handshake = tokio::time::timeout(PATIENCE, TlsAcceptor::from(self.tls.clone()).accept(socket));
        let mut cart_side = handshake.await.map_err(|_| Ended::Slow)?.map_err(Ended::Handshake)?;
        let cart = self.holder(&cart_side).ok_or(Ended::Stranger)?;
        let mut rights = Rights::new(self.store.clone(), cart.clone());
        let mut waiting = BytesMut::new();
        let connect = tokio::time::timeout(PATIENCE, next(&mut cart_side, &mut waiting));
        let Some(connect) = connect.await.map_err(|_| Ended::Slow)?? else { return Ok(()) };
        rights.judge(&connect)?;
        drop(permit);
        let mut broker = TcpStream::connect(self.broker).await.map_err(Ended::Broker)?;
        broker.set_nodelay(true).map_err(Ended::Broker)?;
        cart_side.get_ref().0.set_nodelay(true).map_err(Ended::Broken)?;
        write(&mut broker, &connect).await?;
        tracing::debug!(%cart, "a cart is on the line");
        tokio::select! {
            result = self.pass_on(&mut cart_side, &mut broker, rights, waiting) => result,
            ended = self.no_more(&cart) => Err(ended),
        }
    }

    fn holder(&self, connection: &TlsStream<TcpStream>) -> Option<CartId> {
        tls::holder(connection.get_ref().1, &self.roster.borrow(), super::now_s())
    }

    /// Returns once `cart` is let in no more.
    async fn no_more(&self, cart: &CartId) -> Ended {
        let mut roster = self.roster.clone();
        loop {
            let now_s = super::now_s();
            let until_s = {
                let roster = roster.borrow_and_update();
                if roster.revoked.contains(cart) {
                    return Ended::Stranger;
                }
                let own = roster.certificates.values().filter(|(holder, _)| holder == cart);
                own.map(|(_, not_after_s)| *not_after_s).max()
            };
            let Some(left_s) = until_s.and_then(|until| until.checked_sub(now_s)) else { return Ended::Stranger };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(left_s + 1)) => {}
                changed = roster.changed() => if changed.is_err() {
                    return Ended::Stranger;
                }
            }
        }
    }

    async fn pass_on(
        &self,
        cart: &mut TlsStream<TcpStream>,
        broker: &mut TcpStream,
        mut rights: Rights,
        mut waiting: BytesMut,
    ) -> Result<(), Ended> {
        let (mut from_cart, mut to_cart) = tokio::io::split(cart);
        let (mut from_broker, mut to_broker) = broker.split();
        let up = async {
            while let Some(packet) = next(&mut from_cart, &mut waiting).await? {
                rights.judge(&packet)?;
                write(&mut to_broker, &packet).await?;
            }
            Ok::<(), Ended>(())
        };
        // What comes down was subscribed to, and that was judged.
        let down = tokio::io::copy(&mut from_broker, &mut to_cart);
        tokio::select! {
            result = up => result,
            result = down => result.map(drop).map_err(Ended::Broken),
        }
    }
}

/// The next packet; `None` at the end of the stream.
async fn next(from: &mut (impl AsyncReadExt + Unpin), waiting: &mut BytesMut) -> Result<Option<Packet>, Ended> {
    loop {
        match check(waiting.iter(), LARGEST) {
            // One that is framed must be readable: what is not is no packet, and more bytes will not mend it.
            Ok(_) => return Packet::read(waiting, LARGEST).map(Some).map_err(Ended::Mqtt),
            Err(MqttError::InsufficientBytes(_)) => {}
            Err(other) => return Err(Ended::Mqtt(other)),
        }
        if from.read_buf(waiting).await.map_err(Ended::Broken)? == 0 {
            return Ok(None);
        }
    }
}

async fn write(to: &mut (impl AsyncWriteExt + Unpin), packet: &Packet) -> Result<(), Ended> {
    let mut bytes = BytesMut::new();
    packet.write(&mut bytes, LARGEST + HEADER_BYTES).map_err(Ended::Mqtt)?;
    to.write_all(&bytes).await.map_err(Ended::Broker)
}
