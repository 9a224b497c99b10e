//! How long the shopper waits for a person.

use cart_core::view::{AgeWait, View, Waiting};
use cart_ui::AgeLine;
use slint::{ModelRc, VecModel};

use super::basket::number;
use super::pictures::Place;
use super::{CartWindow, Format, Pictures};

/// So many things are shown; the others are counted.
const SHOWN: usize = 2;

pub(super) fn apply(
    window: &impl CartWindow,
    view: &View,
    before: Option<&View>,
    pictures: &Pictures,
    format: &Format,
) {
    let data = window.waits();
    let Waiting { help_s, age, age_s, before: calls, usual_s, coming } = &view.waiting;
    let time = |seconds: &Option<u32>| seconds.map(|s| format.minutes_and_seconds(s).into()).unwrap_or_default();
    data.set_help_time(time(help_s));
    data.set_age_time(time(age_s));
    data.set_before(calls.map_or(-1, number));
    // Half a minute is a minute to somebody who waits.
    data.set_usual_minutes(usual_s.map_or(0, |s| number(s.div_ceil(60).max(1))));
    data.set_coming(*coming);
    if before.is_none_or(|b| b.waiting.age != *age) {
        let shown = age.iter().take(SHOWN).map(|wait| line(wait, pictures));
        data.set_age(ModelRc::new(VecModel::from(shown.collect::<Vec<_>>())));
        data.set_age_more(number(u32::try_from(age.len().saturating_sub(SHOWN)).unwrap_or(u32::MAX)));
    }
    // Whoever comes to the lane with an open check is told why they cannot pay yet.
    let arrived = view.lane.is_some() && before.is_some_and(|b| b.lane.is_none());
    if age.is_empty() {
        data.set_age_open(false);
    } else if arrived {
        data.set_age_open(true);
    }
}

fn line(wait: &AgeWait, pictures: &Pictures) -> AgeLine {
    AgeLine {
        name: wait.name.as_str().into(),
        picture: pictures.picture(&wait.sku, &wait.name, Place::Result),
        pieces: number(wait.pieces),
        min_age: i32::from(wait.min_age),
    }
}
