//! The reports of days that were ended: `day-end/DATE.json` in the hub's data, and `DATE-2.json` and so on for a day
//! that was looked at again. None is ever overwritten. The next day begins where they say that the last one ended.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use identity::{SecretError, secret};
use jiff::civil::Date;
use trip::{LaneId, UnixMillis};

use super::{DayEnd, LaneDay};

/// A report cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The system refused.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// It is there, but no report.
    #[error("{} is no report of a day-end: {source}; put it elsewhere", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The folder is not private, or a file cannot be written.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> KeptError {
    move |source| KeptError::File { what, path: path.to_owned(), source }
}

/// How a lane's day is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where the day begins; `None` at the day's first second, for there was none before.
    pub from: Option<UnixMillis>,
    /// The first of the terminal's periods in it, where that is known.
    pub first: Option<u64>,
    /// What ends it.
    pub end: End,
}

/// What ends a lane's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It ends now: the period that runs is closed.
    Now,
    /// It ended before a later one began, with this period at that time.
    Before {
        /// The last period in it; `None` when the terminal told none then.
        last: Option<u64>,
        /// When it ended.
        until: UnixMillis,
    },
}

/// The reports, the newest of each day.
#[derive(Debug, Default)]
pub struct Kept {
    newest: BTreeMap<Date, (u32, DayEnd)>,
}

impl Kept {
    /// Reads the reports in `folder`; none when there is no such folder.
    ///
    /// # Errors
    /// [`KeptError`] when one cannot be read.
    pub fn read(folder: &Path) -> Result<Self, KeptError> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(failed("cannot look into", folder)(e)),
        };
        let mut kept = Self::default();
        for entry in entries {
            let path = entry.map_err(failed("cannot look into", folder))?.path();
            let Some((date, n)) = named(&path) else { continue };
            if kept.newest.get(&date).is_some_and(|(known, _)| *known > n) {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(failed("cannot read", &path))?;
            let day = serde_json::from_slice(&bytes).map_err(|source| KeptError::Form { path, source })?;
            kept.newest.insert(date, (n, day));
        }
        Ok(kept)
    }

    /// The newest report of `date`.
    pub fn of(&self, date: Date) -> Option<&DayEnd> {
        self.newest.get(&date).map(|(_, day)| day)
    }

    /// The first day after `date` that has been ended.
    pub fn after(&self, date: Date) -> Option<Date> {
        self.newest.keys().copied().find(|other| *other > date)
    }

    /// How the day `date` of `lane` is to be looked at. While no later day was ended it goes on until now, however
    /// often it was ended before.
    pub fn plan(&self, date: Date, lane: &LaneId) -> Plan {
        let own = self.of(date).and_then(|day| lane_of(day, lane));
        let earlier = || self.newest.range(..date).rev().filter_map(|(_, (_, day))| lane_of(day, lane));
        let closed = || earlier().find_map(|day| day.periods.map(|(_, last)| (day.until, last)));
        let from = own.map(|day| day.from).or_else(|| closed().map(|(until, _)| until));
        let first =
            own.and_then(|day| day.periods).map(|(first, _)| first).or_else(|| closed().map(|(_, last)| last + 1));
        let end = match (self.after(date), own) {
            (Some(_), Some(day)) => End::Before { last: day.periods.map(|(_, last)| last), until: day.until },
            _ => End::Now,
        };
        Plan { from, first, end }
    }
}

/// Puts `day` into `folder`, whole, beside those of the same date; where it lies then.
///
/// # Errors
/// [`KeptError`] when it cannot be written.
pub fn keep(folder: &Path, day: &DayEnd) -> Result<PathBuf, KeptError> {
    secret::folder(folder)?;
    let bytes = serde_json::to_vec_pretty(day).unwrap_or_else(|e| unreachable!("it has only plain fields: {e}"));
    let new = folder.join(format!("{}-{}.new", day.date, std::process::id()));
    secret::write(&new, &bytes)?;
    let mut n = 1;
    let path = loop {
        let name = if n == 1 { format!("{}.json", day.date) } else { format!("{}-{n}.json", day.date) };
        let path = folder.join(name);
        // Unlike a renaming, it never takes another's place.
        match std::fs::hard_link(&new, &path) {
            Ok(()) => break path,
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
            Err(e) => return Err(failed("cannot write", &path)(e)),
        }
    };
    std::fs::remove_file(&new).map_err(failed("cannot remove", &new))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("cannot write", folder))?;
    Ok(path)
}

