//! One viewer's socket: the token first, then updates out and gestures in.
//!
//! An update is sent when the one before is on the canvas. What changes in between is gathered as
//! rectangles, and their pixels are taken when they are sent: a slow viewer sees fewer pictures, never
//! older ones, and never more than one is under way.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use slint::PhysicalSize;
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout};

use super::frames::Seat;
use super::protocol::{self, Gesture, NotUnderstood, Said, Welcome};
use super::server::Desk;
use super::token::Rights;
use super::update;

/// Who has not shown a token by then is no viewer.
const TOKEN_WITHIN: Duration = Duration::from_secs(5);
/// A message that is not taken off our hands by then has nobody to take it.
const SENT_WITHIN: Duration = Duration::from_secs(20);
/// Asked so often whether it is still there…
const ASK_EVERY: Duration = Duration::from_secs(10);
/// …and gone when nothing was heard for so long.
const SILENT_FOR: Duration = Duration::from_secs(35);
/// So long may it take to say goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// Why a viewer's socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    /// It closed the socket, or the way there is gone.
    Gone,
    WrongToken,
    NoToken,
    Crowded,
    NotUnderstood,
    /// The screen ends.
    Ending,
}

impl Farewell {
    /// Code and reason of the close message. Source: RFC 6455, section 7.4: 4000 to 4999 are ours; the
    /// last three digits say what the same number says in HTTP.
    fn told(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone => None,
            Self::WrongToken => Some((4401, "wrong token: open the address that the terminal shows")),
            Self::NoToken => Some((4408, "no token came")),
            Self::Crowded => Some((4503, "too many are looking already")),
            Self::NotUnderstood => Some((4400, "not understood")),
            Self::Ending => Some((1001, "the cart's screen has ended")),
        }
    }
}

impl From<NotUnderstood> for Farewell {
    fn from(_: NotUnderstood) -> Self {
        Self::NotUnderstood
    }
}

/// Looks after one viewer until it leaves or must.
pub async fn attend(mut socket: WebSocket, mut desk: Desk) {
    let farewell = match welcome(&mut socket, &desk).await {
        Ok((seat, rights)) => {
            let Err(why) = show(&mut socket, &mut desk, &seat, rights).await;
            if rights == Rights::Touch {
                // Its finger may still be down.
                desk.gestures.send(seat.id(), Gesture::Leave).await;
            }
            why
        }
        Err(why) => why,
    };
    tracing::debug!(?farewell, "a viewer of the screen leaves");
    if let Some((code, reason)) = farewell.told() {
        let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
        let goodbye = async {
            if socket.send(close).await.is_ok() {
                // Until it has answered: closed with its words unread, it might not hear ours.
                while let Some(Ok(_)) = socket.recv().await {}
            }
        };
        // Who does not answer in time does not want to.
        drop(timeout(GOODBYE_WITHIN, goodbye).await);
    }
}

/// Lets a viewer in whose first word is a token of ours.
async fn welcome(socket: &mut WebSocket, desk: &Desk) -> Result<(Seat, Rights), Farewell> {
    let size = desk.frames.size();
    let first = timeout(TOKEN_WITHIN, next(socket, size)).await.map_err(|_| Farewell::NoToken)??;
    let Said::Token(token) = first else { return Err(Farewell::NotUnderstood) };
    let rights = desk.keys.rights(&token).ok_or(Farewell::WrongToken)?;
    let seat = desk.frames.join().ok_or(Farewell::Crowded)?;
    let welcome = serde_json::to_string(&Welcome::new(rights, size)).map_err(|_| Farewell::Gone)?;
    send(socket, Message::text(welcome)).await?;
    desk.gestures.wake();
    Ok((seat, rights))
}

/// Shows it the screen, until there is a reason not to.
async fn show(socket: &mut WebSocket, desk: &mut Desk, seat: &Seat, rights: Rights) -> Result<Infallible, Farewell> {
    let size = desk.frames.size();
    let mut sent = 0;
    let mut on_its_way = false;
    let mut heard = Instant::now();
    let mut ask = interval(ASK_EVERY);
    loop {
        tokio::select! {
            () = ended(&mut desk.stopped) => return Err(Farewell::Ending),
            message = next_or_sign(socket, size) => {
                heard = Instant::now();
                match message? {
                    Some(Said::Token(_)) => return Err(Farewell::NotUnderstood),
                    Some(Said::Seen(number)) => on_its_way &= number != sent,
                    Some(Said::Gesture(gesture)) if rights == Rights::Touch => {
                        desk.gestures.send(seat.id(), gesture).await;
                    }
                    // Who may only look is heard, and nothing comes of it.
                    Some(Said::Gesture(_)) | None => {}
                }
            }
            () = seat.changed(), if !on_its_way => {
                let patches = seat.take();
                if patches.is_empty() {
                    continue;
                }
                sent = sent.wrapping_add(1);
                let number = sent;
                // Squeezing takes as long as drawing does; the other viewers' sockets go on meanwhile.
                let squeezed = tokio::task::spawn_blocking(move || update::encode(number, &patches)).await;
                let Ok(Ok(message)) = squeezed else {
                    tracing::warn!("a picture of the screen cannot be written");
                    return Err(Farewell::Gone);
                };
                send(socket, Message::binary(message)).await?;
                on_its_way = true;
            }
            _ = ask.tick() => {
                if heard.elapsed() > SILENT_FOR {
                    return Err(Farewell::Gone);
                }
                send(socket, Message::Ping(Default::default())).await?;
            }
        }
    }
}

/// Waits for the end of the screen; nobody there to tell of it is the end as well.
async fn ended(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Farewell> {
    match timeout(SENT_WITHIN, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Farewell::Gone),
    }
}

/// The next message.
async fn next(socket: &mut WebSocket, size: PhysicalSize) -> Result<Said, Farewell> {
    loop {
        if let Some(said) = next_or_sign(socket, size).await? {
            return Ok(said);
        }
    }
}

/// The next message, or nothing for a mere sign of life.
async fn next_or_sign(socket: &mut WebSocket, size: PhysicalSize) -> Result<Option<Said>, Farewell> {
    match socket.recv().await {
        Some(Ok(Message::Text(text))) => Ok(Some(protocol::read(&text, size)?)),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(Farewell::NotUnderstood),
        Some(Ok(Message::Close(_))) | None => Err(Farewell::Gone),
        // Too long, or no WebSocket any more; who only broke off does not hear it.
        Some(Err(_)) => Err(Farewell::NotUnderstood),
    }
}
