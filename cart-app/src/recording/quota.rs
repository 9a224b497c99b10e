//! How large a recording may grow. A trip's frames are gigabytes, and the journal lies on the same disk: a
//! recording ends before it takes what the journal needs. Pure.

/// No recording is larger, in bytes: some two hours of two cameras.
const MOST: u64 = 32 << 30;
/// So much of the disk stays free for the journal and all else, in bytes.
const LEAST_FREE: u64 = 1 << 30;
/// The disk is asked whenever so many bytes more were written.
const ASK_EVERY: u64 = 64 << 20;

/// What a recording has taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quota {
    /// At so many bytes the disk is asked (again).
    ask_at: u64,
}

impl Quota {
    /// Whether a recording of `bytes` may go on; `free` asks the disk for the bytes that are left on it, and is
    /// asked only now and then.
    ///
    /// # Errors
    /// Why it may not, in words for staff.
    pub fn check(&mut self, bytes: u64, free: impl FnOnce() -> Option<u64>) -> Result<(), String> {
        if bytes >= MOST {
            return Err(format!("it has {} GiB, and no recording may have more", MOST >> 30));
        }
        if bytes < self.ask_at {
            return Ok(());
        }
        self.ask_at = bytes + ASK_EVERY;
        match free() {
            Some(free) if free < LEAST_FREE => Err("the disk is nearly full; the journal needs the rest".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_ends_before_it_takes_what_the_journal_needs() {
        let check = |steps: &[(u64, u64)], expected: Option<&str>| {
            let mut quota = Quota::default();
            let last =
                steps.iter().map(|(bytes, free)| quota.check(*bytes, || Some(*free))).collect::<Result<Vec<_>, _>>();
            assert_eq!(
                last.as_ref().err().map(|why| expected.is_some_and(|part| why.contains(part))),
                expected.map(|_| true),
                "{last:?}"
            );
        };
        let plenty = 100 << 30;
        check(&[(0, plenty), (1 << 30, plenty)], None);
        check(&[(0, LEAST_FREE)], None);
        check(&[(0, LEAST_FREE - 1)], Some("disk is nearly full"));
        check(&[(0, plenty), (ASK_EVERY, 0)], Some("disk is nearly full"));
        check(&[(0, plenty), (MOST, plenty)], Some("32 GiB"));
    }

    #[test]
    fn the_disk_is_asked_now_and_then() {
        let (mut quota, mut asked) = (Quota::default(), 0);
        for bytes in (0..1 << 30).step_by(1 << 20) {
            let ask = || {
                asked += 1;
                None
            };
            quota.check(bytes, ask).expect("nobody knows, so it goes on");
        }
        assert_eq!(asked, 16);
    }
}
