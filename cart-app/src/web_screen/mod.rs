//! The cart's screen in a browser, for machines without a display. What staff see who are let look is another thing:
//! [`crate::looks`].
//!
//! The very markup and adapters of the touch window, drawn in memory. What changes travels as PNG over a
//! WebSocket; pointer and keys come back. It listens on this machine only, and only who has a token
//! gets in; the token says whether it is a hand or only an eye ([`Rights`]).
//!
//! ```text
//! event loop (this thread)                      server (a thread of its own)
//!   Slint draws ─► Frames::publish ─► dirty regions of each viewer ─► PNG ─► WebSocket ─► canvas
//!   Slint takes ◄─ Hand ◄───────────── bounded channel ◄─ protocol ◄──────── WebSocket ◄─ touch
//! ```
//!
//! The event loop never waits for the network: it leaves what it drew in `Frames` and goes on. A viewer
//! that is slow gets fewer pictures, each of them the newest. Gestures are waited with, not the screen: a
//! viewer that sends ten thousand is not read from until its first have been taken.
//!
//! Deliberately absent: TLS and any address but loopback. From another machine the way here is an SSH
//! tunnel. The canvas is a picture; what is on it is not told to a screen reader.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use slint::PhysicalSize;
use slint::platform::SetPlatformError;
use tokio::sync::watch;

mod dirty;
mod event_loop;
mod frames;
mod hand;
mod page;
mod protocol;
mod server;
mod token;
mod update;
mod viewer;

use event_loop::InBrowser;
use frames::Frames;
use token::Keys;

pub use token::Rights;

/// The most pixels a side may have: Slint's renderer counts in 16 bits, and so does an update.
const LONGEST_SIDE: u32 = 8_192;

/// Why the screen cannot be shown in a browser.
#[derive(Debug, thiserror::Error)]
pub enum WebScreenError {
    /// The port is taken, or not ours to take.
    #[error("port {port} of this machine cannot be listened on: {source}; choose another with --port, or none for any")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// This process already shows a window, or this very screen.
    #[error("this program already has a window system; a screen in the browser must be the first and only one")]
    PlatformTaken(#[from] SetPlatformError),
    /// Nothing can be drawn in that size.
    #[error("a screen of {width} × {height} pixels cannot be drawn")]
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// There is no randomness to be had for the tokens.
    #[error("this machine gives no random numbers")]
    Random(#[from] getrandom::Error),
    /// The server's thread cannot be had.
    #[error("the server of the screen cannot be started")]
    Server(#[source] std::io::Error),
}

/// The screen in the browser: made before the window, on the thread that then makes the window and runs it.
pub struct WebScreen {
    address: SocketAddr,
    keys: Arc<Keys>,
    stop: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
}

impl WebScreen {
    /// Takes this thread for a window of `width` × `height` pixels, and serves it at `port`, 0 for any that
    /// is free. Viewers may come at once; they see something as soon as the window runs.
    ///
    /// # Errors
    /// [`WebScreenError`], each with what can be done about it.
    pub fn open(width: u32, height: u32, port: u16) -> Result<Self, WebScreenError> {
        if !(1..=LONGEST_SIDE).contains(&width) || !(1..=LONGEST_SIDE).contains(&height) {
            return Err(WebScreenError::Size { width, height });
        }
        let size = PhysicalSize::new(width, height);
        let keys = Arc::new(Keys::new()?);
        let at_port = |source| WebScreenError::Port { port, source };
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(at_port)?;
        let address = socket.local_addr().map_err(at_port)?;
        let frames = Arc::new(Frames::new(size));
        let (platform, gestures) = InBrowser::new(size, frames.clone());
        slint::platform::set_platform(Box::new(platform))?;
        let (stop, stopped) = watch::channel(false);
        let desk = server::Desk { frames, gestures, keys: keys.clone(), stopped };
        let server = server::start(socket, desk).map_err(WebScreenError::Server)?;
        Ok(Self { address, keys, stop, server: Some(server) })
    }

    /// Where it is served: always this machine.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address to open, with the token. Whoever has it has the rights: it is for the terminal, never
    /// for a log.
    pub fn url(&self, rights: Rights) -> String {
        // The part after # stays in the browser: it is in no request, so in no log and no Referer.
        format!("http://{}/#{}", self.address, self.keys.text(rights))
    }
}

impl Drop for WebScreen {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if self.server.take().is_some_and(|server| server.join().is_err()) {
            tracing::warn!("the server of the screen ended with a fault");
        }
    }
}
