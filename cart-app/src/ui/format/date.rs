//! Dates and times of day as the shopper's language writes them.
//!
//! Six patterns and the names of the months are all that a receipt and a clock need; ICU4X's `icu_datetime`
//! brings calendars, zones and their data for it. Two things differ from CLDR: English has the day first,
//! as the pound's country has it, and every clock has 24 hours, as tills print them.
//!
//! Source: CLDR 48, `dates/calendars/gregorian`: `dateFormats/long`, `months/format/wide`, `timeFormats/short`.

use jiff::civil::{Date, Time};

use super::Format;
use crate::ui::Language;

impl Format {
    /// `25 November 2026`, `25. November 2026`, `2026年11月25日`.
    pub fn date(&self, date: Date) -> String {
        let (year, day) = (date.year(), date.day());
        let month = self.month(date.month());
        match self.language {
            Language::English | Language::French => format!("{day} {month} {year}"),
            Language::German => format!("{day}. {month} {year}"),
            Language::Spanish => format!("{day} de {month} de {year}"),
            Language::Arabic => format!("\u{2067}{day} {month} {year}\u{2069}"),
            Language::Japanese => format!("{year}年{}月{day}日", date.month()),
        }
    }

    /// `14:05`, `9:05` where hours stand without a nought.
    pub fn time(&self, time: Time) -> String {
        let (hour, minute) = (time.hour(), time.minute());
        match self.language {
            Language::Spanish | Language::Japanese => format!("{hour}:{minute:02}"),
            Language::English | Language::German | Language::French | Language::Arabic => {
                format!("{hour:02}:{minute:02}")
            }
        }
    }

    fn month(&self, month: i8) -> &'static str {
        let names = match self.language {
            Language::English => ENGLISH,
            Language::German => GERMAN,
            Language::French => FRENCH,
            Language::Spanish => SPANISH,
            Language::Arabic => ARABIC,
            // Written as a number: its pattern has no name.
            Language::Japanese => [""; 12],
        };
        usize::try_from(month - 1).ok().and_then(|index| names.get(index).copied()).unwrap_or_default()
    }
}

const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const GERMAN: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const FRENCH: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const SPANISH: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const ARABIC: [&str; 12] =
    ["يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::WeightUnit;

    #[test]
    fn a_day_and_an_hour_are_written_as_their_reader_writes_them() {
        let (date, time) = (jiff::civil::date(2026, 11, 5), jiff::civil::time(9, 5, 59, 0));
        for (language, day, hour) in [
            (Language::English, "5 November 2026", "09:05"),
            (Language::German, "5. November 2026", "09:05"),
            (Language::French, "5 novembre 2026", "09:05"),
            (Language::Spanish, "5 de noviembre de 2026", "9:05"),
            (Language::Arabic, "\u{2067}5 نوفمبر 2026\u{2069}", "09:05"),
            (Language::Japanese, "2026年11月5日", "9:05"),
        ] {
            let format = Format::new(language, WeightUnit::Kg);
            assert_eq!((format.date(date).as_str(), format.time(time).as_str()), (day, hour), "{language:?}");
        }
    }

    #[test]
    fn every_month_has_a_name_of_its_own() {
        for language in [Language::English, Language::German, Language::French, Language::Spanish, Language::Arabic] {
            let format = Format::new(language, WeightUnit::Kg);
            let mut dates: Vec<_> = (1..=12).map(|month| format.date(jiff::civil::date(2026, month, 1))).collect();
            dates.dedup();
            assert!(dates.len() == 12 && dates.iter().all(|date| date.chars().count() > 7), "{dates:?}");
        }
    }
}
