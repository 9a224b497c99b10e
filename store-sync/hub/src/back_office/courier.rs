//! The courier brings the back office what waits for it, one batch after the other, for as long as it takes.
//!
//! It is a task of its own and owns nothing: what waits it asks of the hub, and only the hub forgets what was taken.
//! While it waits for an answer, the hub does not.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use trip::patience::Patience;

use super::batch::Batch;
use super::post::Post;
use super::signature::{ID, SIGNATURE, Signer, TIMESTAMP};
use crate::identity::now_s;
use crate::store::WordRow;

/// How often the courier asks for something to bring when nothing waits. What comes within it goes together.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long it waits when the hub cannot forget what was taken, because its disk is full or its database busy.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long after it fell over it is begun anew.
const ANEW_AFTER: Duration = Duration::from_secs(60);

/// The least and the longest wait between two attempts: a back office that is there again after days hears within
/// the second, and one that is out is asked no more than that often.
const LEAST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(300);
const PATIENCE: Patience = Patience::between(LEAST, LONGEST);

/// What the courier asks of the hub, or tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfficeAsk {
    /// What waits, oldest first?
    Next,
    /// All words up to this one were taken.
    Taken {
        /// The number of the last.
        up_to: u64,
    },
    /// What was sent was not taken.
    NotTaken(NotTaken),
}

/// Why a batch was not taken. It stays first, and is sent again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// No answer, or none that can be understood. It may have been taken all the same.
    #[error("there is no answer: {why}")]
    Silent {
        /// What was seen.
        why: String,
    },
    /// An answer other than 2xx.
    #[error("the answer is {status}")]
    Refused {
        /// Its status.
        status: u16,
    },
}

impl NotTaken {
    /// True when nobody expects another answer to the same batch: someone must look, now.
    pub fn lasts(&self) -> bool {
        // Source: RFC 9110, sections 15.4 to 15.6; 425 is RFC 8470, 429 RFC 6585.
        matches!(self, Self::Refused { status: ..=499 } if !matches!(self, Self::Refused { status: 408 | 425 | 429 }))
    }
}

/// A question to the hub, and where its answer goes: what waits, or nothing. The answer does not come when the
/// hub's database cannot do it now.
pub type OfficeCall = (OfficeAsk, oneshot::Sender<Vec<WordRow>>);

/// Brings the back office what waits for it.
pub struct Courier {
    post: Post,
    signer: Signer,
}

/// The hub has ended.
struct Ended;

impl Courier {
    /// Brings by `post` what it has signed by `signer`.
    pub fn new(post: Post, signer: Signer) -> Self {
        Self { post, signer }
    }

    /// The key that checks its signatures, as integrators are given it.
    pub fn public_key(&self) -> String {
        self.signer.public()
    }

    /// Works until the hub has ended. Whatever befalls it, the hub goes on, and the words wait.
    pub async fn work<T: From<OfficeCall> + Send + 'static>(self, hub: mpsc::Sender<T>) {
        let courier = std::sync::Arc::new(self);
        loop {
            let (courier, hub) = (courier.clone(), hub.clone());
            match tokio::spawn(async move { courier.carry(&hub).await }).await {
                Ok(Ended) => return,
                Err(broken) => tracing::error!(%broken, "the back office's courier fell over; it is begun anew"),
            }
            tokio::time::sleep(ANEW_AFTER).await;
        }
    }

    async fn carry<T: From<OfficeCall>>(&self, hub: &mpsc::Sender<T>) -> Ended {
        loop {
            if let Err(ended) = self.next_batch(hub).await {
                return ended;
            }
        }
    }

    /// Brings one batch, and returns when the hub has forgotten it.
    async fn next_batch<T: From<OfficeCall>>(&self, hub: &mpsc::Sender<T>) -> Result<(), Ended> {
        let words = ask(hub, OfficeAsk::Next).await?.unwrap_or_default();
        let Some(batch) = Batch::of(&words) else {
            tokio::time::sleep(LOOK_EVERY).await;
            return Ok(());
        };
        let mut patience = PATIENCE;
        // The same batch until it is taken, whatever is added meanwhile: so it keeps its name.
        while let Err(why) = self.send(&batch).await {
            if patience == PATIENCE {
                tracing::info!(%why, "the back office has not taken what was sent; it is sent again");
            }
            ask(hub, OfficeAsk::NotTaken(why)).await?;
            let chance = getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX));
            tokio::time::sleep(patience.wait(chance)).await;
        }
        // Only now, after its own answer: what the hub forgets is with the back office for good.
        while ask(hub, OfficeAsk::Taken { up_to: batch.up_to }).await?.is_none() {
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        Ok(())
    }

    async fn send(&self, batch: &Batch) -> Result<(), NotTaken> {
        // The time of this attempt, so that one of days ago cannot be played again.
        let at_s = now_s();
        let signature = self.signer.sign(&batch.id, at_s, batch.body.as_bytes());
        let headers = [(ID, batch.id.clone()), (TIMESTAMP, at_s.to_string()), (SIGNATURE, signature)];
        self.post.send(&headers, &batch.body).await
    }
}

