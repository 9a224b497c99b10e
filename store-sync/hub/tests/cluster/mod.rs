//! A PostgreSQL of a test's own: its files and its socket in one folder, no port, and its user is let in without a
//! password. It runs as whoever runs the test; root, which PostgreSQL refuses, hands it to the user `postgres`.

use std::fs::File;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian lays the programs, in folders by version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// A start takes a second; after a kill, every file is brought to the disk first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with one database, `trundle`. It ends with the test.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// As whom it runs, where that is somebody else.
    runs_as: Option<(u32, u32)>,
    server: Option<Child>,
}

impl Cluster {
    /// Starts one; `None`, and a word of it, where PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: there is no PostgreSQL here; install it with: apt-get install postgresql");
            return None;
        };
        let mut cluster = Self::empty(programs);
        // Only what is made here is not brought to the disk; the server itself flushes as ever.
        cluster
            .run("initdb", &["-U", "trundle", "-A", "trust", "-E", "UTF8", "--no-sync", "-D", &cluster.path("data")]);
        cluster.resume();
        cluster.run("createdb", &["-h", &cluster.path(""), "-U", "trundle", "trundle"]);
        Some(cluster)
    }

    /// Starts another that has what this one has and hears all it commits, before it says so.
    #[allow(dead_code, reason = "not every test program has a use for it")]
    pub fn standby(&self) -> Self {
        let mut other = Self::empty(self.programs.clone());
        let (from, to) = (self.path(""), other.path("data"));
        other.run("pg_basebackup", &["-h", &from, "-U", "trundle", "-D", &to, "-R", "-c", "fast", "--no-sync"]);
        other.resume();
        self.ask("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.ask("SELECT pg_reload_conf()");
        let began = Instant::now();
        while self.ask("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1" {
            assert!(began.elapsed() < PATIENCE, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(50));
        }
        other
    }

    fn empty(programs: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = std::fs::metadata("/proc/self").expect("about this process").uid() == 0;
        let runs_as = root.then(|| user("postgres").expect("a user postgres, for PostgreSQL does not run as root"));
        if let Some((user, group)) = runs_as {
            chown(folder.path(), Some(user), Some(group)).expect("given away");
        }
        Self { folder, programs, runs_as, server: None }
    }

    /// The folder of its socket.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// Under which address a hub reaches it.
    pub fn url(&self) -> String {
        format!("postgresql://trundle@/trundle?host={}", self.socket().display())
    }

    /// What a query says, a line a row, with `|` between the columns.
    pub fn ask(&self, sql: &str) -> String {
        self.run("psql", &["-h", &self.path(""), "-U", "trundle", "-d", "trundle", "-AtXqc", sql])
    }

    /// `kill -9` of all its processes at once.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
    }

    /// Sends all its processes the same signal.
    pub fn signal(&self, signal: &str) {
        let Some(server) = &self.server else { return };
        let id = server.id().to_string();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let all = std::iter::once(id.as_str()).chain(children.split_whitespace());
        let _ = Command::new("kill").arg(signal).args(all).stderr(Stdio::null()).status();
    }

    /// Starts it again, and waits until it lets a user in.
    pub fn resume(&mut self) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.server.is_none() {
                let log = File::options().create(true).append(true).open(self.path("log")).expect("a log");
                let mut program = self.program("postgres");
                program.args(["-D", &self.path("data"), "-k", &self.path("")]);
                program.args(["-c", "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "max_connections=20"]);
                program.stdout(Stdio::null()).stderr(log);
                self.server = Some(program.spawn().expect("the server starts"));
            }
            let mut ready = self.program("pg_isready");
            if ready.args(["-q", "-h", &self.path("")]).status().is_ok_and(|said| said.success()) {
                return;
            }
            // One of those killed may not be gone yet, and then it does not start.
            if self.server.as_mut().is_some_and(|server| !matches!(server.try_wait(), Ok(None))) {
                self.server = None;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
        panic!("PostgreSQL does not come up: {log}");
    }

    fn path(&self, name: &str) -> String {
        let path = if name.is_empty() { self.folder.path().to_owned() } else { self.folder.path().join(name) };
        path.to_str().expect("a plain path").to_owned()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        if let Some((user, group)) = self.runs_as {
            command.uid(user).gid(group);
        }
        command
    }

    /// What a program says; it must succeed.
    fn run(&self, name: &str, args: &[&str]) -> String {
        let done = self.program(name).args(args).stdin(Stdio::null()).output().expect("it runs");
        let said = String::from_utf8_lossy(if done.status.success() { &done.stdout } else { &done.stderr });
        assert!(done.status.success(), "{name} {args:?}: {said}");
        said.trim_end().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder of a version's programs.
fn programs() -> Option<PathBuf> {
    let mut folders = std::fs::read_dir(PROGRAMS).ok()?.flatten().map(|version| version.path().join("bin"));
    folders.find(|bin| bin.join("initdb").exists())
}

/// The numbers of a user and of its group.
fn user(name: &str) -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == name)?;
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}
