//! `store-hub day-end`: asks the terminals, beside a hub that runs or does not, and compares.
//!
//! The database is only read. Statuses disturb no payment under way, and a terminal that waits for a card closes no
//! period. Each lane is asked in this order: its period is closed, each attempt made up to then is looked up, and read
//! again: so the ledger has heard what the terminal told, and what is paid meanwhile is in the next period.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context;
use identity::secret;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::task::block_in_place;
use trip::{IntentId, LaneId, StoreId, UnixMillis};

use super::kept::{End, Kept, Plan, keep};
use super::{DayEnd, Evidence, LaneDay, VERSION, compare, page};
use crate::config::{Config, LaneConfig};
use crate::intent::{Answer, Intent, IntentState};
use crate::store::{PostgresStore, SqliteStore, Storage};
use crate::terminal::{NexoTerminal, NoTotals, Period, Seen, Totals, sale_id};

/// Attempts that were made this long before a day are looked up too, in milliseconds: they may have been paid in it.
/// An attempt waits at a lane for minutes at most.
const BEFORE_MS: i64 = 60 * 60 * 1_000;

/// After so many attempts in a row without an answer, a terminal is asked no more.
const PATIENCE: usize = 3;

/// So many of a terminal's periods are looked at: a month of days that nobody ended.
const MOST_PERIODS: u64 = 32;

