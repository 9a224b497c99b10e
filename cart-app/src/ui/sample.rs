//! Views of a day in the store, for pictures and tests: every screen, and its hard cases.

use cart_core::Device;
use cart_core::view::{
    AgeWait, AskView, Banner, EntryView, HoldView, ItemView, Joined, LineView, ListView, PayBlocked, PayStep, PayView,
    ReceiptView, Screen, SearchView, StartView, TakenOut, TareView, Tile, View, Waiting, WaitsFor, WeighView,
};
use cart_vision::Thumbnail;
use trip::basket::{Evidence, HoldReason};
use trip::{Allergen, Currency, Detail, Grams, HoldId, LineId, Money, Quantity, Sku, UnixMillis};

/// A name of 120 characters, as no product should have and some do.
pub const LONG_NAME: &str = "Organic stone-ground wholemeal spelt and rye sourdough loaf with toasted pumpkin seeds, sunflower seeds and linseed 800g";

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn sku(text: &str) -> Sku {
    // The names below are all valid; a wrong one would show as another product, never as a stop.
    Sku::new(text).or_else(|_| Sku::new("sample")).unwrap_or_else(|_| unreachable!("\"sample\" is a valid name"))
}

/// One piece of a product at `minor` pence.
pub fn line(number: u32, product: &str, name: &str, minor: i64) -> LineView {
    LineView {
        line: LineId(number),
        sku: sku(product),
        name: name.to_owned(),
        quantity: Quantity::Each(1),
        unit: Some(gbp(minor)),
        price: gbp(minor),
        deposit: gbp(0),
        evidence: Evidence::Scanned,
        age_check: false,
        fresh: false,
        warned: Vec::new(),
    }
}

fn weighed(number: u32, product: &str, name: &str, grams: i32, per_kg: i64, minor: i64) -> LineView {
    LineView {
        quantity: Quantity::Weighed(Grams(grams)),
        unit: Some(gbp(per_kg)),
        evidence: Evidence::SeenAndWeighed,
        ..line(number, product, name, minor)
    }
}

fn lines() -> Vec<LineView> {
    vec![
        LineView { fresh: true, ..weighed(9, "apple-granny-smith", "Granny Smith apples", 742, 220, 163) },
        LineView { quantity: Quantity::Each(2), price: gbp(370), ..line(8, "oat-drink-1l", "Oat drink 1 l", 185) },
        weighed(7, "banana", "Bananas", 914, 115, 105),
        line(6, "sourdough-loaf", "Sourdough loaf", 340),
        LineView { deposit: gbp(25), price: gbp(120), ..line(5, "water-still-1500", "Still water 1.5 l", 95) },
        LineView { age_check: true, ..line(4, "red-wine", "Red wine, Rioja", 799) },
        LineView { evidence: Evidence::Chosen, ..weighed(3, "tomato-vine", "Vine tomatoes", 516, 350, 181) },
        line(2, "coffee-beans", "Coffee beans 250 g", 425),
        LineView {
            quantity: Quantity::Priced(281),
            unit: None,
            evidence: Evidence::ScannedOnly,
            ..line(1, "cheese-counter", "Cheddar from the counter", 281)
        },
    ]
}

/// An empty trip at the store of the samples.
pub fn empty() -> View {
    View {
        store_name: "Market Street".to_owned(),
        screen: Screen::Basket,
        banner: None,
        notices: Vec::new(),
        connected: true,
        offline_minutes: None,
        battery: Some((82, false)),
        battery_minutes: None,
        battery_ready: true,
        total: gbp(0),
        items: 0,
        saved: gbp(0),
        lines: Vec::new(),
        holds: Vec::new(),
        ask: None,
        taken_out: None,
        lane: None,
        pay_blocked: Some(PayBlocked::Empty),
        help_called: false,
        waiting: Waiting::default(),
        still_there: None,
        budget: None,
        watched: Vec::new(),
        joined: Joined::default(),
        list: None,
    }
}

