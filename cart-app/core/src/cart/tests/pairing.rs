//! How a trip begins, and the list that a shopper brings.

use trip::gs1::Item;
use trip::list::Noted;
use trip::message::Desired;
use trip::pairing::is_digest_of;
use trip::{Member, TripId};

use super::*;
use crate::view::StartView;

const URL: &str = "https://carts.example/pair/cart-01";
const CARD: &str = "2612345678905";

impl Bench {
    /// At the start screen of a store that lets phones join.
    fn starting() -> Self {
        let mut bench = Self::new();
        let receipt_key = base64_of(&[9; 32]);
        let desired = Desired { v: VERSION, catalogue: Hash::GENESIS, receipt_key, pair_url: Some(URL.into()) };
        bench.input(Input::Desired(desired));
        bench.tap(Intent::Begin);
        bench
    }

    fn start_view(&self) -> StartView {
        match self.cart.view().screen {
            Screen::Start(view) => view,
            other => panic!("no start screen: {other:?}"),
        }
    }

    /// The token in the QR.
    fn token(&self) -> String {
        let link = self.start_view().link.expect("a link");
        link.strip_prefix(URL).and_then(|rest| rest.strip_prefix("#/")).expect("the hub's address").to_owned()
    }

    fn phone_joins(&mut self, token: &str, list: &[&str]) {
        let trip = self.offer.as_ref().map_or_else(|| TripId::new("cart-01.1.1").expect("valid"), |o| o.trip.clone());
        self.phone_joins_for(trip, token, list);
    }

    fn phone_joins_for(&mut self, trip: TripId, token: &str, list: &[&str]) {
        let list = list.iter().map(ToString::to_string).collect();
        let order = Order::Pair { token: token.into(), phone: Hash::of(b"secret"), member: None, list };
        let command = Command { v: VERSION, id: "p".into(), expires_at: UnixMillis(i64::MAX), trip, lock: None, order };
        self.input(Input::Command(command));
    }

