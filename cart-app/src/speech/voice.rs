//! The voice: a thread that has one speaking program at a time.

use std::io::{self, Write};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::debug;

use super::program::{Programs, plain};
use super::queue::{Queue, Words};
use super::{Kind, Speaker};

/// How often a speaking program is looked after: a pause between two sentences that nobody notices.
const LOOK: Duration = Duration::from_millis(15);
/// A program that says one sentence for longer hangs.
const LONGEST: Duration = Duration::from_secs(45);

enum Order {
    Say(Words),
    Settle,
    Hush,
}

/// A voice, for as long as it is kept.
pub struct Voice {
    // `None` only while it is dropped: the thread ends when nobody can tell it anything.
    orders: Option<Sender<Order>>,
    works: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Voice {
    /// A voice that speaks by these programs.
    ///
    /// # Errors
    /// When there is none of them, or no thread to be had.
    pub fn new(programs: Programs) -> io::Result<Self> {
        if programs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "neither espeak-ng nor spd-say is installed"));
        }
        let (orders, taken) = channel();
        let works = Arc::new(AtomicBool::new(true));
        let mouth = Mouth { programs, queue: Queue::default(), speaking: None, works: works.clone() };
        let thread = std::thread::Builder::new().name("voice".into()).spawn(move || mouth.run(&taken))?;
        Ok(Self { orders: Some(orders), works, thread: Some(thread) })
    }

    fn order(&self, order: Order) {
        if self.orders.as_ref().is_none_or(|orders| orders.send(order).is_err()) {
            debug!("the voice's thread has ended");
        }
    }
}

impl Speaker for Voice {
    fn say(&self, words: Words) {
        self.order(Order::Say(words));
    }

    fn settle(&self) {
        self.order(Order::Settle);
    }

    fn hush(&self) {
        self.order(Order::Hush);
    }

    fn works(&self) -> bool {
        self.works.load(Ordering::Relaxed)
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            debug!("the voice's thread broke");
        }
    }
}

/// What the thread has.
struct Mouth {
    programs: Programs,
    queue: Queue,
    speaking: Option<Speaking>,
    works: Arc<AtomicBool>,
}

/// A sentence on its way.
struct Speaking {
    words: Words,
    child: Child,
    since: Instant,
    /// True when the program died once already in its midst.
    again: bool,
}

impl Mouth {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let order = if self.speaking.is_some() {
                orders.recv_timeout(LOOK)
            } else {
                orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            let first = match order {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return drop(self.cut()),
            };
            // All that was said to it, before it opens its mouth.
            for order in first.into_iter().chain(orders.try_iter()) {
                self.take(order);
            }
            self.look_after();
            while self.speaking.is_none() {
                let Some(words) = self.queue.take_next() else { break };
                self.start(words, false);
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Say(words) => {
                if self.queue.add(words, self.speaking.as_ref().map(|s| s.words.kind))
                    && let Some(unsaid) = self.cut()
                {
                    self.queue.cut_off(unsaid);
                }
            }
            Order::Settle => {
                self.queue.settle();
                if self.speaking.as_ref().is_some_and(|s| s.words.kind == Kind::Question) {
                    self.cut();
                }
            }
            Order::Hush => {
                self.queue = Queue::default();
                self.cut();
            }
        }
    }

    /// Ends what is being said; what it was.
    fn cut(&mut self) -> Option<Words> {
        let mut speaking = self.speaking.take()?;
        // It may have ended by itself just now; then there is nothing to end.
        let _ = speaking.child.kill();
        let _ = speaking.child.wait();
        if let Some(mut silence) = self.programs.silence()
            && let Ok(mut child) = silence.spawn()
        {
            let _ = child.wait();
        }
        Some(speaking.words)
    }

    /// Sees whether the sentence is out; one whose program died is begun once more.
    fn look_after(&mut self) {
        let Some(speaking) = &mut self.speaking else { return };
        let hangs = speaking.since.elapsed() > LONGEST;
        match speaking.child.try_wait() {
            Ok(None) if !hangs => {}
            Ok(Some(status)) if status.success() => {
                self.speaking = None;
                self.works.store(true, Ordering::Relaxed);
            }
            ended => {
                debug!(?ended, hangs, "the speaking program failed");
                let again = !speaking.again && !hangs;
                match self.cut() {
                    Some(words) if again => self.start(words, true),
                    _ => self.works.store(false, Ordering::Relaxed),
                }
            }
        }
    }

    fn start(&mut self, words: Words, again: bool) {
        let Some(mut command) = self.programs.command(words.language) else { return };
        match speak(&mut command, &plain(&words.text)) {
            Ok(child) => self.speaking = Some(Speaking { words, child, since: Instant::now(), again }),
            Err(why) => {
                debug!(%why, "the speaking program does not start");
                self.works.store(false, Ordering::Relaxed);
            }
        }
    }
}

/// Starts the program and gives it the text. That is less than a pipe holds, so this never waits for it.
fn speak(command: &mut Command, text: &str) -> io::Result<Child> {
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that has died already is found dead when it is looked after.
        if let Err(why) = writeln!(stdin, "{text}") {
            debug!(%why, "the speaking program took no text");
        }
    }
    Ok(child)
}
