//! The health file: how the program is, as JSON that is always whole.
//!
//! For a script, a monitor, or a person over SSH. It says nothing about a shopper. Who finds it old knows that
//! the program hangs or is gone.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// It is renewed this often though nothing has changed, so that its age says something.
const EVERY: Duration = Duration::from_secs(5);

/// The file.
#[derive(Debug)]
pub struct HealthFile {
    path: PathBuf,
    program: &'static str,
    version: &'static str,
    /// Milliseconds since 1970 when the program began.
    since: u64,
    written: Option<(Duration, String)>,
}

#[derive(Serialize)]
struct Page<'a, T> {
    program: &'a str,
    version: &'a str,
    pid: u32,
    /// Milliseconds since 1970.
    since: u64,
    /// Milliseconds since 1970.
    at: u64,
    #[serde(flatten)]
    what: &'a T,
}

impl HealthFile {
    /// The file `health.json` in `folder`.
    pub fn new(folder: &Path, program: &'static str, version: &'static str) -> Self {
        Self { path: folder.join("health.json"), program, version, since: millis(), written: None }
    }

    /// Writes `what` down, if it is news or the file grows old. `now` is the time since the program began.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is still there.
    pub fn tell(&mut self, what: &impl Serialize, now: Duration) -> io::Result<()> {
        let news = serde_json::to_string(what)?;
        if self.written.as_ref().is_some_and(|(at, told)| *told == news && now < *at + EVERY) {
            return Ok(());
        }
        // Also when it fails: a full disk is not tried again at every step.
        self.written = Some((now, news));
        let Self { program, version, since, .. } = *self;
        let page = Page { program, version, pid: std::process::id(), since, at: millis(), what };
        let partial = self.path.with_extension("partial");
        std::fs::File::create(&partial)?.write_all(&serde_json::to_vec_pretty(&page)?)?;
        // Whole or the old one for who reads it now; it need not outlive a power cut.
        std::fs::rename(&partial, &self.path)
    }
}

fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_whole_says_news_at_once_and_grows_no_older_than_its_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = HealthFile::new(folder.path(), "cart", "0.1.0");
        let path = folder.path().join("health.json");
        let mut tell = |faults: u32, ms: u64| {
            // What is renewed is there again after it was taken away.
            let _ = std::fs::remove_file(&path);
            let what = serde_json::json!({ "faults": faults });
            file.tell(&what, Duration::from_millis(ms)).expect("written");
            let text = std::fs::read(&path).ok()?;
            serde_json::from_slice::<serde_json::Value>(&text).expect("whole").get("faults")?.as_u64()
        };
        assert_eq!(tell(0, 0), Some(0));
        assert_eq!(tell(0, 4_999), None, "nothing is new");
        assert_eq!(tell(1, 4_999), Some(1), "news are told at once");
        assert_eq!(tell(1, 9_998), None);
        assert_eq!(tell(1, 9_999), Some(1), "it grew old");
        assert!(!folder.path().join("health.partial").exists());
    }
}
