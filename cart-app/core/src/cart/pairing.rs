//! How a trip begins: the start screen with its three ways. As a guest is always one tap; a loyalty number is
//! checked here; a phone joins by a one-time token that the screen shows as QR.
//!
//! Tokens are made of a seed that is new at each boot, rotate while the start screen is open, and are good for
//! a few minutes, so that a shopper may fill in the phone's page in peace. All are void once a trip begins.

use std::time::Duration;

use hal::Moment;
use trip::gs1::Scanned;
use trip::message::{Command, Offer, Order};
use trip::pairing::{Token, is_digest_of};
use trip::{Hash, Member, Phase, TripEvent, TripId};

use super::Cart;
use crate::effect::{Effect, Signal};
use crate::view::{Joined, Screen, StartView};

/// A token is shown for so long; then the next.
const SHOWN_FOR: Duration = Duration::from_secs(60);
/// It is good for so long, as some type a list first.
const GOOD_FOR: Duration = Duration::from_secs(300);
/// The start screen gives way to the welcome after so long without a touch.
const LEFT_AFTER: Duration = Duration::from_secs(180);

/// What is offered to phones, and whether the start screen is open.
#[derive(Clone, Debug)]
pub(super) struct Pairing {
    seed: Hash,
    /// Tokens made so far in this run.
    made: u64,
    /// Those that are good, newest first, and when each was made.
    good: Vec<(Token, Moment)>,
    open: Option<Open>,
    /// Where a phone joins this cart, as the hub says.
    url: Option<String>,
}

/// The start screen while it is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    touched: Moment,
    /// The last number typed is no loyalty number.
    wrong: bool,
}

impl Pairing {
    pub(super) fn new(seed: Hash) -> Self {
        Self { seed, made: 0, good: Vec::new(), open: None, url: None }
    }

    /// Where the hub lets phones in; true when that is news.
    pub(super) fn reach(&mut self, url: Option<&str>) -> bool {
        let news = self.url.as_deref() != url;
        self.url = url.map(str::to_owned);
        news
    }

    fn make(&mut self, now: Moment) {
        self.made += 1;
        self.good.insert(0, (Token::derive(&self.seed, self.made), now));
    }
}

impl Cart {
    /// "Start shopping": the three ways.
    pub(super) fn open_start(&mut self, now: Moment) {
        if self.may_begin() {
            self.goodbye = None;
            self.pairing.open = Some(Open { touched: now, wrong: false });
            self.pairing.make(now);
            self.offer();
        }
    }

    /// Back to the welcome. The tokens that were shown stay good for their time.
    pub(super) fn leave_start(&mut self) -> bool {
        self.pairing.open.take().is_some()
    }

    /// A sign of somebody at the start screen.
    pub(super) fn touch_start(&mut self, now: Moment) {
        if let Some(open) = &mut self.pairing.open {
            open.touched = now;
        }
    }

    /// True while a trip may begin.
    pub(super) fn may_begin(&self) -> bool {
        let charging = self.gauge.charge().is_some_and(|(_, charging)| charging);
        self.state.phase == Phase::Idle && !charging && !self.below_reserve()
    }

    /// The name of the trip that would begin.
    pub(super) fn next_trip(&self) -> Option<TripId> {
        TripId::new(format!("{}.{}", self.setup.trip_base, self.setup.trips + 1)).ok()
    }

    /// Once a trip has begun, nothing that was shown before is of use.
    pub(super) fn close_start(&mut self) {
        self.pairing.open = None;
        if !self.pairing.good.is_empty() {
            self.pairing.good.clear();
            self.offer();
        }
    }

    /// Tells the hub which tokens are good.
    fn offer(&mut self) {
        let tokens: Vec<Hash> = self.pairing.good.iter().map(|(token, _)| token.digest()).collect();
        let offer = self.next_trip().filter(|_| !tokens.is_empty()).map(|trip| Offer { trip, tokens });
        self.effects.push_back(Effect::Offer(offer));
    }

