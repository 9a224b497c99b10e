//! The shopper's phone: it joins a cart by the code on the cart's screen, and follows the trip to its receipt.
//!
//! `GET /pair/{cart}` is what the code leads to; the token stands behind the `#`, which no browser sends and
//! no log has, and the page's script puts it into the form. `POST /pair/{cart}` joins. From then on a cookie of
//! the phone's own names the trip and a secret, and `/trip` shows it. Without script the page says what to do.
//!
//! These pages, and no others, may be reached under the store's own address (`phone_url`): a TLS proxy on the
//! hub's machine passes on `/pair/` and `/trip`.

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use maud::Markup;
use serde::Deserialize;
use tokio::sync::oneshot;
use trip::{CartId, Hash, Member, TripId, list};

use super::{Desk, phone_page as page};
use crate::hub::{Pass, PhoneAnswer, PhoneAsk, Refused};

/// The cookie that a phone is known by: `{trip}~{secret}`.
const COOKIE: &str = "trundle-trip";
/// For so long a phone finds its receipt, in seconds: 30 days.
const LASTS_S: u32 = 30 * 24 * 60 * 60;
/// Random bytes of its secret.
const SECRET_BYTES: usize = 24;

/// A question of a phone's page, and where its answer goes.
pub type PhoneCall = (PhoneAsk, oneshot::Sender<PhoneAnswer>);

/// The pages.
pub(super) fn routes() -> Router<Desk> {
    let css = || async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE) };
    let script = || async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], page::SCRIPT) };
    Router::new()
        .route("/pair/{cart}", get(invite).post(join))
        .route("/trip", get(trip))
        .route("/trip/live", get(live))
        .route("/trip/list", post(new_list))
        .route("/trip/receipt", get(receipt))
        .route("/trip/receipt.cose", get(signed))
        .route("/trip/phone.css", get(css))
        .route("/trip/phone.js", get(script))
}

/// True for what a phone may reach.
pub(super) fn is_for_phones(path: &str) -> bool {
    path == "/trip" || path.starts_with("/trip/") || path.starts_with("/pair/")
}

/// What the form says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JoinForm {
    /// The token, as the script found it.
    pub(super) token: String,
    /// The loyalty number, as it was typed; empty for none.
    pub(super) member: String,
    /// The list, as it was typed.
    pub(super) list: String,
}

#[derive(Deserialize)]
struct ListForm {
    list: String,
}

async fn ask(desk: &Desk, ask: PhoneAsk) -> Result<PhoneAnswer, Response> {
    let stopping = || (StatusCode::SERVICE_UNAVAILABLE, "the hub is stopping").into_response();
    let (reply, answer) = oneshot::channel();
    desk.phones.send((ask, reply)).await.map_err(|_| stopping())?;
    answer.await.map_err(|_| stopping())
}

async fn invite(State(desk): State<Desk>, Path(cart): Path<String>) -> Result<Response, Response> {
    let Ok(cart) = CartId::new(cart) else { return Ok(refused(Refused::UnknownCart)) };
    Ok(match ask(&desk, PhoneAsk::Cart(cart.clone())).await? {
        PhoneAnswer::Cart { store } => shown(page::invitation(&store, &cart, &JoinForm::default(), None)),
        _ => refused(Refused::UnknownCart),
    })
}

async fn join(
    State(desk): State<Desk>,
    Path(cart): Path<String>,
    Form(form): Form<JoinForm>,
) -> Result<Response, Response> {
    let Ok(cart) = CartId::new(cart) else { return Ok(refused(Refused::UnknownCart)) };
    let PhoneAnswer::Cart { store } = ask(&desk, PhoneAsk::Cart(cart.clone())).await? else {
        return Ok(refused(Refused::UnknownCart));
    };
    let again = |status, why: &str| {
        (status, Html(page::invitation(&store, &cart, &form, Some(why)).into_string())).into_response()
    };
    let member = match form.member.trim() {
        "" => None,
        number => match Member::parse(number) {
            Ok(member) => Some(member),
            Err(_) => return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, page::WRONG_NUMBER)),
        },
    };
    let mut secret = [0; SECRET_BYTES];
    if let Err(why) = getrandom::fill(&mut secret) {
        tracing::error!(%why, "no random numbers");
        return Err((StatusCode::SERVICE_UNAVAILABLE, "please try again").into_response());
    }
    let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
    let joining = PhoneAsk::Join {
        cart: cart.clone(),
        token: form.token.clone(),
        phone: Hash::of(secret.as_bytes()),
        member,
        list: list::read(&form.list),
    };
    Ok(match ask(&desk, joining).await? {
        PhoneAnswer::Joining(trip) => {
            let safe = if desk.phone_url.starts_with("https:") { "; Secure" } else { "" };
            let cookie =
                format!("{COOKIE}={trip}~{secret}; Path=/trip; Max-Age={LASTS_S}; HttpOnly; SameSite=Strict{safe}");
            ([(header::SET_COOKIE, cookie)], Redirect::to("/trip")).into_response()
        }
        PhoneAnswer::Refused(why) => again(StatusCode::CONFLICT, page::words(why)),
        _ => again(StatusCode::CONFLICT, page::words(Refused::NotOffered)),
    })
}

