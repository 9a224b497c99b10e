//! The PIN that opens staff mode: how it is kept, and how often it may be tried.
//!
//! Only a salted PBKDF2 hash is kept, in a file for its owner alone. A PIN is short, so no hash saves it from
//! whoever holds the disk; before the screen it is guarded by the waits: after [`FREE_TRIES`] wrong ones each
//! further try has to be waited for, twice as long every time. The count is on the disk *before* a try is
//! judged, so that pulling the plug wins no try, and after a restart the wait begins anew. It is measured by
//! the cart's monotonic time: setting a clock shortens nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hal::Moment;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use trip::Hash;

use crate::durable;

/// Digits of a PIN, at the least and at the most.
pub const LEAST_DIGITS: usize = 4;
/// See [`LEAST_DIGITS`].
pub const MOST_DIGITS: usize = 12;
/// Wrong PINs in a row that cost no wait: a slip of the finger.
pub const FREE_TRIES: u32 = 3;
/// The wait after the first wrong PIN beyond those; each further one doubles it, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// Rounds of the hash: about half a second on a small board, which is what a person waits gladly.
const ROUNDS: u32 = 200_000;
/// A file that asks for more was not written by this program, and would stop the cart.
const MOST_ROUNDS: u32 = 10_000_000;

/// A PIN that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPin {
    /// Not of digits, or too few or many.
    #[error("a PIN is {LEAST_DIGITS} to {MOST_DIGITS} digits")]
    Form,
    /// One digit again and again, or a few again and again.
    #[error("this PIN repeats itself; take one that cannot be guessed")]
    Repeats,
    /// Up or down the keys.
    #[error("this PIN counts up or down; take one that cannot be guessed")]
    Counts,
    /// A year of somebody's life.
    #[error("this PIN is a year; take one that cannot be guessed")]
    Year,
}

/// A file of the PIN that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what this program writes.
    #[error("{} is damaged; set the PIN again with `cart staff-pin`", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// The PIN is not taken.
    #[error(transparent)]
    Weak(#[from] WeakPin),
    /// No random numbers for the salt.
    #[error("no random numbers: {0}")]
    Random(String),
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the PIN.
    Right,
    /// It is not; the next try is free.
    Wrong,
    /// It is not, or it was tried too early: how long to wait.
    Wait(Duration),
    /// No PIN was ever set on this cart.
    NotSet,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    v: u32,
    rounds: u32,
    salt: Hash,
    hash: Hash,
}

/// The PIN of a cart.
#[derive(Debug)]
pub struct Pins {
    folder: PathBuf,
    /// Wrong ones in a row.
    wrong: u32,
    /// No try is judged before.
    open_at: Moment,
}

impl Pins {
    /// The PIN of the cart whose data folder this is; a wait that was running begins anew at `now`. A count that
    /// cannot be read counts as one wait.
    pub fn open(folder: &Path, now: Moment) -> Self {
        let mut pins = Self { folder: folder.to_owned(), wrong: 0, open_at: now };
        pins.wrong = match std::fs::read_to_string(pins.tries()) {
            Ok(text) => text.trim().parse().unwrap_or(FREE_TRIES + 1),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => 0,
            Err(_) => FREE_TRIES + 1,
        };
        pins.open_at = now + wait_after(pins.wrong);
        pins
    }

    /// Sets the PIN of the cart whose data folder this is, and forgets wrong tries.
    ///
    /// # Errors
    /// [`PinError`]: it is weak, or cannot be written.
    pub fn set(folder: &Path, pin: &str) -> Result<(), PinError> {
        Self::set_with(folder, pin, ROUNDS)
    }

