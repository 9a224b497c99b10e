//! What the cart says aloud: the words in every language, their order, and the programs that say them.

mod hands;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use cart_app::speech::{Kind, Programs, Speaker, Voice, Words};
use cart_app::ui::{CartWindow, Language, sample};
use cart_core::View;
use cart_core::view::WaitsFor;
use hands::{Bench, ROOMS, named};
use tempfile::TempDir;
use trip::{Currency, Grams, Money, Quantity};

/// Remembers what it is told to say.
#[derive(Clone, Default)]
struct Ear(Rc<RefCell<Vec<String>>>);

impl Ear {
    fn heard(&self) -> Vec<String> {
        self.0.borrow_mut().drain(..).collect()
    }
}

impl Speaker for Ear {
    fn say(&self, words: Words) {
        self.0.borrow_mut().push(words.text);
    }

    fn settle(&self) {
        self.0.borrow_mut().push("(settled)".into());
    }

    fn hush(&self) {
        self.0.borrow_mut().push("(hush)".into());
    }

    fn works(&self) -> bool {
        true
    }
}

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn with(change: impl FnOnce(&mut View)) -> View {
    let mut view = sample::basket();
    change(&mut view);
    view
}

/// The basket with one thing more.
fn fuller() -> View {
    with(|view| {
        let mut line = sample::line(20, "banana", "Bananas", 281);
        line.quantity = Quantity::Weighed(Grams(1_204));
        view.lines.insert(0, line);
        (view.total, view.items) = (gbp(2_945), 11);
    })
}

/// A basket that speaks, and who listens.
fn speaking(language: Language) -> (Bench, Ear) {
    let bench = Bench::new(ROOMS[0], language, &sample::basket());
    let ear = Ear::default();
    bench.screen.screen().set_speaker(Some(Box::new(ear.clone())));
    bench.screen.screen().window().state().set_speech(true);
    (bench, ear)
}

#[test]
fn what_comes_goes_and_adds_up_is_said_in_every_language() {
    let (bench, ear) = speaking(Language::English);
    for (language, came, total, went) in [
        (
            Language::English,
            "Added: Bananas, 1 kilogram 204 grams, 2 pounds 81 pence.",
            "Total 29 pounds 45 pence. 11 things in the cart.",
            "Taken out: Bananas, 2 pounds 81 pence less.",
        ),
        (
            Language::German,
            "Dazu: Bananas, 1 Kilo 204 Gramm, 2 Pfund 81 Pence.",
            "Summe 29 Pfund 45 Pence. 11 Artikel im Wagen.",
            "Herausgenommen: Bananas, 2 Pfund 81 Pence weniger.",
        ),
        (
            Language::French,
            "Ajouté : Bananas, 1 kilo 204 grammes, 2 livres 81 pence.",
            "Total : 29 livres 45 pence. 11 articles dans le chariot.",
            "Retiré : Bananas, 2 livres 81 pence en moins.",
        ),
        (
            Language::Spanish,
            "Añadido: Bananas, 1 kilo con 204 gramos, 2 libras con 81 peniques.",
            "Total: 29 libras con 45 peniques. 11 artículos en el carro.",
            "Sacado: Bananas, 2 libras con 81 peniques menos.",
        ),
        (
            Language::Arabic,
            "أضيف: Bananas، كيلوغرام واحد و204 غرامات، جنيهان و81 بنسا.",
            "المجموع 29 جنيها و45 بنسا. 11 غرضا في العربة.",
            "أخرج: Bananas، أقل بـ جنيهان و81 بنسا.",
        ),
        (
            Language::Japanese,
            "ついか: Bananas、1 キロ 204 グラム、2 ポンド 81 ペンス。",
            "ごうけい 29 ポンド 45 ペンス。 カートに 11 てん。",
            "とりだし: Bananas、2 ポンド 81 ペンス へりました。",
        ),
    ] {
        bench.screen.screen().set_language(language);
        bench.screen.apply(&fuller());
        assert_eq!(ear.heard(), [came, total], "{language:?}");
        bench.screen.apply(&sample::basket());
        assert_eq!(ear.heard()[0], went, "{language:?}");
    }
}

