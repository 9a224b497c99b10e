//! A program of the store that is always to be there: started again when it ends, as a service manager would.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;

/// So long until a program that has ended is started again.
const RESTART_AFTER: Duration = Duration::from_millis(300);
/// So long may it take until it is ready; a hub waits ten seconds for its broker.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The program.
pub struct Part {
    /// Its name.
    pub name: String,
    command: Box<dyn Fn() -> anyhow::Result<Command>>,
    log: PathBuf,
    running: Option<Running>,
    /// Not to be started before this; `None` while it is not to be started at all.
    due: Option<Instant>,
}

impl Part {
    /// Not started yet; what it writes goes to `log`.
    pub fn new(name: &str, log: PathBuf, command: impl Fn() -> anyhow::Result<Command> + 'static) -> Self {
        Self { name: name.to_owned(), command: Box::new(command), log, running: None, due: None }
    }

    /// Starts it and does not wait.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.due = None;
        let command = (self.command)()?;
        self.running = Some(Running::start_and_log(command, &self.log).with_context(|| self.name.clone())?.0);
        Ok(())
    }

    /// Starts it and waits for its first line, which says that it is ready.
    ///
    /// # Errors
    /// When it does not get there.
    pub fn start_and_wait(&mut self) -> anyhow::Result<String> {
        let (running, lines) = Running::start_and_log((self.command)()?, &self.log)?;
        let Ok(line) = lines.recv_timeout(READY_WITHIN) else {
            bail!("{} did not start; its log is {}", self.name, self.log.display());
        };
        self.running = Some(running);
        Ok(line)
    }

    /// Starts it again when it is time. True when it had ended by itself.
    ///
    /// # Errors
    /// As [`Part::start`].
    pub fn keep_up(&mut self) -> anyhow::Result<bool> {
        let mut ended = false;
        if let Some(running) = &mut self.running
            && !running.runs()?
        {
            self.running = None;
            self.due = Some(Instant::now() + RESTART_AFTER);
            ended = true;
        }
        if self.due.is_some_and(|due| due <= Instant::now()) {
            self.start()?;
        }
        Ok(ended)
    }

    /// Its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(Running::id)
    }

    /// Ends it at once, and does not start it again.
    pub fn kill(&mut self) {
        (self.running, self.due) = (None, None);
    }

    /// The running process goes to other hands; it is not started again.
    pub fn let_go(&mut self) -> Option<Running> {
        self.due = None;
        self.running.take()
    }
}