/// A basket halfway through a trip.
pub fn basket() -> View {
    View {
        total: gbp(2664),
        items: 10,
        saved: gbp(120),
        lines: lines(),
        pay_blocked: Some(PayBlocked::NoLane),
        ..empty()
    }
}

fn hold(number: u32, grams: i32, reason: HoldReason) -> HoldView {
    HoldView { hold: HoldId(number), weight: Grams(grams), reason, thumbnail: Some(thumbnail()) }
}

/// A blurred orange thing on a dark ground, as a camera would see it.
pub fn thumbnail() -> Thumbnail {
    const SIDE: u32 = 160;
    let mut rgb = Vec::with_capacity((SIDE * SIDE * 3) as usize);
    let mut noise = 0x2545_f491_u32;
    for y in 0..SIDE {
        for x in 0..SIDE {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let grain = (noise % 13) as f32 - 6.0;
            let away = (x as f32 - 84.0).hypot(y as f32 - 78.0);
            let inside = ((62.0 - away) / 5.0).clamp(0.0, 1.0);
            let shade = 1.0 - (x as f32 - 60.0).hypot(y as f32 - 52.0) / 170.0;
            let wire = if (x + y / 3) % 34 < 3 || (y + x / 5) % 38 < 3 { 34.0 } else { 0.0 };
            for (thing, ground) in [(236.0, 84.0), (138.0, 88.0), (40.0, 86.0)] {
                let value = thing * shade * inside + (ground + wire) * (1.0 - inside) + grain;
                rgb.push(value.clamp(0.0, 255.0) as u8);
            }
        }
    }
    Thumbnail { width: SIDE, height: SIDE, rgb: rgb.into() }
}

fn tile(product: &str, name: &str, minor: i64) -> Tile {
    Tile { sku: sku(product), name: name.to_owned(), price: gbp(minor), line: None, instead_of: None }
}

/// The question about one orange thing.
pub fn ask() -> View {
    let mut view = basket();
    view.holds = vec![hold(10, 310, HoldReason::Unsure)];
    view.pay_blocked = Some(PayBlocked::Unresolved);
    view.ask = Some(AskView {
        hold: HoldId(10),
        reason: HoldReason::Unsure,
        weight: Grams(310),
        thumbnail: Some(thumbnail()),
        tiles: vec![
            tile("satsuma", "Satsumas", 78),
            tile("orange-navel", "Navel orange", 65),
            tile("clementine", "Clementines", 84),
            tile("grapefruit", "Grapefruit", 70),
        ],
        waits_for: WaitsFor::Answer,
        may_be_own: true,
    });
    view
}

fn asked(change: impl FnOnce(&mut AskView)) -> View {
    let mut view = ask();
    if let Some(ask) = &mut view.ask {
        change(ask);
        if let Some(hold) = view.holds.first_mut() {
            hold.reason = ask.reason;
            hold.weight = ask.weight;
        }
    }
    view
}

fn ask_removal() -> View {
    asked(|ask| {
        ask.reason = HoldReason::WhichRemoved;
        ask.weight = Grams(-1043);
        ask.thumbnail = None;
        ask.may_be_own = false;
        ask.tiles = vec![
            Tile { line: Some(LineId(8)), ..tile("oat-drink-1l", "Oat drink 1 l", 185) },
            Tile { line: Some(LineId(7)), ..tile("banana", "Bananas", 105) },
        ];
    })
}

fn with(view: View, change: impl FnOnce(&mut View)) -> View {
    let mut view = view;
    change(&mut view);
    view
}

fn search(text: &str, found: Vec<Tile>) -> View {
    View { screen: Screen::Search(SearchView { text: text.to_owned(), found }), ..basket() }
}

fn tare(number: usize, name: &str, grams: i32, chosen: bool) -> TareView {
    TareView { number, name: name.to_owned(), weight: Grams(grams), chosen }
}

