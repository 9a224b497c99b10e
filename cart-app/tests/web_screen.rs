//! The screen in a browser, met as a browser meets it: HTTP, a WebSocket, pictures and touches. A process
//! has one such screen, so that the tests share it and take turns.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use cart_app::ui::{App, HeadlessScreen, Pictures, Screen, sample};
use cart_app::web_screen::{Rights, WebScreen};
use cart_core::{Intent, View};
use i_slint_backend_testing::{AccessibleRole, ElementHandle};
use image::RgbImage;
use image::imageops::replace;
use slint::ComponentHandle;
use tokio::sync::watch;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

/// Nothing here takes so long; it ends a test that waits for what never comes.
const PATIENCE: Duration = Duration::from_secs(60);
/// The cart's screen.
const SIZE: (u32, u32) = (1280, 800);
/// Two drawings of one view differ no more than this in a colour: a round corner that was drawn again in part
/// keeps a trace of what was there.
const SHADE: u8 = 8;

/// The one screen of these tests.
struct Served {
    address: SocketAddr,
    touch: String,
    look: String,
    views: watch::Sender<Arc<View>>,
    // Mutexes, because the screen's thread writes and the tests read, and because the tests take turns.
    heard: Mutex<Vec<Intent>>,
    changed: Condvar,
    turn: Mutex<()>,
}

static SERVED: LazyLock<Arc<Served>> = LazyLock::new(serve);

/// A screen on a thread of its own, which shows the views it is sent.
fn serve() -> Arc<Served> {
    let (ready, served) = mpsc::channel();
    std::thread::spawn(move || {
        let web = WebScreen::open(SIZE.0, SIZE.1, 0).expect("a screen in the browser");
        let screen = Rc::new(Screen::new(App::new().expect("a window"), Rc::new(Pictures::drawn())));
        let (views, receiver) = watch::channel(Arc::new(named("welcome")));
        screen.clone().follow(receiver).expect("a task in the loop");
        let token = |rights| web.url(rights).split_once('#').expect("a token").1.to_owned();
        let served = Arc::new(Served {
            address: web.address(),
            touch: token(Rights::Touch),
            look: token(Rights::Look),
            views,
            heard: Mutex::default(),
            changed: Condvar::new(),
            turn: Mutex::default(),
        });
        let told = served.clone();
        screen.on_intent(move |intent| {
            told.heard.lock().unwrap_or_else(PoisonError::into_inner).push(intent);
            told.changed.notify_all();
        });
        ready.send(served).expect("a test that waits");
        screen.window().run().expect("the loop");
    });
    served.recv().expect("a screen")
}

/// The screen with the welcome on, for one test at a time.
fn welcome() -> (&'static Served, MutexGuard<'static, ()>) {
    let turn = SERVED.turn.lock().unwrap_or_else(PoisonError::into_inner);
    SERVED.views.send_replace(Arc::new(named("welcome")));
    (&SERVED, turn)
}

impl Served {
    fn show(&self, name: &str) {
        self.views.send_replace(Arc::new(named(name)));
    }

    fn heard(&self) -> Vec<Intent> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for what is heard after the first `before`.
    fn hears(&self, before: usize) -> Intent {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(heard, PATIENCE, |heard| heard.len() <= before);
        let (heard, _) = waited.unwrap_or_else(PoisonError::into_inner);
        heard.get(before).cloned().expect("the touch means something")
    }
}

fn named(name: &str) -> View {
    sample::named(name).expect("a sample of that name").view
}

/// A view as drawn without a server, come to rest; and the middle of the welcome's button there.
fn drawn(name: &str) -> (RgbImage, [f32; 2]) {
    let screen = HeadlessScreen::new(SIZE.0, SIZE.1).expect("a screen in memory");
    screen.apply(&named(name));
    screen.settle();
    screen.advance(5_000);
    let buttons = ElementHandle::find_by_accessible_label(screen.screen().window(), "Start shopping");
    let middle = buttons.into_iter().find(|e| e.accessible_role() == Some(AccessibleRole::Button)).map(|button| {
        let (at, size) = (button.absolute_position(), button.size());
        [at.x + size.width / 2.0, at.y + size.height / 2.0]
    });
    (screen.screenshot(), middle.unwrap_or_default())
}