async fn trip(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Response> {
    Ok(match look(&desk, &headers).await? {
        Ok(trip) => shown(page::following(&trip)),
        Err(why) => refused(why),
    })
}

async fn live(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Response> {
    Ok(match look(&desk, &headers).await? {
        Ok(trip) => shown(page::trip(&trip)),
        Err(why) => (StatusCode::FORBIDDEN, page::words(why)).into_response(),
    })
}

async fn look(desk: &Desk, headers: &HeaderMap) -> Result<Result<Box<crate::hub::PhoneTrip>, Refused>, Response> {
    let Some(pass) = pass(headers) else { return Ok(Err(Refused::NotYours)) };
    Ok(match ask(desk, PhoneAsk::Look(pass)).await? {
        PhoneAnswer::Trip(trip) => Ok(trip),
        PhoneAnswer::Refused(why) => Err(why),
        _ => Err(Refused::NotYours),
    })
}

async fn new_list(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Form(form): Form<ListForm>,
) -> Result<Response, Response> {
    let Some(pass) = pass(&headers) else { return Ok(refused(Refused::NotYours)) };
    Ok(match ask(&desk, PhoneAsk::List { pass, entries: list::read(&form.list) }).await? {
        PhoneAnswer::Done => Redirect::to("/trip").into_response(),
        _ => refused(Refused::NotYours),
    })
}

async fn receipt(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Response> {
    Ok(match whole_receipt(&desk, &headers).await? {
        Ok((receipt, _)) => shown(page::receipt(&receipt)),
        Err(why) => refused(why),
    })
}

async fn signed(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Response> {
    Ok(match whole_receipt(&desk, &headers).await? {
        Ok((receipt, cose)) => {
            let name = format!("attachment; filename=\"{}.cose\"", receipt.number.replace(['"', '\\', '/'], "_"));
            let kind = "application/cose; cose-type=\"cose-sign1\"".to_owned();
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], cose).into_response()
        }
        Err(why) => refused(why),
    })
}

type WholeReceipt = (Box<trip::receipt::Receipt>, Vec<u8>);

async fn whole_receipt(desk: &Desk, headers: &HeaderMap) -> Result<Result<WholeReceipt, Refused>, Response> {
    let Some(pass) = pass(headers) else { return Ok(Err(Refused::NotYours)) };
    Ok(match ask(desk, PhoneAsk::Receipt(pass)).await? {
        PhoneAnswer::Receipt(receipt, cose) => Ok((receipt, cose)),
        PhoneAnswer::Refused(why) => Err(why),
        _ => Err(Refused::NotYours),
    })
}

/// What the phone's cookie says.
fn pass(headers: &HeaderMap) -> Option<Pass> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut all = cookies.flat_map(|line| line.split(';')).filter_map(|one| one.trim().split_once('='));
    let (_, value) = all.find(|(name, _)| *name == COOKIE)?;
    let (trip, secret) = value.split_once('~')?;
    Some(Pass { trip: TripId::new(trip).ok()?, secret: secret.to_owned() })
}

fn shown(page: Markup) -> Response {
    Html(page.into_string()).into_response()
}

fn refused(why: Refused) -> Response {
    let status = if why == Refused::UnknownCart { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
    (status, Html(page::dead_end(page::words(why)).into_string())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_phones_own_pages_are_for_phones() {
        for good in ["/pair/cart-01", "/trip", "/trip/live", "/trip/receipt.cose"] {
            assert!(is_for_phones(good), "{good}");
        }
        for bad in ["/", "/live", "/help-has-come", "/trips", "/pair", "/style.css", "//trip"] {
            assert!(!is_for_phones(bad), "{bad}");
        }
    }

    #[test]
    fn a_cookie_names_a_trip_and_a_secret_or_nothing() {
        let check = |cookie: &str, expected: Option<(&str, &str)>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, header::HeaderValue::from_str(cookie).expect("a header"));
            let found = pass(&headers);
            assert_eq!(found.as_ref().map(|p| (p.trip.as_str(), p.secret.as_str())), expected, "{cookie}");
        };
        check("trundle-trip=cart-01.1.1~abc", Some(("cart-01.1.1", "abc")));
        check("a=b; trundle-trip=cart-01.1.1~abc; c=d", Some(("cart-01.1.1", "abc")));
        check("trundle-trip=cart-01.1.1", None);
        check("trundle-trip=CART/~abc", None);
        check("other=cart-01.1.1~abc", None);
        assert_eq!(pass(&HeaderMap::new()), None);
    }
}