fn weigh(steady: bool) -> View {
    let weigh = WeighView {
        sku: sku("apple-granny-smith"),
        name: "Granny Smith apples".to_owned(),
        gross: Grams(750),
        tare: Grams(6),
        tares: vec![tare(0, "Paper bag", 6, true), tare(1, "Net bag", 14, false), tare(2, "Tray", 22, false)],
        net: Grams(744),
        per_kg: gbp(220),
        price: steady.then_some(gbp(164)),
    };
    View { screen: Screen::Weigh(weigh), ..basket() }
}

fn pay(step: PayStep) -> View {
    let pay = PayView { amount: gbp(2664), lane: "2".to_owned(), step, offline: false };
    View { screen: Screen::Pay(pay), lane: Some("2".to_owned()), pay_blocked: None, ..basket() }
}

fn receipt(qr: bool) -> View {
    let receipt = ReceiptView {
        number: "MS-2-000184".to_owned(),
        charged: gbp(2664),
        lines: lines().into_iter().rev().collect(),
        savings: vec![("2 for £3 on oat drink".to_owned(), gbp(120))],
        taxes: vec![('A', 2000, gbp(224)), ('B', 0, gbp(0))],
        tender: "contactless card ending 4242".to_owned(),
        qr: qr.then(|| format!("TR1:{}", "6BFOXN*TS0BI$ZD8UHN8FG".repeat(20))),
        // 14:05 UTC on 25 November 2026.
        at: qr.then_some(UnixMillis(1_795_615_500_000)),
    };
    View { screen: Screen::Receipt(Box::new(receipt)), ..basket() }
}

/// Nobody shops yet.
pub fn welcome() -> View {
    View { screen: Screen::Welcome, ..empty() }
}

/// How would you like to start?
fn start(connected: bool, wrong_number: bool) -> View {
    let link = "https://carts.example/pair/cart-07#/hXk3Vb9sQ2mWc7TzR1yLpA".to_owned();
    let start = StartView { link: connected.then_some(link), phones: true, wrong_number };
    let notices = if connected { Vec::new() } else { vec![Banner::Offline] };
    View {
        screen: Screen::Start(start),
        connected,
        offline_minutes: (!connected).then_some(3),
        banner: notices.first().cloned(),
        notices,
        ..empty()
    }
}

/// A shopper whose phone brought a list.
fn with_list() -> View {
    let joined = Joined { member: Some("•••• 8905".into()), phone: true };
    View { joined, list: Some((4, 7)), ..basket() }
}

fn list() -> View {
    let entry = |number, text: &str, product: Option<Tile>, aisle: &str, ticked, bought| EntryView {
        number,
        text: text.into(),
        product,
        aisle: Some(aisle.to_owned()).filter(|aisle| !aisle.is_empty()),
        ticked,
        bought,
    };
    let entries = vec![
        entry(2, "lemons", Some(tile("lemon", "Lemon", 35)), "A2", false, false),
        entry(5, "spaghetti", Some(tile("spaghetti-500", "Spaghetti 500 g", 115)), "D3", false, false),
        entry(6, "something nice for Grandma, perhaps the dark chocolate she", None, "", false, false),
        entry(0, "2 oat drinks", Some(tile("oat-drink-1l", "Oat drink 1 l", 185)), "B1", true, true),
        entry(1, "bananas", Some(tile("banana", "Bananas", 115)), "A1", true, true),
        entry(3, "bread", Some(tile("sourdough-loaf", "Sourdough loaf", 340)), "B4", true, true),
        entry(4, "birthday candles", None, "", true, false),
    ];
    View { screen: Screen::List(ListView { entries }), ..with_list() }
}

/// A shopper with a budget who watches for two things.
pub fn wishes() -> View {
    View { budget: Some(gbp(4000)), watched: vec![Allergen::Gluten, Allergen::Nuts], ..basket() }
}