fn lane_of<'a>(day: &'a DayEnd, lane: &LaneId) -> Option<&'a LaneDay> {
    day.lanes.iter().find(|day| day.lane == *lane)
}

/// Which day a file of this name is of, and which of its reports, from 1.
fn named(path: &Path) -> Option<(Date, u32)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    let (date, rest) = name.split_at_checked("2026-11-29".len())?;
    let n = if rest.is_empty() { 1 } else { rest.strip_prefix('-')?.parse().ok()? };
    Some((date.parse().ok()?, n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day_end::VERSION;
    use trip::StoreId;

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn lane() -> LaneId {
        LaneId::new("lane-1").expect("valid")
    }

    fn day(date: &str, from: i64, until: i64, periods: Option<(u64, u64)>) -> DayEnd {
        let (from, until) = (UnixMillis(from), UnixMillis(until));
        let lane = LaneDay { lane: lane(), from, until, periods, rows: vec![], differences: vec![] };
        let store = StoreId::new("s").expect("valid");
        DayEnd { v: VERSION, store, date: date.into(), made_at: until, lanes: vec![lane] }
    }

    #[test]
    fn a_second_report_of_a_day_stands_beside_the_first() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("day-end");
        assert!(Kept::read(&folder).expect("none yet").of(date("2026-11-29")).is_none());
        for n in 1..=11 {
            let path = keep(&folder, &day("2026-11-29", 0, n, None)).expect("kept");
            let name = if n == 1 { "2026-11-29.json".to_owned() } else { format!("2026-11-29-{n}.json") };
            assert_eq!(path, folder.join(name));
        }
        std::fs::write(folder.join("notes.txt"), "somebody's").expect("written");
        let kept = Kept::read(&folder).expect("read");
        assert_eq!(kept.of(date("2026-11-29")), Some(&day("2026-11-29", 0, 11, None)), "the newest counts");
        let first = std::fs::read(folder.join("2026-11-29.json")).expect("there");
        assert_eq!(serde_json::from_slice::<DayEnd>(&first).expect("whole"), day("2026-11-29", 0, 1, None));
        assert_eq!(std::fs::read_dir(&folder).expect("there").count(), 12, "nothing else is left");
        std::fs::write(folder.join("2026-11-30.json"), "{").expect("written");
        assert!(Kept::read(&folder).expect_err("cut").to_string().contains("2026-11-30.json"));
    }

    #[test]
    fn a_day_begins_where_the_last_one_ended() {
        let check = |reports: &[DayEnd], asked: &str, expected: Plan| {
            let newest = reports.iter().map(|day| (date(&day.date), (1, day.clone()))).collect();
            assert_eq!(Kept { newest }.plan(date(asked), &lane()), expected, "{asked} after {reports:?}");
        };
        let now = |from: Option<i64>, first| Plan { from: from.map(UnixMillis), first, end: End::Now };
        check(&[], "2026-11-29", now(None, None));
        let (one, two) = (day("2026-11-28", 10, 20, Some((5, 5))), day("2026-11-29", 20, 30, Some((6, 7))));
        check(std::slice::from_ref(&one), "2026-11-29", now(Some(20), Some(6)));
        check(std::slice::from_ref(&one), "2026-11-28", now(Some(10), Some(5)));
        check(&[one.clone(), two.clone()], "2026-11-29", now(Some(20), Some(6)));
        let ended = |last| End::Before { last, until: UnixMillis(20) };
        let before = |last| Plan { from: Some(UnixMillis(10)), first: Some(5), end: ended(last) };
        check(&[one.clone(), two.clone()], "2026-11-28", before(Some(5)));
        // On a day that its terminal was not heard, nothing was closed: the next one takes it in.
        let silent = day("2026-11-29", 20, 30, None);
        check(&[one.clone(), silent.clone()], "2026-11-30", now(Some(20), Some(6)));
        check(&[one, silent], "2026-11-29", now(Some(20), Some(6)));
        let silent = day("2026-11-28", 10, 20, None);
        let unknown = Plan { from: Some(UnixMillis(10)), first: None, end: ended(None) };
        check(&[silent, two], "2026-11-28", unknown);
    }
}