#[test]
fn a_question_names_its_answers_and_what_it_waits_for() {
    let (bench, ear) = speaking(Language::English);
    let ask = named("ask");
    bench.screen.apply(&ask);
    let heard = ear.heard().join(" ");
    assert!(heard.contains("What did you put in? Satsumas, 78 pence. Navel orange, 65 pence."), "{heard}");
    let mut code = ask.clone();
    code.ask.iter_mut().for_each(|ask| ask.waits_for = WaitsFor::Code);
    bench.screen.apply(&code);
    assert_eq!(ear.heard(), ["Show its code to the camera."]);
    bench.screen.apply(&with(|view| view.holds = ask.holds.clone()));
    assert_eq!(ear.heard(), ["(settled)"]);
    bench.screen.apply(&named("ask-which-removed"));
    let heard = ear.heard().join(" ");
    assert!(heard.contains("What did you take out? Oat drink 1 l, 1 pound 85 pence."), "{heard}");
}

#[test]
fn who_did_not_ask_for_it_hears_nothing_and_the_next_shopper_neither() {
    let (bench, ear) = speaking(Language::English);
    let state = || bench.screen.screen().window().state();
    state().set_speech(false);
    bench.screen.apply(&fuller());
    assert_eq!(ear.heard(), [""; 0]);
    state().set_speech(true);
    bench.screen.apply(&named("goodbye"));
    ear.heard();
    bench.screen.apply(&named("welcome"));
    assert_eq!(ear.heard(), ["(hush)"]);
    assert!(!state().get_speech());
}

#[test]
fn it_is_switched_on_with_a_word_and_off_at_once() {
    let (bench, ear) = speaking(Language::German);
    let state = || bench.screen.screen().window().state();
    state().set_speech(false);
    state().set_reading_open(true);
    bench.screen.settle();
    bench.tap("Vorlesen");
    assert_eq!(ear.heard(), ["Der Wagen spricht jetzt."]);
    bench.tap("Vorlesen");
    assert_eq!(ear.heard(), ["(hush)"]);
}

#[test]
fn a_cart_without_a_voice_says_so_where_it_is_chosen() {
    let bench = Bench::sample("basket");
    bench.screen.screen().window().state().set_reading_open(true);
    bench.screen.settle();
    assert!(bench.element("No voice is installed.").is_none());
    bench.screen.screen().set_speaker(None);
    bench.screen.settle();
    assert!(bench.element("No voice is installed.").is_some());
    let switch = bench.element("Say it aloud").expect("the option stays");
    assert_eq!(switch.accessible_enabled(), Some(false));
    bench.tap("Say it aloud");
    assert!(!bench.screen.screen().window().state().get_speech());
    bench.screen.apply(&fuller());
}

#[test]
fn nothing_is_said_of_what_is_held_but_that_it_is_not_charged() {
    let (bench, ear) = speaking(Language::English);
    bench.screen.apply(&with(|view| view.holds = named("basket-held").holds));
    assert_eq!(ear.heard(), ["Something is not known yet. It is not charged."]);
}

/// A program that takes what is said to it for a log, as the real ones take it for a loudspeaker: it begins,
/// waits until it may go on, and ends.
struct StandIn {
    folder: TempDir,
}

impl StandIn {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let log = folder.path().join("log");
        let script = format!(
            "#!/bin/sh\ntext=$(cat)\necho \"begin $text\" >> {log}\n\
             case \"$text\" in *breaks*) exit 1;; *dies*) if [ ! -e {dir}/died ]; then touch {dir}/died; exit 1; fi;; esac\n\
             while [ ! -e {dir}/go ]; do sleep 0.01; done\necho \"end $text\" >> {log}\n",
            log = log.display(),
            dir = folder.path().display(),
        );
        let path = folder.path().join("espeak-ng");
        std::fs::write(&path, script).expect("a script");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).expect("a program");
        Self { folder }
    }

    fn voice(&self) -> Voice {
        let programs = Programs::find_in(self.folder.path().as_os_str());
        assert!(!programs.is_empty());
        Voice::new(programs).expect("a voice")
    }

    /// What waits may end, now and from now on.
    fn go(&self) {
        std::fs::write(self.folder.path().join("go"), "").expect("a sign");
    }

    fn log(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn wait_for(&self, line: &str) {
        wait_until(line, || self.log().iter().any(|l| l == line));
    }
}