    /// As [`Pins::set`], with so many rounds of the hash.
    ///
    /// # Errors
    /// As [`Pins::set`].
    pub fn set_with(folder: &Path, pin: &str, rounds: u32) -> Result<(), PinError> {
        strong(pin)?;
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|why| PinError::Random(why.to_string()))?;
        let kept = Kept { v: 1, rounds, salt: Hash(salt), hash: Hash(hash(pin, &salt, rounds)) };
        let path = folder.join("staff-pin");
        // A struct of numbers and hexadecimal always has a JSON form.
        let bytes = serde_json::to_vec(&kept).unwrap_or_default();
        write(&path, &bytes)?;
        write(&folder.join("staff-pin-tries"), b"0")
    }

    /// True when a PIN was set.
    pub fn is_set(folder: &Path) -> bool {
        folder.join("staff-pin").exists()
    }

    /// How long to wait until the next try; `None` when it is free.
    pub fn wait(&self, now: Moment) -> Option<Duration> {
        Some(self.open_at.since(now)).filter(|left| !left.is_zero())
    }

    /// Judges a try. Takes as long as the hash: never on a thread that draws.
    ///
    /// # Errors
    /// When the PIN cannot be read or the try cannot be counted: it is not judged then.
    pub fn try_pin(&mut self, pin: &str, now: Moment) -> Result<Verdict, PinError> {
        if let Some(left) = self.wait(now) {
            return Ok(Verdict::Wait(left));
        }
        let Some(kept) = self.kept()? else { return Ok(Verdict::NotSet) };
        write(&self.tries(), (self.wrong + 1).to_string().as_bytes())?;
        self.wrong += 1;
        let right = bool::from(hash(pin, &kept.salt.0, kept.rounds).ct_eq(&kept.hash.0));
        if right {
            self.wrong = 0;
            write(&self.tries(), b"0")?;
            return Ok(Verdict::Right);
        }
        self.open_at = now + wait_after(self.wrong);
        Ok(self.wait(now).map_or(Verdict::Wrong, Verdict::Wait))
    }

    fn kept(&self) -> Result<Option<Kept>, PinError> {
        let path = self.folder.join("staff-pin");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(PinError::File { path, source }),
        };
        match serde_json::from_str::<Kept>(&text) {
            Ok(kept) if kept.v == 1 && (1..=MOST_ROUNDS).contains(&kept.rounds) => Ok(Some(kept)),
            _ => Err(PinError::Damaged { path }),
        }
    }

    fn tries(&self) -> PathBuf {
        self.folder.join("staff-pin-tries")
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PinError> {
    durable::write(path, bytes, 0o600).map_err(|source| PinError::File { path: path.to_owned(), source })
}

fn hash(pin: &str, salt: &[u8; 32], rounds: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(pin.as_bytes(), salt, rounds, &mut bytes);
    bytes
}

/// The wait after so many wrong ones in a row.
fn wait_after(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE_TRIES) {
        None | Some(0) => Duration::ZERO,
        Some(more) => (FIRST_WAIT * 2u32.saturating_pow((more - 1).min(16))).min(LONGEST_WAIT),
    }
}

