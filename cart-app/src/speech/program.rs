//! The programs that can speak, and how each wants to be asked.
//!
//! Source: espeak-ng(1) 1.51, spd-say(1) 0.11.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::ui::Language;

/// No sentence of ours is this long; it bounds what a product's name can make it. In characters.
const LONGEST: usize = 600;

/// What this machine has to speak with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programs {
    /// espeak-ng, the synthesiser itself.
    pub espeak_ng: Option<PathBuf>,
    /// spd-say, which asks speech-dispatcher, which has whatever voices were installed with it.
    pub spd_say: Option<PathBuf>,
    /// Further arguments, such as espeak-ng's `-w FILE` for a test.
    pub more: Vec<OsString>,
}

impl Programs {
    /// Those in the folders of `PATH`.
    pub fn find() -> Self {
        Self::find_in(&std::env::var_os("PATH").unwrap_or_default())
    }

    /// Those in these folders, written as `PATH` is.
    pub fn find_in(path: &std::ffi::OsStr) -> Self {
        let find = |name: &str| std::env::split_paths(path).map(|folder| folder.join(name)).find(|p| executable(p));
        Self { espeak_ng: find("espeak-ng"), spd_say: find("spd-say"), more: Vec::new() }
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.espeak_ng.is_none() && self.spd_say.is_none()
    }

    /// The command that says its standard input in `language`.
    pub(super) fn command(&self, language: Language) -> Option<Command> {
        let (program, arguments): (_, &[&str]) = match (&self.espeak_ng, &self.spd_say) {
            // espeak-ng reads kana but no kanji; speech-dispatcher may have a voice that reads both.
            (_, Some(spd_say)) if language == Language::Japanese || self.espeak_ng.is_none() => {
                (spd_say, &["--pipe-mode", "--wait", "--language"])
            }
            (Some(espeak_ng), _) => (espeak_ng, &["--stdin", "-b", "1", "-v"]),
            (None, _) => return None,
        };
        let mut command = Command::new(program);
        command.args(arguments).arg(language.tag()).args(&self.more);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    }

    /// What has to be run besides killing the program, so that it is silent: speech-dispatcher speaks on
    /// without its client.
    pub(super) fn silence(&self) -> Option<Command> {
        let mut command = Command::new(self.spd_say.as_ref()?);
        command.arg("--cancel").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    }
}

/// The text as the programs take it: one line without marks of direction and without what they would
/// understand as commands.
///
/// espeak-ng reads `[[...]]` as phonemes, and a line for spd-say that begins with `!-!` is a command to
/// speech-dispatcher.
pub(super) fn plain(text: &str) -> String {
    let invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| if c.is_control() || matches!(c, '[' | ']' | '<' | '>' | '!') { ' ' } else { c };
    let text: String = text.chars().filter(|c| !invisible(*c)).map(plain).take(LONGEST).collect();
    text.trim().to_owned()
}

#[cfg(unix)]
fn executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said_by(espeak_ng: bool, spd_say: bool, language: Language) -> Option<String> {
        let at = |there: bool, name: &str| there.then(|| PathBuf::from(name));
        let programs =
            Programs { espeak_ng: at(espeak_ng, "espeak-ng"), spd_say: at(spd_say, "spd-say"), more: Vec::new() };
        let command = programs.command(language)?;
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        Some(words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn each_language_has_its_voice_and_japanese_one_that_reads_kanji_where_there_is_one() {
        let check = |espeak_ng, spd_say, language, expected: Option<&str>| {
            assert_eq!(said_by(espeak_ng, spd_say, language).as_deref(), expected, "{language:?}");
        };
        check(true, false, Language::German, Some("espeak-ng --stdin -b 1 -v de"));
        check(true, true, Language::Arabic, Some("espeak-ng --stdin -b 1 -v ar"));
        check(false, true, Language::French, Some("spd-say --pipe-mode --wait --language fr"));
        check(true, true, Language::Japanese, Some("spd-say --pipe-mode --wait --language ja"));
        check(true, false, Language::Japanese, Some("espeak-ng --stdin -b 1 -v ja"));
        check(false, false, Language::English, None);
    }

    #[test]
    fn a_name_is_no_command_to_the_voice_and_no_sermon() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected);
        check("Oat drink added.\nTotal", "Oat drink added. Total");
        check("!-!QUIT", "- QUIT");
        check("a [[_::]] b <speak> c", "a   _::   b  speak  c");
        check("\u{2067}\u{200e}1,85 £\u{2069}", "1,85 £");
        check("", "");
        assert_eq!(plain(&"é".repeat(5_000)).chars().count(), LONGEST);
    }
}