/// What `store-hub day-end` is told.
#[derive(Debug, clap::Args)]
pub struct DayEndOptions {
    /// The hub's configuration file.
    #[arg(long, default_value = "hub.toml")]
    config: PathBuf,
    /// The day, by the store's own clock; today without it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// Write the report into this file too, as JSON; one that is there is replaced.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Compares the day that `options` name, prints the report, and keeps it beside the database. True when terminals
/// and ledger agree.
///
/// # Errors
/// When the day cannot be ended at all, or the report cannot be kept; it is printed then.
pub fn command(options: &DayEndOptions) -> anyhow::Result<bool> {
    let config = Config::read(&options.config)?;
    let today = now().to_zoned(config.timezone.clone()).date();
    let date = options.date.unwrap_or(today);
    anyhow::ensure!(date <= today, "{date} has not begun yet; in this store it is {today}");
    let folder = config.data.join("day-end");
    let kept = Kept::read(&folder)?;
    if let (Some(later), None) = (kept.after(date), kept.of(date)) {
        anyhow::bail!("{date} was not ended by itself; what was paid then is in the day-end of {later}");
    }
    let store = ledger(&config)?;
    // Of several threads, because a database that is no file is waited for.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let day = runtime.context("cannot start tasks")?.block_on(end_day(&config, &kept, date, &*store))?;
    let kept_in = keep(&folder, &day);
    if let Ok(path) = &kept_in {
        eprintln!("store-hub: the report is kept in {}", path.display());
    }
    print!("{}", page::render(&day, &config.timezone));
    kept_in?;
    if let Some(json) = &options.json {
        secret::write_public(json, &serde_json::to_vec_pretty(&day)?)?;
    }
    Ok(day.agrees())
}

/// The hub's database, to be read beside it.
fn ledger(config: &Config) -> anyhow::Result<Box<dyn Storage>> {
    Ok(match &config.database {
        None => Box::new(SqliteStore::read(&config.data.join("hub.db"))?),
        Some(database) => Box::new(PostgresStore::read(database, &config.store)?),
    })
}

async fn end_day(config: &Config, kept: &Kept, date: Date, store: &dyn Storage) -> anyhow::Result<DayEnd> {
    let midnight = UnixMillis(date.to_zoned(config.timezone.clone())?.timestamp().as_millisecond());
    let mut lanes: BTreeSet<LaneId> = config.lanes.iter().map(|lane| lane.id.clone()).collect();
    if let (Some(_), Some(day)) = (kept.after(date), kept.of(date)) {
        // A lane that came later had no such day.
        lanes = day.lanes.iter().map(|day| day.lane.clone()).collect();
    } else {
        // A lane that was taken out of the configuration may have been paid at before.
        let since = kept_since(kept, date, &lanes, midnight);
        let made = block_in_place(|| store.intents_between(since, millis(now())))?;
        lanes.extend(made.into_iter().map(|intent| intent.lane));
        let open = block_in_place(|| store.open_intents())?;
        lanes.extend(open.into_iter().filter(unsettled).map(|intent| intent.lane));
    }
    let mut days = Vec::new();
    for lane in &lanes {
        let set_up = config.lanes.iter().find(|set_up| set_up.id == *lane);
        days.push(end_lane(&config.store, lane, set_up, kept.plan(date, lane), midnight, store).await?);
    }
    let made_at = millis(now());
    Ok(DayEnd { v: VERSION, store: config.store.clone(), date: date.to_string(), made_at, lanes: days })
}

/// The earliest time at which the day of a lane begins.
fn kept_since(kept: &Kept, date: Date, lanes: &BTreeSet<LaneId>, midnight: UnixMillis) -> UnixMillis {
    lanes.iter().filter_map(|lane| kept.plan(date, lane).from).min().unwrap_or(midnight).min(midnight)
}

async fn end_lane(
    store_id: &StoreId,
    lane: &LaneId,
    set_up: Option<&LaneConfig>,
    plan: Plan,
    midnight: UnixMillis,
    store: &dyn Storage,
) -> anyhow::Result<LaneDay> {
    let from = plan.from.unwrap_or(midnight);
    // Its own names for exchanges, as at each start of a hub.
    let run = millis(now()).0.unsigned_abs();
    let terminal = set_up.map(|set_up| NexoTerminal::new(set_up, store_id, run)).transpose()?;
    let last = match &terminal {
        Some(terminal) => last_period(terminal, plan.end).await,
        None => Err(NoTotals::Silent(format!("lane {lane} is not set up any more; add it again to ask its terminal"))),
    };
    // Only now: what was paid in the period was made before it was closed.
    let until = match plan.end {
        End::Now => millis(now()),
        End::Before { until, .. } => until,
    };
    let known = block_in_place(|| attempts(store, lane, from, until))?;
    let Some(terminal) = &terminal else {
        let attempts: Vec<_> = known.into_iter().map(|intent| (intent, None)).collect();
        let totals = last.map(|last| vec![last]);
        return Ok(compared(store_id, lane, from, until, &attempts, &totals));
    };
    let mut attempts = Vec::new();
    for (known, seen) in look_up(terminal, known).await {
        let intent = block_in_place(|| store.intent(&known.id))?.unwrap_or_else(|| known.clone());
        // The ledger has moved on meanwhile, and so has the terminal.
        let seen = if intent.state == known.state { seen } else { Some(terminal.look_up(&intent).await) };
        attempts.push((intent, seen));
    }
    let within = attempts.iter().filter(|(intent, _)| intent.created_at >= from);
    let named = within.filter_map(|(_, seen)| seen.as_ref()?.period).min();
    let totals = match last {
        Ok(last) => periods(terminal, plan.first, named, last).await,
        Err(why) => Err(why),
    };
    Ok(compared(store_id, lane, from, until, &attempts, &totals))
}

fn compared(
    store_id: &StoreId,
    lane: &LaneId,
    from: UnixMillis,
    until: UnixMillis,
    attempts: &[(Intent, Option<Seen>)],
    totals: &Result<Vec<Totals>, NoTotals>,
) -> LaneDay {
    compare(&Evidence { lane, sale: &sale_id(store_id), from, until, attempts, totals })
}

/// True while it is not certain where the money of `intent` is.
fn unsettled(intent: &Intent) -> bool {
    intent.open() && intent.state != IntentState::Approved
}

/// The lane's attempts of a day, those shortly before it, and those that are still open.
fn attempts(store: &dyn Storage, lane: &LaneId, from: UnixMillis, until: UnixMillis) -> anyhow::Result<Vec<Intent>> {
    let mut all = store.intents_between(UnixMillis(from.0.saturating_sub(BEFORE_MS)), until)?;
    let had: BTreeSet<IntentId> = all.iter().map(|intent| intent.id.clone()).collect();
    let open = store.open_intents()?.into_iter().filter(unsettled);
    all.extend(open.filter(|intent| intent.created_at < until && !had.contains(&intent.id)));
    all.retain(|intent| intent.lane == *lane);
    all.sort_by_key(|intent| intent.created_at);
    Ok(all)
}

/// What a terminal counted in the period that ends a day.
async fn last_period(terminal: &NexoTerminal, end: End) -> Result<Totals, NoTotals> {
    match end {
        End::Now => terminal.totals(Period::Running).await,
        End::Before { last: Some(last), .. } => terminal.totals(Period::Closed(last)).await,
        End::Before { last: None, .. } => {
            Err(NoTotals::Refused("its period was not closed on that day, and is in a later one".into()))
        }
    }
}

/// The totals of all periods of a day up to `last`: from `first` on, or else from the first that an attempt of the
/// day `named`.
async fn periods(
    terminal: &NexoTerminal,
    first: Option<u64>,
    named: Option<u64>,
    last: Totals,
) -> Result<Vec<Totals>, NoTotals> {
    // A terminal that was exchanged counts anew.
    let known = first.filter(|first| *first <= last.period);
    let first = known.or(named).unwrap_or(last.period).min(last.period);
    if last.period - first >= MOST_PERIODS {
        let why = format!("there are {} periods since the last day-end", last.period - first + 1);
        return Err(NoTotals::Refused(format!("{why}, and no more than {MOST_PERIODS} are looked at")));
    }
    let mut all = Vec::new();
    for number in first..last.period {
        all.push(terminal.totals(Period::Closed(number)).await?);
    }
    all.push(last);
    Ok(all)
}

/// What the terminal knows of each attempt; `None` of those that never went to it.
async fn look_up(terminal: &NexoTerminal, attempts: Vec<Intent>) -> Vec<(Intent, Option<Seen>)> {
    let mut all = Vec::new();
    let (mut silent, mut last) = (0, None);
    for intent in attempts {
        if intent.sends == 0 {
            all.push((intent, None));
            continue;
        }
        if silent < PATIENCE {
            let seen = terminal.look_up(&intent).await;
            let answered = !matches!(seen.answer, Answer::NeverSent { .. } | Answer::NoAnswer { .. });
            silent = if answered { 0 } else { silent + 1 };
            last = Some(seen);
        }
        all.push((intent, last.clone()));
    }
    all
}

fn now() -> Timestamp {
    Timestamp::now()
}

fn millis(at: Timestamp) -> UnixMillis {
    UnixMillis(at.as_millisecond())
}