/// Whether a PIN may be taken.
///
/// # Errors
/// Why it may not.
pub fn strong(pin: &str) -> Result<(), WeakPin> {
    let digits = pin.as_bytes();
    if !(LEAST_DIGITS..=MOST_DIGITS).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WeakPin::Form);
    }
    let repeats = |part: usize| digits.len() > part && digits.iter().zip(&digits[part..]).all(|(a, b)| a == b);
    if (1..=digits.len() / 2).any(repeats) {
        return Err(WeakPin::Repeats);
    }
    let steps = |by: u8| digits.windows(2).all(|pair| (pair[0] - b'0' + by) % 10 == pair[1] - b'0');
    if steps(1) || steps(9) {
        return Err(WeakPin::Counts);
    }
    if digits.len() == 4 && (digits.starts_with(b"19") || digits.starts_with(b"20")) {
        return Err(WeakPin::Year);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: u32 = 2;

    fn at(s: u64) -> Moment {
        Moment::from_millis(s * 1_000)
    }

    #[test]
    fn a_pin_that_can_be_guessed_is_refused() {
        for (pin, expected) in [
            ("2468", Ok(())),
            ("739104", Ok(())),
            ("123", Err(WeakPin::Form)),
            ("1234567890123", Err(WeakPin::Form)),
            ("12a4", Err(WeakPin::Form)),
            ("١٢٣٤", Err(WeakPin::Form)),
            ("0000", Err(WeakPin::Repeats)),
            ("1212", Err(WeakPin::Repeats)),
            ("123123", Err(WeakPin::Repeats)),
            ("1234", Err(WeakPin::Counts)),
            ("8901", Err(WeakPin::Counts)),
            ("9876", Err(WeakPin::Counts)),
            ("1987", Err(WeakPin::Year)),
        ] {
            assert_eq!(strong(pin), expected, "{pin}");
        }
    }

    #[test]
    fn the_file_holds_no_pin_and_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        Pins::set_with(folder.path(), "73910482", QUICK).expect("set");
        let path = folder.path().join("staff-pin");
        let text = std::fs::read_to_string(&path).expect("there");
        assert!(!text.contains("73910482"), "{text}");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_right_pin_opens_and_each_wrong_one_beyond_three_doubles_the_wait() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut pins = Pins::open(folder.path(), at(0));
        assert_eq!(pins.try_pin("2468", at(0)).expect("read"), Verdict::NotSet);
        Pins::set_with(folder.path(), "2468", QUICK).expect("set");
        let mut now = 10;
        for _ in 0..FREE_TRIES {
            assert_eq!(pins.try_pin("8642", at(now)).expect("judged"), Verdict::Wrong);
        }
        for wait in [30, 60, 120] {
            let told = Verdict::Wait(Duration::from_secs(wait));
            assert_eq!(pins.try_pin("8642", at(now)).expect("judged"), told);
            let early = pins.try_pin("2468", at(now + wait - 1)).expect("judged");
            assert_eq!(early, Verdict::Wait(Duration::from_secs(1)), "even the right one is not judged early");
            now += wait;
        }
        assert_eq!(pins.try_pin("2468", at(now)).expect("judged"), Verdict::Right);
        assert_eq!(pins.try_pin("8642", at(now)).expect("judged"), Verdict::Wrong, "the count begins anew");
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn a_restart_wins_no_try_and_no_time() {
        let folder = tempfile::tempdir().expect("a folder");
        Pins::set_with(folder.path(), "2468", QUICK).expect("set");
        let mut pins = Pins::open(folder.path(), at(0));
        for _ in 0..=FREE_TRIES {
            pins.try_pin("8642", at(0)).expect("judged");
        }
        let mut again = Pins::open(folder.path(), at(5));
        assert_eq!(again.try_pin("2468", at(6)).expect("judged"), Verdict::Wait(Duration::from_secs(29)));
        assert_eq!(again.try_pin("2468", at(35)).expect("judged"), Verdict::Right);
        assert_eq!(Pins::open(folder.path(), at(0)).wait(at(0)), None);
        std::fs::write(folder.path().join("staff-pin-tries"), "nonsense").expect("written");
        assert!(Pins::open(folder.path(), at(0)).wait(at(0)).is_some(), "a count that is lost is no clean slate");
    }

    #[test]
    fn a_try_that_cannot_be_counted_is_not_judged() {
        let folder = tempfile::tempdir().expect("a folder");
        Pins::set_with(folder.path(), "2468", QUICK).expect("set");
        let mut pins = Pins::open(folder.path(), at(0));
        std::fs::remove_file(folder.path().join("staff-pin-tries")).expect("there");
        std::fs::create_dir(folder.path().join("staff-pin-tries")).expect("made");
        assert!(pins.try_pin("2468", at(0)).is_err());
        std::fs::write(folder.path().join("staff-pin"), "{}").expect("written");
        assert!(matches!(pins.try_pin("2468", at(0)), Err(PinError::Damaged { .. })));
    }
}
