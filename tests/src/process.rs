//! The built programs, started as the processes they are.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// No process of the tests takes this long; it is there so that a fault ends the test.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The folder of the built programs: that of this program, or the one above a test's own.
///
/// # Errors
/// When they have not been built: `./trundle test` builds them first.
pub fn programs() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own path")?;
    let there = |folder: &&Path| ["cart", "store-hub", "terminal-sim"].iter().all(|name| folder.join(name).is_file());
    match own.ancestors().skip(1).take(2).find(there) {
        Some(folder) => Ok(folder.to_owned()),
        None => {
            bail!("cart, store-hub and terminal-sim are not beside {}; build them first: ./trundle test", own.display())
        }
    }
}

/// The repository's assets.
pub fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")
}

/// The set of real photos, where it is at hand.
pub fn photos() -> Option<PathBuf> {
    let data = std::env::var_os("TRUNDLE_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    Some(data.join("grocery")).filter(|folder| folder.join("classes.csv").is_file())
}

/// A program's command line; it uses no more than it is given, and its ONNX Runtime is found.
///
/// # Errors
/// As [`programs`].
pub fn command(program: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(programs()?.join(program));
    command.stdin(Stdio::null()).env("ORT_DYLIB_PATH", cart_vision::embedder::runtime_path());
    Ok(command)
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote for people.
    pub stderr: String,
}

impl Ended {
    /// The exit code; -1 when a signal ended it.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }
}

/// A running program. It ends with its owner.
#[derive(Debug)]
pub struct Running {
    child: Child,
    said: Option<std::thread::JoinHandle<String>>,
}

impl Running {
    /// Starts it; what it writes for people is kept.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: Command) -> anyhow::Result<Self> {
        Self::spawn(command, Stdio::null(), Stdio::piped())
    }

    /// Starts it; the lines it prints come as it prints them.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_and_listen(command: Command) -> anyhow::Result<(Self, mpsc::Receiver<String>)> {
        Self::spawn(command, Stdio::piped(), Stdio::piped())?.listened_to()
    }

    /// As [`Running::start_and_listen`]; what it writes for people goes to the end of the file `log`.
    ///
    /// # Errors
    /// When it cannot be started, or the file cannot be written.
    pub fn start_and_log(command: Command, log: &Path) -> anyhow::Result<(Self, mpsc::Receiver<String>)> {
        let log = File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
        Self::spawn(command, Stdio::piped(), log.into())?.listened_to()
    }

    fn listened_to(mut self) -> anyhow::Result<(Self, mpsc::Receiver<String>)> {
        let stdout = self.child.stdout.take().context("its output")?;
        let (line, lines) = mpsc::channel();
        // To the end, whether anyone listens or not: a full pipe would stop the program.
        let print = move || BufReader::new(stdout).lines().map_while(Result::ok).for_each(|l| drop(line.send(l)));
        std::thread::spawn(print);
        Ok((self, lines))
    }

    fn spawn(mut command: Command, stdout: Stdio, stderr: Stdio) -> anyhow::Result<Self> {
        let program = command.get_program().to_owned();
        let mut child =
            command.stdout(stdout).stderr(stderr).spawn().with_context(|| Path::new(&program).display().to_string())?;
        let stderr = child.stderr.take();
        let listen = move || {
            let mut said = Vec::new();
            // What could be read counts, also when the rest cannot.
            let _ = stderr.map(|mut pipe| pipe.read_to_end(&mut said));
            String::from_utf8_lossy(&said).into_owned()
        };
        Ok(Self { child, said: Some(std::thread::spawn(listen)) })
    }

    /// True while it runs.
    ///
    /// # Errors
    /// What the system says.
    pub fn runs(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Asks it to end, as Ctrl-C does.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn interrupt(&self) -> anyhow::Result<()> {
        self.signal("INT")
    }

    /// Asks it to end, as a service manager does.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal("TERM")
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let asked = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", self.id())).status()?;
        if asked.success() { Ok(()) } else { bail!("it cannot be sent {name}") }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a power cut would: at once, with no last word.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub fn cut(mut self) -> anyhow::Result<()> {
        if !self.runs()? {
            bail!("it had ended already: {:?}", self.ended()?);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not.
    pub fn ended(mut self) -> anyhow::Result<Ended> {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if began.elapsed() > PATIENCE {
                bail!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        Ok(Ended { status, stderr: said })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `what` is there.
///
/// # Errors
/// When it never comes, or asking for it fails.
pub fn wait_for<T>(name: &str, mut what: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = what().with_context(|| name.to_owned())? {
            return Ok(found);
        }
        if began.elapsed() > PATIENCE {
            bail!("waited in vain for {name}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