fn wait_until(what: &str, there: impl Fn() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn words(kind: Kind, text: &str) -> Words {
    Words { text: text.into(), language: Language::English, kind }
}

#[test]
fn a_question_interrupts_and_the_old_total_is_never_said() {
    let stand_in = StandIn::new();
    let voice = stand_in.voice();
    voice.say(words(Kind::News, "oats added"));
    stand_in.wait_for("begin oats added");
    voice.say(words(Kind::Total, "total one"));
    voice.say(words(Kind::Total, "total two"));
    voice.say(words(Kind::Question, "what is it?"));
    stand_in.wait_for("begin what is it?");
    stand_in.go();
    stand_in.wait_for("end total two");
    let log = stand_in.log();
    let expected = ["begin oats added", "begin what is it?", "end what is it?"];
    assert_eq!(log[..3], expected, "{log:?}");
    assert_eq!(log[3..], ["begin oats added", "end oats added", "begin total two", "end total two"], "{log:?}");
}

#[test]
fn an_answered_question_is_asked_no_further_and_silence_is_kept() {
    let stand_in = StandIn::new();
    let voice = stand_in.voice();
    voice.say(words(Kind::Question, "what is it?"));
    stand_in.wait_for("begin what is it?");
    voice.settle();
    voice.say(words(Kind::News, "oats added"));
    stand_in.wait_for("begin oats added");
    voice.hush();
    stand_in.go();
    voice.say(words(Kind::News, "last"));
    stand_in.wait_for("end last");
    assert_eq!(stand_in.log(), ["begin what is it?", "begin oats added", "begin last", "end last"]);
}

#[test]
fn a_voice_that_dies_begins_again_and_one_that_cannot_speak_breaks_nothing() {
    let stand_in = StandIn::new();
    stand_in.go();
    let voice = stand_in.voice();
    voice.say(words(Kind::News, "dies once"));
    stand_in.wait_for("end dies once");
    assert_eq!(stand_in.log(), ["begin dies once", "begin dies once", "end dies once"]);
    voice.say(words(Kind::News, "breaks"));
    wait_until("the voice to be known to fail", || !voice.works());
    voice.say(words(Kind::News, "well again"));
    stand_in.wait_for("end well again");
    wait_until("the voice to be known to work", || voice.works());
    // Gone altogether, in the midst of a trip.
    std::fs::remove_file(stand_in.folder.path().join("espeak-ng")).expect("it was there");
    voice.say(words(Kind::News, "unheard"));
    wait_until("the voice to be known to fail", || !voice.works());
}

#[test]
fn who_is_dropped_is_silent() {
    let stand_in = StandIn::new();
    let voice = stand_in.voice();
    voice.say(words(Kind::News, "long"));
    stand_in.wait_for("begin long");
    drop(voice);
    stand_in.go();
    assert_eq!(stand_in.log(), ["begin long"]);
}

#[test]
fn without_any_program_there_is_no_voice() {
    let folder = TempDir::new().expect("a folder");
    assert!(Voice::new(Programs::find_in(folder.path().as_os_str())).is_err());
}

/// Samples of a WAV file: 16 bits, one channel, as espeak-ng writes them.
fn samples(wav: &Path) -> Vec<i16> {
    let bytes = std::fs::read(wav).unwrap_or_default();
    assert_eq!(bytes.get(..4), Some(&b"RIFF"[..]), "{} is no sound", wav.display());
    bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[test]
fn the_real_voice_speaks_every_language() {
    let mut programs = Programs::find();
    assert!(programs.espeak_ng.is_some(), "espeak-ng is missing; ./trundle test installs it");
    programs.spd_say = None;
    let folder = TempDir::new().expect("a folder");
    for (language, text) in [
        (Language::English, "Total 29 pounds 45 pence."),
        (Language::German, "Summe 29 Pfund 45 Pence."),
        (Language::French, "Total : 29 livres 45 pence."),
        (Language::Spanish, "Total: 29 libras con 45 peniques."),
        (Language::Arabic, "المجموع 29 جنيها و45 بنسا."),
        (Language::Japanese, "ごうけい 29 ポンド 45 ペンス。"),
    ] {
        let wav: PathBuf = folder.path().join(format!("{}.wav", language.tag()));
        programs.more = vec!["-w".into(), wav.clone().into()];
        let voice = Voice::new(programs.clone()).expect("a voice");
        voice.say(Words { text: text.into(), language, kind: Kind::Total });
        // It is out when a second sentence has overwritten none of it and the voice still works.
        wait_until("the sound", || std::fs::metadata(&wav).is_ok_and(|file| file.len() > 22_050));
        assert!(voice.works(), "{language:?}");
        drop(voice);
        let samples = samples(&wav);
        let loudest = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        // At 22,050 samples a second, no sentence of ours takes less than half a second.
        assert!(samples.len() > 10_000 && loudest > 2_000, "{language:?}: {} samples, {loudest}", samples.len());
    }
}