/// A loaf shown whole, by a shopper who watches for gluten.
fn item(known: bool) -> View {
    let nutrition = trip::detail::Nutrition {
        kj: 1_046,
        kcal: 248,
        fat: trip::detail::Tenths(18),
        saturates: trip::detail::Tenths(3),
        carbohydrate: trip::detail::Tenths(472),
        sugars: trip::detail::Tenths(21),
        fibre: Some(trip::detail::Tenths(38)),
        protein: trip::detail::Tenths(91),
        salt: trip::detail::Hundredths(112),
    };
    let detail = Detail {
        ingredients: "Wheat flour, water, rye sourdough 18 % (rye flour, water), salt, sesame seeds.".into(),
        contains: vec![Allergen::Gluten, Allergen::Sesame],
        may_contain: vec![Allergen::Milk, Allergen::Nuts],
        nutrition: Some(nutrition),
    };
    let shown = ItemView {
        line: LineView { warned: vec![Allergen::Gluten], ..line(6, "sourdough-loaf", "Sourdough loaf", 340) },
        weight: Some(Grams(812)),
        aisle: Some("B4".into()),
        min_age: 0,
        detail: known.then_some(detail),
    };
    View { screen: Screen::Item(Box::new(shown)), watched: vec![Allergen::Gluten], ..basket() }
}

/// Wine in the basket, and nobody has looked at the buyer's age yet.
pub fn age_check() -> View {
    let wine =
        AgeWait { line: LineId(4), sku: sku("red-wine"), name: "Red wine, Rioja".into(), pieces: 1, min_age: 18 };
    View {
        pay_blocked: Some(PayBlocked::AgeCheck),
        banner: Some(Banner::AgeCheck),
        notices: vec![Banner::AgeCheck],
        waiting: Waiting { age: vec![wine], age_s: Some(200), before: Some(1), ..Waiting::default() },
        ..basket()
    }
}

/// Help is called.
fn help(waiting: Waiting) -> View {
    let notices = vec![Banner::HelpCalled];
    View { help_called: true, banner: Some(Banner::HelpCalled), notices, waiting, ..basket() }
}

/// A bad day of a cart.
fn notices() -> View {
    let notices =
        vec![Banner::DeviceOut(Device::Scale), Banner::CameraCovered(1), Banner::BatteryLow(9), Banner::Offline];
    View {
        banner: notices.first().cloned(),
        notices,
        connected: false,
        offline_minutes: Some(12),
        battery: Some((9, false)),
        battery_minutes: Some(14),
        battery_ready: false,
        ..basket()
    }
}

fn pay_offline() -> View {
    let mut view = pay(PayStep::Tap);
    if let Screen::Pay(pay) = &mut view.screen {
        pay.offline = true;
    }
    View {
        connected: false,
        offline_minutes: Some(2),
        banner: Some(Banner::Offline),
        notices: vec![Banner::Offline],
        ..view
    }
}

