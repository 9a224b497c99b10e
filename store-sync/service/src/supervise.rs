//! A thread that is watched: a panic in it is said, counted and survived a few times.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tracing::{error, warn};

use crate::restarts::{Next, Restarts};

/// Why the program must stop: the first reason counts. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Failure(Arc<OnceLock<String>>);

impl Failure {
    /// The program must stop.
    pub fn set(&self, why: impl Into<String>) {
        let why = why.into();
        error!(why, "the program stops, so that it is started anew");
        // A second reason is in the log.
        let _ = self.0.set(why);
    }

    /// Why, if it must.
    pub fn why(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// The words of a panic.
pub fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}

/// Does `work` over and over until it returns false. When it panics it is done again after a while, with `sleep`
/// to wait by; when it does so too often, `failure` is set and this returns.
///
/// What `work` holds is used again as the panic left it, so it must be such that it can be: a device that is
/// asked anew, a queue that is read on.
pub fn supervised(name: &str, failure: &Failure, sleep: impl Fn(Duration), mut work: impl FnMut() -> bool) {
    let began = Instant::now();
    let mut restarts = Restarts::default();
    loop {
        let why = match catch_unwind(AssertUnwindSafe(&mut work)) {
            Ok(true) => continue,
            Ok(false) => return,
            Err(panic) => words(&*panic).to_owned(),
        };
        match restarts.fell(began.elapsed()) {
            Next::After(wait) => {
                warn!(name, why, wait_ms = wait.as_millis() as u64, "it fell over; it is started again");
                sleep(wait);
            }
            Next::GiveUp => return failure.set(format!("{name} fell over again and again: {why}")),
        }
    }
}

/// Begins a task over and over until one ends by itself. One that panics is begun anew after a while, with `sleep`
/// to wait by; when that happens too often, or one cannot be begun, `failure` is set and this returns.
pub async fn supervised_task<T, S>(
    name: &str,
    failure: Failure,
    sleep: impl Fn(Duration) -> S,
    mut begin: impl FnMut() -> Result<T, String>,
) where
    T: Future<Output = ()> + Send + 'static,
    S: Future<Output = ()>,
{
    let began = Instant::now();
    let mut restarts = Restarts::default();
    loop {
        let ended = match begin() {
            Ok(task) => tokio::spawn(task).await,
            Err(why) => return failure.set(format!("{name} cannot be begun: {why}")),
        };
        let Err(broken) = ended.map_err(tokio::task::JoinError::try_into_panic) else { return };
        // A task that was cancelled ends with its runtime.
        let Ok(panic) = broken else { return };
        let why = words(&*panic).to_owned();
        match restarts.fell(began.elapsed()) {
            Next::After(wait) => {
                warn!(name, why, wait_ms = wait.as_millis() as u64, "it fell over; it is begun anew");
                sleep(wait).await;
            }
            Next::GiveUp => return failure.set(format!("{name} fell over again and again: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What came of work that panics at the rounds of `falls`, after `rounds` rounds: rounds done, waits, reason.
    fn run(rounds: u32, falls: &[u32]) -> (u32, usize, Option<String>) {
        let failure = Failure::default();
        let (mut round, mut done) = (0, 0);
        let waits = std::cell::RefCell::new(Vec::new());
        supervised(
            "the scale",
            &failure,
            |wait| waits.borrow_mut().push(wait),
            || {
                round += 1;
                assert!(!falls.contains(&round), "round {round} broke");
                done += 1;
                round < rounds
            },
        );
        (done, waits.into_inner().len(), failure.why().map(str::to_owned))
    }

    #[test]
    fn a_part_that_falls_over_goes_on() {
        assert_eq!(run(5, &[]), (5, 0, None));
        assert_eq!(run(5, &[2, 3]), (3, 2, None));
    }

    #[test]
    fn one_that_falls_over_again_and_again_stops_the_program_with_the_reason() {
        let (done, waits, why) = run(100, &[2, 3, 4, 5, 6, 7]);
        assert_eq!((done, waits), (1, 4));
        assert!(why.is_some_and(|why| why.contains("the scale") && why.contains("round 6 broke")));
    }

    /// What came of a task whose first `falls` runs panic: runs, and the reason.
    async fn run_tasks(falls: u32) -> (u32, Option<String>) {
        let failure = Failure::default();
        let mut runs = 0;
        let begin = || {
            runs += 1;
            let run = runs;
            Ok(async move { assert!(run > falls, "run {run} broke") })
        };
        supervised_task("the line", failure.clone(), |_| std::future::ready(()), begin).await;
        (runs, failure.why().map(str::to_owned))
    }

    #[tokio::test]
    async fn a_task_that_falls_over_is_begun_anew_but_not_for_ever() {
        assert_eq!(run_tasks(0).await, (1, None));
        assert_eq!(run_tasks(3).await, (4, None));
        let (runs, why) = run_tasks(1_000).await;
        assert_eq!(runs, 5);
        assert!(why.is_some_and(|why| why.contains("the line") && why.contains("run 5 broke")));
    }

    #[test]
    fn the_first_reason_counts() {
        let failure = Failure::default();
        assert_eq!(failure.why(), None);
        failure.clone().set("one");
        failure.set("two");
        assert_eq!(failure.why(), Some("one"));
    }
}
