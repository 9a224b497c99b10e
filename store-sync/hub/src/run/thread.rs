//! The one thread that owns the hub: it is told what has come, and carries out what follows from it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use service::{HealthFile, Watch};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use trip::LaneId;

use super::now;
use crate::back_office::OfficeCall;
use crate::bus::{BusEvent, Outgoing};
use crate::hub::{Effect, Hub, Input};
use crate::intent::Answer;
use crate::store::{Storage, StoreError};
use crate::terminal::{NexoTerminal, Terminal};
use crate::web::board::{Board, Screens};
use crate::web::{PhoneCall, TillCall};

/// How long an input waits that the database could not take in.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Inputs that are taken in, and written down, at once at most: a payment behind them waits no longer than for these.
const AT_ONCE: usize = 64;

/// For what carts tell the staff page is made anew so often at most; what came since is on it with the next tick.
const BOARD_EVERY: Duration = Duration::from_millis(100);

/// What the hub's thread is told.
pub(super) enum Told {
    Input(Input),
    Phone(PhoneCall),
    BackOffice(OfficeCall),
    Till(TillCall),
    /// Wakes the hub's thread, so that it sees that it shall stop.
    Stop,
}

impl From<OfficeCall> for Told {
    fn from(call: OfficeCall) -> Self {
        Self::BackOffice(call)
    }
}

/// What the hub's thread carries effects out with.
pub(super) struct Shell {
    pub(super) outgoing: mpsc::UnboundedSender<Outgoing>,
    pub(super) terminals: HashMap<LaneId, Arc<NexoTerminal>>,
    pub(super) tell: mpsc::Sender<Told>,
    pub(super) tasks: Handle,
    pub(super) board: watch::Sender<Arc<Board>>,
    pub(super) screens: watch::Sender<Arc<Screens>>,
    pub(super) zone: TimeZone,
}

/// The hub's thread: inputs one by one, until it is told to stop or the database breaks.
pub(super) fn own(
    mut hub: Hub<impl Storage>,
    first: Vec<Effect>,
    mut told: mpsc::Receiver<Told>,
    shell: &Shell,
    stops: &AtomicBool,
    mut health: HealthFile,
) -> Result<(), StoreError> {
    let began = Instant::now();
    let mut watch = Watch::from_environment();
    let (mut next, mut shown_at) = (None, None::<Instant>);
    first.into_iter().for_each(|effect| shell.carry_out(effect));
    while let Some(this) = next.take().or_else(|| told.blocking_recv()) {
        if stops.load(Ordering::SeqCst) {
            break;
        }
        watch.alive(began.elapsed());
        // Who has tapped or asked looks at the page in the next moment; what two hundred carts tell can wait a little.
        let mut shown = shown_at.is_some_and(|at| at.elapsed() < BOARD_EVERY);
        let effects = match this {
            Told::Stop => break,
            Told::Input(input) => {
                let inputs;
                (inputs, next) = with_what_waits(input, &mut told);
                if inputs.contains(&Input::Tick)
                    && let Err(why) = health.tell(&hub.health(), began.elapsed())
                {
                    tracing::debug!(%why, "the health file cannot be written");
                }
                shown &= inputs.iter().all(|input| matches!(input, Input::Bus(BusEvent::Message { .. }) | Input::Tick));
                hub.handle_all(inputs, now())?
            }
            Told::Phone((ask, reply)) => hand_on(hub.phone(ask, now()), reply)?,
            Told::Till((ask, reply)) => {
                shown = false;
                hand_on(hub.till(ask, &shell.zone, now()), reply)?
            }
            Told::BackOffice((ask, reply)) => {
                match hub.back_office(ask) {
                    // A courier that has fallen over asks anew.
                    Ok(words) => drop(reply.send(words)),
                    Err(e) if e.passes() => {
                        // The full disk itself is said elsewhere.
                        tracing::debug!(error = %e, "the back office's courier got no answer");
                    }
                    Err(e) => return Err(e),
                }
                Vec::new()
            }
        };
        effects.into_iter().for_each(|effect| shell.carry_out(effect));
        // At once: what may be seen no more is seen no more.
        let screens = hub.screens();
        shell.screens.send_if_modified(|shown| replace(shown, screens));
        if !shown {
            shown_at = Some(Instant::now());
            let board = hub.board(&shell.zone);
            shell.board.send_if_modified(|shown| replace(shown, board));
        }
    }
    Ok(())
}

/// Puts `new` in the place of what pages show; false when it is the same.
fn replace<T: PartialEq>(shown: &mut Arc<T>, new: T) -> bool {
    let changed = **shown != new;
    if changed {
        *shown = Arc::new(new);
    }
    changed
}

/// `first` and the inputs that have come since, and what came behind them and is no input.
fn with_what_waits(first: Input, told: &mut mpsc::Receiver<Told>) -> (Vec<Input>, Option<Told>) {
    let mut inputs = vec![first];
    while inputs.len() < AT_ONCE {
        match told.try_recv() {
            Ok(Told::Input(input)) => inputs.push(input),
            Ok(other) => return (inputs, Some(other)),
            Err(_) => break,
        }
    }
    (inputs, None)
}

/// Gives an answer to the page that asked; a disk that is full answers nobody.
fn hand_on<A>(
    answered: Result<(A, Vec<Effect>), StoreError>,
    reply: oneshot::Sender<A>,
) -> Result<Vec<Effect>, StoreError> {
    match answered {
        Ok((answer, effects)) => {
            // Who has gone away needs no answer.
            let _ = reply.send(answer);
            Ok(effects)
        }
        Err(e) if e.passes() => {
            tracing::warn!(error = %e, "a page got no answer");
            Ok(Vec::new())
        }
        Err(e) => Err(e),
    }
}

impl Shell {
    fn carry_out(&self, effect: Effect) {
        match effect {
            // An error means that the line has ended, and with it the hub.
            Effect::Publish(message) => drop(self.outgoing.send(message)),
            Effect::Ask { lane, ask, intent, after_ms } => {
                let (terminal, tell) = (self.terminals.get(&lane).cloned(), self.tell.clone());
                self.tasks.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    let id = intent.id.clone();
                    let answer = match terminal {
                        // Whatever befalls the asking, the payment must hear that it got no answer.
                        Some(terminal) => tokio::spawn(async move { terminal.ask(ask, &intent).await })
                            .await
                            .unwrap_or_else(|broken| Answer::NoAnswer { why: format!("asking fell over: {broken}") }),
                        None => Answer::NoAnswer {
                            why: format!("lane {lane} is not set up any more; add it again to settle its payment"),
                        },
                    };
                    let _ = tell.send(Told::Input(Input::Answer { intent: id, ask, answer })).await;
                });
            }
            Effect::Again(input) => {
                let tell = self.tell.clone();
                self.tasks.spawn(async move {
                    tokio::time::sleep(AGAIN_AFTER).await;
                    let _ = tell.send(Told::Input(*input)).await;
                });
            }
        }
    }
}