/// Every sample: a name fit for a file, and the view.
pub fn all() -> Vec<(&'static str, View)> {
    let found = || {
        [
            ("orange-navel", "Navel orange", 65),
            ("orange-juice", "Orange juice, freshly squeezed 1 l", 310),
            ("oregano", "Oregano, dried 14 g", 120),
            ("orzo", "Orzo pasta 500 g", 145),
            ("oreo", "Chocolate sandwich biscuits 154 g", 125),
            ("blood-orange", "Blood oranges", 92),
            ("long", LONG_NAME, 440),
        ]
        .map(|(product, name, minor)| tile(product, name, minor))
        .to_vec()
    };
    let banner = |banner: Banner| View { banner: Some(banner.clone()), notices: vec![banner], ..basket() };
    let welcome = welcome();
    vec![
        ("welcome", welcome.clone()),
        ("start", start(true, false)),
        ("start-offline", start(false, false)),
        ("start-wrong-number", start(true, true)),
        ("basket-empty", empty()),
        ("basket", basket()),
        ("basket-list", with_list()),
        ("list", list()),
        ("basket-at-lane", View { lane: Some("2".into()), pay_blocked: None, ..basket() }),
        (
            "basket-taken-out",
            View { taken_out: Some(TakenOut { name: "Oat drink 1 l".into(), price: gbp(185) }), ..basket() },
        ),
        (
            "basket-held",
            with(basket(), |v| {
                v.holds = vec![hold(10, 310, HoldReason::Unknown), hold(11, 0, HoldReason::NeverPutIn)];
                v.pay_blocked = Some(PayBlocked::Unresolved);
            }),
        ),
        ("basket-age-check", age_check()),
        (
            "age-check-at-lane",
            with(age_check(), |v| {
                v.lane = Some("2".into());
                v.waiting.before = Some(0);
                v.waiting.usual_s = Some(110);
            }),
        ),
        (
            "ask-refused",
            asked(|a| {
                a.reason = HoldReason::Refused;
                a.waits_for = WaitsFor::Removal;
                a.weight = Grams(1260);
                a.thumbnail = None;
                a.tiles.clear();
                a.may_be_own = false;
            }),
        ),
        (
            "basket-extremes",
            with(basket(), |v| {
                v.total = gbp(9_999_999);
                v.items = 500;
                v.saved = gbp(1_234_567);
                v.lines.insert(
                    0,
                    LineView {
                        quantity: Quantity::Each(99),
                        price: gbp(9_999_999),
                        deposit: gbp(2475),
                        ..line(20, "long", LONG_NAME, 101_010)
                    },
                );
                v.lines.insert(1, line(21, "free", "A gift 🎁 of the house, naïve café", 0));
            }),
        ),
        ("ask", ask()),
        (
            "ask-unknown",
            asked(|a| {
                a.reason = HoldReason::Unknown;
                a.tiles.clear();
            }),
        ),
        (
            "ask-long-names",
            asked(|a| {
                for tile in &mut a.tiles {
                    tile.name = LONG_NAME.into();
                }
            }),
        ),
        (
            "ask-several",
            asked(|a| {
                a.reason = HoldReason::Several;
                a.weight = Grams(1310);
                a.tiles.truncate(3);
            }),
        ),
        (
            "ask-never-put-in",
            asked(|a| {
                a.reason = HoldReason::NeverPutIn;
                a.weight = Grams(0);
                a.thumbnail = None;
                a.may_be_own = false;
                a.tiles = vec![tile("coffee-beans", "Coffee beans 250 g", 425)];
            }),
        ),
        ("ask-scan", asked(|a| a.waits_for = WaitsFor::Code)),
        ("ask-take-out", asked(|a| a.waits_for = WaitsFor::Removal)),
        ("ask-which-removed", ask_removal()),
        (
            "ask-removed-unknown",
            with(ask_removal(), |v| {
                if let Some(ask) = &mut v.ask {
                    ask.tiles.clear();
                }
            }),
        ),
        (
            "ask-swapped",
            asked(|a| {
                a.reason = HoldReason::Swapped;
                a.weight = Grams(3);
                a.may_be_own = false;
                a.tiles = vec![
                    Tile {
                        line: Some(LineId(8)),
                        instead_of: Some("Oat drink 1 l".into()),
                        ..tile("milk-whole-1l", "Whole milk 1 l", 125)
                    },
                    Tile { line: Some(LineId(2)), instead_of: Some(LONG_NAME.into()), ..tile("tea", LONG_NAME, 240) },
                ];
            }),
        ),
        (
            "ask-recount-more",
            asked(|a| {
                a.reason = HoldReason::Recount;
                a.weight = Grams(412);
                a.thumbnail = None;
                a.tiles.clear();
            }),
        ),
        (
            "ask-recount-less",
            with(ask_removal(), |v| {
                if let Some(ask) = &mut v.ask {
                    ask.reason = HoldReason::Recount;
                }
            }),
        ),
        ("search", search("or", found())),
        ("search-empty", search("", Vec::new())),
        ("search-nothing", search("qzx", Vec::new())),
        ("weigh", weigh(true)),
        ("weigh-unsteady", weigh(false)),
        ("pay-preparing", pay(PayStep::Preparing)),
        ("pay-tap", pay(PayStep::Tap)),
        ("pay-checking", pay(PayStep::Checking)),
        ("pay-declined", pay(PayStep::Declined)),
        ("pay-offline", pay_offline()),
        ("pay-approved", pay(PayStep::Approved)),
        ("receipt", receipt(true)),
        ("receipt-no-qr", receipt(false)),
        ("help", help(Waiting { help_s: Some(80), before: Some(2), usual_s: Some(140), ..Waiting::default() })),
        ("help-next", help(Waiting { help_s: Some(144), before: Some(0), usual_s: Some(140), ..Waiting::default() })),
        ("help-coming", help(Waiting { help_s: Some(95), coming: true, ..Waiting::default() })),
        ("help-called", help(Waiting { help_s: Some(62), ..Waiting::default() })),
        ("help-offline", View { connected: false, ..help(Waiting { help_s: Some(12), ..Waiting::default() }) }),
        ("notices", notices()),
        ("still-shopping", View { still_there: Some(42), ..empty() }),
        ("offline", View { connected: false, offline_minutes: Some(0), ..banner(Banner::Offline) }),
        ("offline-long", View { connected: false, offline_minutes: Some(7), ..banner(Banner::Offline) }),
        (
            "offline-at-lane",
            View {
                connected: false,
                offline_minutes: Some(7),
                lane: Some("2".into()),
                pay_blocked: Some(PayBlocked::Offline),
                ..banner(Banner::Offline)
            },
        ),
        ("camera-covered", banner(Banner::CameraCovered(1))),
        ("motion-out", banner(Banner::DeviceOut(Device::Motion))),
        ("camera-out", banner(Banner::DeviceOut(Device::Camera(1)))),
        ("scale-out", banner(Banner::DeviceOut(Device::Scale))),
        ("unsteady", View { pay_blocked: Some(PayBlocked::Unsteady), ..banner(Banner::Unsteady) }),
        ("tilted", View { pay_blocked: Some(PayBlocked::Unsteady), ..banner(Banner::Tilted) }),
        ("overloaded", banner(Banner::Overloaded)),
        (
            "battery-low",
            View {
                battery: Some((9, false)),
                battery_minutes: Some(12),
                battery_ready: false,
                ..banner(Banner::BatteryLow(9))
            },
        ),
        ("lane-refused", banner(Banner::LaneRefused)),
        ("basket-budget", with(basket(), |v| v.budget = Some(gbp(4000)))),
        ("basket-over-budget", View { budget: Some(gbp(2500)), ..banner(Banner::BudgetReached) }),
        (
            "basket-allergen",
            with(basket(), |v| {
                v.watched = vec![Allergen::Gluten];
                v.lines[3].warned = vec![Allergen::Gluten];
            }),
        ),
        ("item", item(true)),
        ("item-unknown", item(false)),
        ("goodbye", View { screen: Screen::Goodbye, ..empty() }),
        (
            "charging",
            View {
                screen: Screen::Charging,
                battery: Some((9, true)),
                battery_minutes: Some(18),
                battery_ready: false,
                ..welcome.clone()
            },
        ),
        (
            "charging-ready",
            View { screen: Screen::Charging, battery: Some((64, true)), battery_minutes: Some(50), ..welcome.clone() },
        ),
        (
            "low-battery",
            View { screen: Screen::LowBattery, battery: Some((11, false)), battery_ready: false, ..welcome },
        ),
    ]
}