fn alike(one: &RgbImage, other: &RgbImage) -> bool {
    one.dimensions() == other.dimensions()
        && one.as_raw().iter().zip(other.as_raw()).all(|(a, b)| a.abs_diff(*b) <= SHADE)
}

/// A part of the screen that came: its place and its size.
type Part = [u32; 4];

/// A viewer, as the page is one.
struct Viewer {
    socket: WebSocket<TcpStream>,
    canvas: RgbImage,
    welcome: serde_json::Value,
    /// Nothing is waited for longer than this; asked whether it is still there, a viewer hears something
    /// every few seconds.
    until: Instant,
}

/// What comes from the screen.
#[derive(Debug)]
enum Came {
    Welcome,
    Update(u32, Vec<Part>),
    Closed(u16, String),
    /// The socket broke off, without a word.
    Broken,
}

impl Viewer {
    /// Opens the socket as a page of this origin would.
    fn open(origin: Option<&str>) -> Result<Self, tungstenite::Error> {
        let address = SERVED.address;
        let mut request = format!("ws://{address}/live").into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("Origin", HeaderValue::from_str(origin).expect("an origin"));
        }
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let opened = tungstenite::client(request, stream);
        let (socket, _) = opened.map_err(|why| match why {
            tungstenite::HandshakeError::Failure(why) => why,
            tungstenite::HandshakeError::Interrupted(_) => panic!("the server does not answer"),
        })?;
        Ok(Self {
            socket,
            canvas: RgbImage::new(0, 0),
            welcome: serde_json::Value::Null,
            until: Instant::now() + PATIENCE,
        })
    }

    /// Opens it as the screen's own page does.
    fn of_the_page() -> Self {
        let origin = format!("http://{}", SERVED.address);
        let full = |why: &tungstenite::Error| matches!(why, tungstenite::Error::Http(a) if a.status() == 503);
        until("a free socket", || match Self::open(Some(&origin)) {
            Err(why) if full(&why) => None,
            opened => Some(opened.expect("a socket")),
        })
    }

    /// The same, and shows a token.
    fn with(token: &str) -> Self {
        let mut viewer = Self::of_the_page();
        viewer.say(serde_json::json!({ "token": token }));
        viewer
    }

    /// The same with a token that is right, and is welcome: those of the test before may still be leaving.
    fn enter(token: &str) -> Self {
        until("a free seat", || {
            let mut viewer = Self::with(token);
            match viewer.next() {
                Came::Welcome => Some(viewer),
                Came::Closed(4503, _) => None,
                other => panic!("{other:?}"),
            }
        })
    }

    fn say(&mut self, message: serde_json::Value) {
        self.socket.send(Message::text(message.to_string())).expect("the server listens");
    }

    fn tap(&mut self, at: [f32; 2]) {
        self.say(serde_json::json!({ "press": at }));
        self.say(serde_json::json!({ "release": at }));
        self.say(serde_json::json!("leave"));
    }

    /// The next that comes; an update is drawn, but not yet answered.
    fn next(&mut self) -> Came {
        loop {
            assert!(Instant::now() < self.until, "waited in vain");
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let said: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                    self.canvas = RgbImage::new(number(&said["width"]), number(&said["height"]));
                    self.welcome = said;
                    return Came::Welcome;
                }
                Ok(Message::Binary(bytes)) => return self.draw(&bytes),
                Ok(Message::Close(Some(frame))) => return Came::Closed(frame.code.into(), frame.reason.to_string()),
                Ok(_) => {}
                Err(tungstenite::Error::Io(why))
                    if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    panic!("nothing comes")
                }
                Err(_) => return Came::Broken,
            }
        }
    }

    fn draw(&mut self, bytes: &[u8]) -> Came {
        let u16_at = |at: usize| u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let u32_at = |at: usize| u16_at(at) | u16_at(at + 2) << 16;
        let mut parts = Vec::new();
        let mut at = 5;
        for _ in 0..bytes[4] {
            let part = [u16_at(at), u16_at(at + 2), u16_at(at + 4), u16_at(at + 6)];
            let end = at + 12 + u32_at(at + 8) as usize;
            let picture = image::load_from_memory(&bytes[at + 12..end]).expect("a PNG").into_rgb8();
            assert_eq!(picture.dimensions(), (part[2], part[3]));
            assert!(part[0] + part[2] <= self.canvas.width() && part[1] + part[3] <= self.canvas.height(), "{part:?}");
            replace(&mut self.canvas, &picture, part[0].into(), part[1].into());
            parts.push(part);
            at = end;
        }
        assert_eq!(at, bytes.len());
        Came::Update(u32_at(0), parts)
    }

    /// Draws and answers updates until the canvas is as wanted; returns what came.
    fn draw_until(&mut self, wanted: impl Fn(&RgbImage) -> bool) -> Vec<Part> {
        self.until = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        loop {
            match self.next() {
                Came::Update(number, parts) => {
                    all.extend(parts);
                    self.say(serde_json::json!({ "seen": number }));
                    if wanted(&self.canvas) {
                        return all;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads on until the screen closes the socket.
    fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next() {
                Came::Closed(code, reason) => return (code, reason),
                Came::Broken => return (0, "broken off".into()),
                Came::Welcome | Came::Update(..) => {}
            }
        }
    }
}

/// Asks until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(found) = ask() {
            return found;
        }
        std::thread::yield_now();
    }
    panic!("waited in vain for {what}")
}