    /// A loyalty number was typed: the trip begins with it, or the screen says what is wrong.
    pub(super) fn join_by_number(&mut self, number: &str) {
        if self.pairing.open.is_none() {
            return;
        }
        match Member::parse(number) {
            Ok(member) => self.start(Some(TripEvent::ShopperPaired { member: Some(member), phone: None })),
            Err(_) => self.refuse_number(true),
        }
    }

    fn refuse_number(&mut self, wrong: bool) {
        if let Some(open) = &mut self.pairing.open {
            open.wrong = wrong;
        }
    }

    /// A code held up while the start screen is open may be a loyalty card's; a product's never is.
    pub(super) fn join_by_card(&mut self, scanned: &Scanned) {
        if let Scanned::Other(text) = scanned
            && let Ok(member) = Member::parse(text)
            && self.pairing.open.is_some()
        {
            self.start(Some(TripEvent::ShopperPaired { member: Some(member), phone: None }));
            self.signal(Signal::Added);
        }
    }

    /// A phone brought a token. It is good once: the trip that it names begins, and then it is another's.
    pub(super) fn join_by_phone(&mut self, command: Command) {
        let Order::Pair { token, phone, member, list } = command.order else { return };
        if !self.may_begin() || self.next_trip().as_ref() != Some(&command.trip) {
            return;
        }
        // All of them are looked at, whichever fits.
        let fits = |good: bool, (one, _): &(Token, Moment)| good | is_digest_of(&one.digest(), &token);
        if !self.pairing.good.iter().fold(false, fits) {
            return self.effects.push_back(Effect::Warn("a phone brought a token that is not good any more".into()));
        }
        self.start(Some(TripEvent::ShopperPaired { member, phone: Some(phone) }));
        self.bring_list(list);
        self.signal(Signal::Added);
    }

    /// When there is something to do about it.
    pub(super) fn pairing_due(&self) -> Option<Moment> {
        let newest = self.pairing.good.first().map(|(_, made)| *made + SHOWN_FOR);
        let next = newest.filter(|_| self.pairing.open.is_some());
        let oldest = self.pairing.good.last().map(|(_, made)| *made + GOOD_FOR);
        let left = self.pairing.open.map(|open| open.touched + LEFT_AFTER);
        [next, oldest, left].into_iter().flatten().min()
    }

    /// Shows the next token, forgets old ones, and closes a start screen that nobody stands before.
    pub(super) fn pairing_tick(&mut self, now: Moment) {
        let left = self.pairing.open.is_some_and(|open| now >= open.touched + LEFT_AFTER);
        if left || (self.pairing.open.is_some() && !self.may_begin()) {
            self.pairing.open = None;
            self.effects.push_back(Effect::Show);
        }
        let count = self.pairing.good.len();
        self.pairing.good.retain(|(_, made)| now < *made + GOOD_FOR);
        let shown = self.pairing.good.first().is_some_and(|(_, made)| now < *made + SHOWN_FOR);
        let next = self.pairing.open.is_some() && !shown;
        if next {
            self.pairing.make(now);
            self.effects.push_back(Effect::Show);
        }
        if next || count != self.pairing.good.len() {
            self.offer();
        }
    }

    /// The start screen, while it is open.
    pub(super) fn start_screen(&self) -> Option<Screen> {
        let open = self.pairing.open?;
        let token = self.pairing.good.first().map(|(token, _)| token.as_str());
        let link = self.pairing.url.as_deref().zip(token).map(|(url, token)| format!("{url}#/{token}"));
        let view = StartView {
            link: link.filter(|_| self.connected()),
            phones: self.pairing.url.is_some(),
            wrong_number: open.wrong,
        };
        Some(Screen::Start(view))
    }

    /// Who shops, as far as they said.
    pub(super) fn joined(&self) -> Joined {
        Joined { member: self.state.member.as_ref().map(Member::masked), phone: self.state.phone.is_some() }
    }
}
