//! What is said aloud: news into sentences of the shopper's language.

use cart_core::view::{View, WaitsFor};
use cart_ui::{CartState, Speech, VoiceState, WaitsKind};
use trip::{Grams, Money};

use super::basket::{number, reason};
use super::{CartWindow, Format, WeightUnit, wishes};
use crate::speech::news::{Amount, News, between};
use crate::speech::{Kind, Speaker, Words};

/// Says what has changed, when the shopper wants to hear it.
pub(super) fn apply(
    window: &impl CartWindow,
    speaker: &dyn Speaker,
    before: Option<&View>,
    view: &View,
    format: &Format,
) {
    if !window.state().get_speech() {
        return;
    }
    let speech = window.speech();
    for news in between(before, view) {
        match sentence(&speech, &news, format) {
            Some(text) => speaker.say(Words { text, language: format.language(), kind: news.kind() }),
            None => speaker.settle(),
        }
    }
    notice(&speech, speaker);
}

/// The shopper has just switched speech on or off.
pub(super) fn turned(state: &CartState<'_>, speech: &Speech<'_>, speaker: &dyn Speaker, format: &Format) {
    if state.get_speech() {
        let text = speech.invoke_begins().into();
        speaker.say(Words { text, language: format.language(), kind: Kind::Question });
    } else {
        speaker.hush();
    }
    notice(speech, speaker);
}

fn notice(speech: &Speech<'_>, speaker: &dyn Speaker) {
    speech.set_voice(if speaker.works() { VoiceState::Works } else { VoiceState::Fails });
}

/// The words of one thing to say; none for what only ends a question.
fn sentence(speech: &Speech<'_>, news: &News, format: &Format) -> Option<String> {
    let money = |amount: &Money| money(speech, *amount, format);
    let words = match news {
        News::Settled => return None,
        News::Added { name, amount, price, age_check, warned } => {
            let name = name.as_str().into();
            let mut words = match amount {
                Amount::Weight(net) => {
                    vec![speech.invoke_added_weight(name, weight(speech, *net, format).into(), money(price).into())]
                }
                Amount::One => vec![speech.invoke_added(name, money(price).into())],
                Amount::Now(pieces) => {
                    vec![speech.invoke_added(name, money(price).into()), speech.invoke_now_pieces(number(*pieces))]
                }
            };
            words.extend(warned.iter().map(|allergen| speech.invoke_warned(wishes::kind(*allergen))));
            if *age_check {
                words.push(speech.invoke_age_check());
            }
            return Some(words.join(" "));
        }
        News::Removed { name, price } => speech.invoke_removed(name.as_str().into(), money(price).into()),
        News::Asked { reason: why, missing, waits_for, answers } => {
            let waits = match waits_for {
                WaitsFor::Answer => WaitsKind::Answer,
                WaitsFor::Code => WaitsKind::Code,
                WaitsFor::Removal => WaitsKind::Removal,
            };
            let mut words = vec![speech.invoke_question(reason(*why), waits, *missing)];
            // What comes off for a removal is said as what it is worth.
            let worth = |price: &Money| Money { minor: price.minor.saturating_abs(), ..*price };
            let answer = |(name, price): &(String, Money)| {
                speech.invoke_answer(name.as_str().into(), money(&worth(price)).into())
            };
            words.extend(answers.iter().map(answer));
            return Some(words.join(" "));
        }
        News::Held => speech.invoke_held(),
        News::Weighed { name, net, price } => {
            speech.invoke_weighed(name.as_str().into(), weight(speech, *net, format).into(), money(price).into())
        }
        News::Total { total, items } => {
            return Some(format!(
                "{} {}",
                speech.invoke_total(money(total).into()),
                speech.invoke_items(number(*items))
            ));
        }
        News::OverBudget => speech.invoke_over_budget(),
        News::ToPay(amount) => speech.invoke_to_pay(money(amount).into()),
        News::Declined => speech.invoke_declined(),
        News::Paid(amount) => speech.invoke_paid(money(amount).into()),
        News::HelpCalled => speech.invoke_help_called(),
        News::HelpComing => speech.invoke_help_coming(),
        News::ScreenShared => speech.invoke_screen_shared(),
        News::ScreenUnshared => speech.invoke_screen_unshared(),
        News::StillThere => speech.invoke_still_there(),
        News::Offline => speech.invoke_offline(),
    };
    Some(words.into())
}

/// An amount as people say it: "1 pound 85 pence". A currency we have no words for is said as it is written.
fn money(speech: &Speech<'_>, amount: Money, format: &Format) -> String {
    let code = amount.currency.code();
    let places = amount.currency.exponent();
    if !matches!(code, "GBP" | "EUR" | "USD" | "JPY") {
        return format.money(amount).to_string();
    }
    let unit = 10_u64.pow(places);
    let whole = amount.minor.unsigned_abs();
    let (Ok(greater), Ok(lesser)) = (i32::try_from(whole / unit), i32::try_from(whole % unit)) else {
        return format.money(amount).to_string();
    };
    let greater_words = || speech.invoke_major(code.into(), greater);
    let lesser_words = || speech.invoke_minor(code.into(), lesser);
    let words = match (greater, lesser) {
        (_, 0) => greater_words(),
        (0, _) => lesser_words(),
        (_, _) => speech.invoke_both(greater_words(), lesser_words()),
    };
    if amount.minor < 0 { speech.invoke_less(words).into() } else { words.into() }
}

/// A weight as people say it: "1 kilogram 250 grams".
fn weight(speech: &Speech<'_>, grams: Grams, format: &Format) -> String {
    if format.unit() == WeightUnit::Lb {
        return speech.invoke_pounds_of_weight(format.pounds(grams).into()).into();
    }
    let felt = grams.0.saturating_abs();
    let (kilograms, rest) = (felt / 1_000, felt % 1_000);
    match (kilograms, rest) {
        (0, _) => speech.invoke_grams(rest).into(),
        (_, 0) => speech.invoke_kilograms(kilograms).into(),
        (_, _) => speech.invoke_both(speech.invoke_kilograms(kilograms), speech.invoke_grams(rest)).into(),
    }
}