fn number(value: &serde_json::Value) -> u32 {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default()
}

/// The status of an answer, and all of it.
fn get(path: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(SERVED.address).expect("the server listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    (answer.split(' ').nth(1).unwrap_or_default().to_owned(), answer)
}

#[test]
fn a_viewer_sees_all_of_the_screen_and_then_only_what_changes() {
    let (served, _turn) = welcome();
    let mut viewer = Viewer::enter(&served.touch);
    assert_eq!((viewer.welcome["rights"].as_str(), viewer.canvas.dimensions()), (Some("touch"), SIZE));
    let (expected, start) = drawn("welcome");
    let parts = viewer.draw_until(|canvas| alike(canvas, &expected));
    assert_eq!(parts[0], [0, 0, SIZE.0, SIZE.1], "the first is all of it");

    // A finger on the button changes the button's colour, and nothing far from it. With the first ones the end of
    // the welcome's own coming-in may still be sent, which is all of it in shades too near to tell apart.
    let sends_little = |viewer: &mut Viewer| {
        viewer.say(serde_json::json!({ "press": start }));
        let parts = viewer.draw_until(|canvas| !alike(canvas, &expected));
        viewer.say(serde_json::json!("leave"));
        viewer.draw_until(|canvas| alike(canvas, &expected));
        parts.iter().map(|[_, _, width, height]| width * height).sum::<u32>() < SIZE.0 * SIZE.1 / 4
    };
    assert!((0..20).any(|_| sends_little(&mut viewer)), "each touch of a button sends the whole screen");

    served.show("basket");
    let (expected, _) = drawn("basket");
    viewer.draw_until(|canvas| alike(canvas, &expected));
}

#[test]
fn a_touch_on_the_button_means_what_the_button_says() {
    let (served, _turn) = welcome();
    let (expected, start) = drawn("welcome");
    let mut viewer = Viewer::enter(&served.touch);
    viewer.draw_until(|canvas| alike(canvas, &expected));
    let before = served.heard().len();
    // Gone with its viewer, or drawn off the button before it is lifted, a touch means nothing.
    let mut leaver = Viewer::enter(&served.touch);
    leaver.say(serde_json::json!({ "press": start }));
    viewer.draw_until(|canvas| !alike(canvas, &expected));
    drop(leaver);
    viewer.draw_until(|canvas| alike(canvas, &expected));
    viewer.say(serde_json::json!({ "press": start }));
    viewer.say(serde_json::json!({ "move": [-1e9, 1e9] }));
    viewer.say(serde_json::json!({ "release": [-1e9, 1e9] }));

    viewer.tap(start);
    assert_eq!(served.hears(before), Intent::Begin);
    assert_eq!(served.heard().len(), before + 1, "{:?}", served.heard());
}

#[test]
fn keys_are_typed_on_the_screen() {
    let (served, _turn) = welcome();
    served.show("search");
    let (expected, _) = drawn("search");
    let mut viewer = Viewer::enter(&served.touch);
    viewer.draw_until(|canvas| alike(canvas, &expected));
    let before = served.heard().len();
    viewer.say(serde_json::json!({ "key": { "key": "é", "down": true } }));
    viewer.say(serde_json::json!({ "key": { "key": "é", "down": false } }));
    let Intent::Search { text } = served.hears(before) else { panic!("{:?}", served.heard()) };
    assert!(text.ends_with('é'), "{text}");
    viewer.say(serde_json::json!({ "key": { "key": "Backspace", "down": true } }));
    let Intent::Search { text: shorter } = served.hears(before + 1) else { panic!("{:?}", served.heard()) };
    assert_eq!(format!("{shorter}é"), text);
}

#[test]
fn who_may_only_look_sees_all_and_touches_nothing() {
    let (served, _turn) = welcome();
    let (expected, start) = drawn("welcome");
    let mut eye = Viewer::enter(&served.look);
    eye.draw_until(|canvas| alike(canvas, &expected));
    assert_eq!(eye.welcome["rights"], "look");
    let before = served.heard().len();
    for _ in 0..50 {
        eye.tap(start);
    }
    // Its messages have been read when it is refused for the last of them.
    eye.say(serde_json::json!({ "token": served.touch }));
    assert_eq!(eye.closed().0, 4400);
    let mut hand = Viewer::enter(&served.touch);
    hand.draw_until(|canvas| alike(canvas, &expected));
    hand.tap(start);
    served.hears(before);
    assert_eq!(served.heard().len(), before + 1, "only the hand's touch is heard");
}

#[test]
fn without_the_token_there_is_nothing_to_see() {
    let (served, _turn) = welcome();
    let wrong = format!("{}A", &served.touch[..served.touch.len() - 1]);
    for token in ["", "A", &wrong, &"x".repeat(300)] {
        let mut stranger = Viewer::with(token);
        match stranger.next() {
            Came::Closed(4401, reason) => assert!(reason.contains("wrong token"), "{reason}"),
            other => panic!("{token}: {other:?}"),
        }
    }
    // Who talks of something else first is not answered either.
    let mut stranger = Viewer::of_the_page();
    stranger.tap([640.0, 400.0]);
    assert_eq!(stranger.closed().0, 4400);
}

#[test]
fn only_the_page_itself_opens_the_socket() {
    let (served, _turn) = welcome();
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://127.0.0.1:1")] {
        match Viewer::open(origin) {
            Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), 403, "{origin:?}"),
            other => panic!("{origin:?}: {:?}", other.map(|_| "open")),
        }
    }
    let own = served.address.to_string();
    for (host, status) in [(own.as_str(), "200"), ("localhost", "200"), ("evil.example", "421"), ("", "421")] {
        assert_eq!(get("/", host).0, status, "{host}");
    }
    let (_, page) = get("/", &own);
    assert!(page.contains("default-src 'none'") && page.contains("nosniff"), "{page}");
    for (path, status) in [("/screen.js", "200"), ("/screen.css", "200"), ("/live", "400"), ("/other", "404")] {
        let (found, answer) = get(path, &own);
        assert_eq!(found, status, "{path}");
        assert!(!answer.contains(&served.touch) && !answer.contains(&served.look), "{path}");
    }
}