/// What the hub answers; `None` when it cannot do so now.
async fn ask<T: From<OfficeCall>>(hub: &mpsc::Sender<T>, what: OfficeAsk) -> Result<Option<Vec<WordRow>>, Ended> {
    let (answer, answered) = oneshot::channel();
    hub.send(T::from((what, answer))).await.map_err(|_| Ended)?;
    Ok(answered.await.ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_up_to_some_minutes_and_never_all_stores_alike() {
        let mut patience = PATIENCE;
        let waits: Vec<u128> = (0..12).map(|_| patience.wait(1.0).as_millis()).collect();
        let doubled = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000];
        assert_eq!(waits, doubled);
        let mut first = PATIENCE;
        assert_eq!((patience.wait(0.0), first.wait(0.5)), (LONGEST / 2, LEAST * 3 / 4));
    }

    #[test]
    fn a_refusal_that_lasts_is_told_from_one_that_passes() {
        let check = |status: u16, lasts: bool| assert_eq!(NotTaken::Refused { status }.lasts(), lasts, "{status}");
        for status in [301, 307, 400, 401, 403, 404, 410, 413, 422] {
            check(status, true);
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            check(status, false);
        }
        assert!(!NotTaken::Silent { why: "cut".into() }.lasts());
    }

    /// A hub that remembers what it was asked, with so many words, and whose disk is full at first when told to forget.
    async fn hub(mut calls: mpsc::Receiver<OfficeCall>, mut waiting: Vec<WordRow>, asked: mpsc::Sender<OfficeAsk>) {
        let mut full = true;
        while let Some((what, answer)) = calls.recv().await {
            let _ = asked.send(what.clone()).await;
            match what {
                OfficeAsk::Next => drop(answer.send(waiting.clone())),
                OfficeAsk::Taken { .. } if std::mem::take(&mut full) => drop(answer),
                OfficeAsk::Taken { up_to } => {
                    waiting.retain(|row| row.seq > up_to);
                    drop(answer.send(Vec::new()));
                }
                OfficeAsk::NotTaken(_) => drop(answer.send(Vec::new())),
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_forgotten_before_a_2xx_and_a_taken_batch_is_not_sent_again() {
        use axum::http::StatusCode;
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};

        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let answer = move || async move {
            let statuses = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_REQUEST];
            statuses.get(count.fetch_add(1, Ordering::SeqCst)).copied().unwrap_or(StatusCode::OK)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/in", listener.local_addr().expect("bound"));
        let router = axum::Router::new().route("/in", axum::routing::post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let address = super::super::Address::parse(&url).expect("an address");
        let post = Post::new(address, None, Duration::from_secs(10)).expect("plain");
        let folder = tempfile::tempdir().expect("a folder");
        let courier = Courier::new(post, Signer::open(folder.path()).expect("a key"));

        let row = |seq| WordRow { seq, at: trip::UnixMillis(0), body: "{}".into() };
        let (tell, calls) = mpsc::channel::<OfficeCall>(1);
        let (say, mut asked) = mpsc::channel(99);
        tokio::spawn(hub(calls, vec![row(1), row(2)], say));
        let work = tokio::spawn(courier.work(tell));
        let mut seen = Vec::new();
        while seen.len() < 6 {
            seen.push(asked.recv().await.expect("the courier asks"));
        }
        let refused = |status| OfficeAsk::NotTaken(NotTaken::Refused { status });
        let taken = OfficeAsk::Taken { up_to: 2 };
        assert_eq!(seen, [OfficeAsk::Next, refused(503), refused(400), taken.clone(), taken, OfficeAsk::Next]);
        assert_eq!(sent.load(Ordering::SeqCst), 3, "what was taken is not sent again while the hub cannot forget it");
        work.abort();
    }
}