    /// Text, and whether it is ticked.
    fn listed(&mut self) -> Vec<(String, bool)> {
        self.tap(Intent::ShowList);
        let Screen::List(list) = self.cart.view().screen else { panic!("no list") };
        self.tap(Intent::Back);
        list.entries.into_iter().map(|entry| (entry.text, entry.ticked)).collect()
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn entries(all: &[(&str, bool)]) -> Vec<(String, bool)> {
    all.iter().map(|(text, ticked)| ((*text).to_owned(), *ticked)).collect()
}

#[test]
fn a_guest_starts_with_one_tap_and_back_leads_to_the_welcome() {
    let mut bench = Bench::starting();
    bench.tap(Intent::Back);
    assert_eq!(bench.cart.view().screen, Screen::Welcome);
    bench.tap(Intent::Begin);
    bench.tap(Intent::Start);
    assert_eq!(bench.cart.view().screen, Screen::Basket);
    assert_eq!(bench.journal.len(), 1, "a guest leaves no word of who they are");
}

#[test]
fn a_phone_with_the_token_begins_the_trip_and_brings_the_list() {
    let mut bench = Bench::starting();
    let token = bench.token();
    let offer = bench.offer.clone().expect("an offer");
    assert!(is_digest_of(&offer.tokens[0], &token));
    bench.phone_joins(&token, &["tea", "fairy dust"]);
    let phone = Some(Hash::of(b"secret"));
    assert_eq!(bench.journal.get(1), Some(&TripEvent::ShopperPaired { member: None, phone }));
    assert_eq!(bench.cart.state().trip.as_ref(), Some(&offer.trip));
    assert!(bench.cart.view().joined.phone);
    assert_eq!(bench.offer, None, "nothing is offered during a trip");
    assert_eq!(bench.cart.view().list, Some((0, 2)));
    let journal = format!("{:?}", bench.journal);
    assert!(!journal.contains("fairy"), "what a shopper means to buy is in no journal: {journal}");
}

#[test]
fn a_wrong_a_used_and_an_old_token_begin_nothing() {
    let mut bench = Bench::starting();
    let token = bench.token();
    for wrong in ["", "A", &token[..21], &format!("{token}A")] {
        bench.phone_joins(wrong, &[]);
        assert_eq!(bench.cart.state().phase, Phase::Idle, "{wrong:?}");
    }
    bench.phone_joins(&token, &[]);
    bench.tap(Intent::EndEmpty);
    assert_eq!(bench.cart.state().phase, Phase::Idle);
    let next = TripId::new("cart-01.1.2").expect("valid");
    bench.phone_joins_for(next.clone(), &token, &[]);
    assert_eq!(bench.cart.state().phase, Phase::Idle, "a token is good once");
    bench.tap(Intent::Begin);
    let old = bench.token();
    bench.wait(301_000);
    bench.phone_joins_for(next, &old, &[]);
    assert_eq!(bench.cart.state().phase, Phase::Idle, "a token is good for five minutes");
}

#[test]
fn a_token_for_another_trip_begins_nothing() {
    let mut bench = Bench::starting();
    let token = bench.token();
    bench.phone_joins_for(TripId::new("cart-01.1.7").expect("valid"), &token, &[]);
    assert_eq!(bench.cart.state().phase, Phase::Idle);
}

#[test]
fn tokens_rotate_each_is_good_for_a_while_and_none_after_a_guest_has_begun() {
    let mut bench = Bench::starting();
    let first = bench.token();
    bench.wait(61_000);
    let second = bench.token();
    assert_ne!(first, second);
    assert_eq!(bench.offer.as_ref().map(|o| o.tokens.len()), Some(2));
    bench.tap(Intent::Start);
    bench.tap(Intent::EndEmpty);
    for token in [&first, &second] {
        bench.phone_joins_for(TripId::new("cart-01.1.2").expect("valid"), token, &[]);
        assert_eq!(bench.cart.state().phase, Phase::Idle);
    }
}

#[test]
fn who_is_still_typing_when_the_welcome_is_back_may_join() {
    let mut bench = Bench::starting();
    let token = bench.token();
    bench.wait(200_000);
    assert_eq!(bench.cart.view().screen, Screen::Welcome, "nobody stands there");
    bench.phone_joins(&token, &[]);
    assert_eq!(bench.cart.view().screen, Screen::Basket);
}

#[test]
fn out_of_reach_of_the_hub_no_code_is_shown_and_the_other_ways_go_on() {
    let mut bench = Bench::starting();
    bench.input(Input::Link { connected: false });
    assert_eq!(bench.start_view(), StartView { link: None, phones: true, wrong_number: false });
    bench.tap(Intent::Member { number: "2612345678900".into() });
    assert!(bench.start_view().wrong_number);
    bench.tap(Intent::Member { number: CARD.into() });
    let member = Member::parse(CARD).ok();
    assert_eq!(bench.journal.get(1), Some(&TripEvent::ShopperPaired { member, phone: None }));
    assert_eq!(bench.cart.view().joined.member.as_deref(), Some("•••• 8905"));
}

#[test]
fn a_loyalty_card_is_read_only_at_the_start_and_a_product_is_none() {
    let scan = |bench: &mut Bench, content: Scanned| {
        let symbology = Symbology::Ean13;
        bench.input(Input::Scan(Scan { at: bench.now, camera: CameraId(0), symbology, content, frames: 3 }));
    };
    let gtin = Gtin::parse("96385074").expect("valid");
    let product = Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None };
    let mut bench = Bench::new();
    scan(&mut bench, Scanned::Other(CARD.into()));
    assert_eq!(bench.cart.view().screen, Screen::Welcome, "a card held up by chance");
    bench.tap(Intent::Begin);
    scan(&mut bench, Scanned::Item(product));
    scan(&mut bench, Scanned::Other("https://example.org/".into()));
    assert!(matches!(bench.cart.view().screen, Screen::Start(_)));
    scan(&mut bench, Scanned::Other(CARD.into()));
    assert_eq!(bench.cart.state().member, Member::parse(CARD).ok());
}

#[test]
fn a_line_ticks_the_entry_it_fits_best_and_unticks_it_when_it_goes() {
    let mut bench = Bench::starting();
    let token = bench.token();
    bench.phone_joins(&token, &["drink", "2 tea", "candles"]);
    bench.see(&[("tea", 0.95)]);
    bench.load(150.0);
    assert_eq!(bench.cart.view().list, Some((0, 3)), "two were wanted");
    bench.see(&[("tea", 0.95)]);
    bench.load(150.0);
    assert_eq!(bench.cart.view().list, Some((1, 3)));
    bench.tap(Intent::TickEntry { entry: 2, on: true });
    assert_eq!(bench.cart.view().list, Some((2, 3)));
    // What is done stands below what is open.
    assert_eq!(bench.listed(), entries(&[("drink", false), ("2 tea", true), ("candles", true)]));
    bench.load(-150.0);
    assert_eq!(bench.cart.view().list, Some((1, 3)), "one went out again");
}

#[test]
fn the_list_is_kept_over_a_restart_and_forgotten_with_the_trip() {
    let mut bench = Bench::starting();
    let token = bench.token();
    bench.phone_joins(&token, &["milk", "candles"]);
    bench.tap(Intent::TickEntry { entry: 1, on: true });
    let noted = |text: &str, ticked| Noted { text: text.into(), ticked };
    assert_eq!(bench.kept, [noted("milk", false), noted("candles", true)]);
    bench.order(Order::List { entries: vec!["candles".into(), "lime".into()] });
    assert_eq!(bench.listed(), entries(&[("lime", false), ("candles", true)]), "the phone has changed it");
    bench.tap(Intent::EndEmpty);
    assert_eq!((bench.kept.len(), bench.cart.view().list), (0, None));
}