#[test]
fn garbage_ends_its_own_socket_and_nothing_else() {
    let (served, _turn) = welcome();
    let (expected, start) = drawn("welcome");
    let mut honest = Viewer::enter(&served.touch);
    honest.draw_until(|canvas| alike(canvas, &expected));
    let texts = ["", "{", "null", "[[[[[[[[", r#"{"press":[1e999,0]}"#, r#"{"press":["a","b"]}"#, r#"{"seen":-7}"#];
    let huge = ["x".repeat(100_000), format!(r#"{{"token":"{}"}}"#, "y".repeat(2_000_000))];
    let messages = texts.map(str::to_owned).into_iter().chain(huge).map(Message::text);
    let messages = messages.chain([Message::binary(vec![0_u8; 9]), Message::binary(vec![255_u8; 70_000])]);
    for message in messages {
        let mut stranger = Viewer::enter(&served.touch);
        let what = format!("{:.40}", format!("{message:?}"));
        // What is far too long may be refused while it is still being sent.
        let sent = stranger.socket.send(message);
        let (code, reason) = if sent.is_ok() { stranger.closed() } else { (0, String::new()) };
        assert!(matches!(code, 4400 | 0), "{what}: {code} {reason}");
    }
    // Not even a WebSocket.
    let mut raw = TcpStream::connect(served.address).expect("the server listens");
    raw.write_all(&[0x16, 0x03, 0x01, 0xff, 0xff]).expect("written");
    drop(raw);

    let before = served.heard().len();
    honest.tap(start);
    assert_eq!(served.hears(before), Intent::Begin);
}

#[test]
fn ten_thousand_gestures_are_waited_with_and_the_last_one_counts() {
    let (served, _turn) = welcome();
    let (expected, start) = drawn("welcome");
    let mut viewer = Viewer::enter(&served.touch);
    viewer.draw_until(|canvas| alike(canvas, &expected));
    let before = served.heard().len();
    for n in 0..10_000 {
        viewer.say(serde_json::json!({ "move": [n % 1280, n % 800] }));
    }
    viewer.tap(start);
    assert_eq!(served.hears(before), Intent::Begin);
    assert_eq!(served.heard().len(), before + 1);
}

#[test]
fn a_viewer_that_does_not_answer_is_sent_no_more_until_it_does_and_then_the_newest() {
    let (served, _turn) = welcome();
    let (welcome, basket) = (drawn("welcome").0, drawn("basket").0);
    let mut quick = Viewer::enter(&served.look);
    quick.draw_until(|canvas| alike(canvas, &welcome));
    let mut slow = Viewer::enter(&served.look);
    let Came::Update(first, _) = slow.next() else { panic!("no update") };
    for name in ["basket", "welcome", "basket"] {
        served.show(name);
        let shown = if name == "basket" { &basket } else { &welcome };
        quick.draw_until(|canvas| alike(canvas, shown));
    }
    slow.say(serde_json::json!({ "seen": first }));
    match slow.next() {
        Came::Update(second, _) => assert_eq!(second, first + 1, "one update for all that it missed"),
        other => panic!("{other:?}"),
    }
    assert!(alike(&slow.canvas, &basket), "the newest picture");
}

#[test]
fn there_is_room_for_a_few_and_a_seat_that_is_left_is_free() {
    let (served, _turn) = welcome();
    let mut seated = Vec::new();
    let refused = until("a full house", || {
        let mut viewer = Viewer::with(&served.look);
        match viewer.next() {
            Came::Welcome => {
                seated.push(viewer);
                assert!(seated.len() < 20);
                None
            }
            other => Some(other),
        }
    });
    assert!(matches!(refused, Came::Closed(4503, _)), "{refused:?}");
    assert!(seated.len() > 1);
    drop(seated);
    Viewer::enter(&served.look);
}
