//! Recordings and log lines, a row each.

use std::rc::Rc;

use cart_ui::{LogRow, RecordingRow, StaffLevel};
use slint::{ModelRc, VecModel};

use super::super::screen::update;
use super::super::{CartWindow, Format};
use super::Means;
use crate::staff::log::{LogLevel, LogLine};
use crate::staff::view::{LogView, RecordingFile, RecordingsView};

/// Lines that are shown: more is read in the log itself.
const LINES: usize = 60;

pub(super) struct Lists {
    files: Rc<VecModel<RecordingRow>>,
    lines: Rc<VecModel<LogRow>>,
}

impl Lists {
    pub(super) fn new(window: &impl CartWindow) -> Self {
        let lists = Self { files: Rc::default(), lines: Rc::default() };
        window.staff_recordings().set_files(ModelRc::from(lists.files.clone()));
        window.staff_log().set_lines(ModelRc::from(lists.lines.clone()));
        lists
    }

    pub(super) fn recordings(&self, window: &impl CartWindow, view: &RecordingsView, format: &Format) {
        let data = window.staff_recordings();
        data.set_under_way(view.under_way);
        data.set_folder(view.folder.display().to_string().into());
        data.set_trouble(view.trouble.as_str().into());
        let row = |file: &RecordingFile| RecordingRow {
            name: file.name.as_str().into(),
            size: format.megabytes(file.bytes).into(),
            under_way: file.under_way,
        };
        update(&self.files, view.files.iter().map(row).collect());
    }

    pub(super) fn log(&self, window: &impl CartWindow, view: &LogView, means: &Means<'_>) {
        window.staff_log().set_level(level(view.level));
        let row = |line: &LogLine| LogRow {
            time: means.clock.at(line.at).map(|at| at.strftime("%H:%M:%S").to_string()).unwrap_or_default().into(),
            level: level(line.level),
            part: line.part.as_str().into(),
            text: line.text.as_str().into(),
        };
        update(&self.lines, view.lines.iter().take(LINES).map(row).collect());
    }
}

fn level(level: LogLevel) -> StaffLevel {
    match level {
        LogLevel::Error => StaffLevel::Error,
        LogLevel::Warn => StaffLevel::Warn,
        LogLevel::Info => StaffLevel::Info,
    }
}
