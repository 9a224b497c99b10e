//! Strikes, and heals again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::plan::{Blow, End, Target};
use super::proxy::{Proxy, Weather};
use super::store::Shop;
use super::trolley::Trolley;
use crate::process::Running;

/// A hub that was replaced has so long to notice it.
const REPLACED: Duration = Duration::from_secs(3);

/// What can only be struck once at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Struck {
    Program(Target),
    Line(End),
    Disk,
}

/// What ends a blow.
enum Heal {
    Start,
    /// The process goes on.
    GoOn(u32),
    Turn,
    Free,
    /// The tracer that makes flushes fail.
    Untrace(Running),
    /// The hub that was replaced goes on.
    OldGoesOn(Running),
    /// It should have noticed by now.
    OldEnds(Running),
}

/// Strikes and heals.
pub struct Striker {
    due: Vec<(Instant, Struck, Heal)>,
    busy: BTreeSet<Struck>,
    log: PathBuf,
    /// Blows, by kind.
    pub blows: BTreeMap<String, u32>,
    /// What became of hubs that another had replaced.
    pub replaced: BTreeMap<String, u32>,
    /// What cannot be struck here, and why.
    pub left_out: Vec<String>,
}

impl Striker {
    /// What tracers say goes into the folder.
    pub fn new(folder: &Path) -> Self {
        let log = folder.join("logs/strace.log");
        Self {
            due: Vec::new(),
            busy: BTreeSet::new(),
            log,
            blows: BTreeMap::new(),
            replaced: BTreeMap::new(),
            left_out: Vec::new(),
        }
    }

    /// True when the blow fell; what is struck already is not struck again.
    ///
    /// # Errors
    /// When the means of a blow fail.
    pub fn strike(&mut self, shop: &mut Shop, trolleys: &[Trolley], blow: Blow) -> anyhow::Result<bool> {
        let struck = match blow {
            Blow::Kill(target, _) | Blow::Freeze(target, _) | Blow::FlushFails(target, _) => Struck::Program(target),
            Blow::TwoHubs(_) => Struck::Program(Target::Hub),
            Blow::Line(end, ..) => Struck::Line(end),
            Blow::DiskFull(_) => Struck::Disk,
            Blow::Terminal(lane, play) => {
                let free = !self.busy.contains(&Struck::Program(Target::Terminal(lane)));
                return Ok(free && shop.script(lane, play.script()) && self.count(blow));
            }
        };
        // Of three servers two must be there: more than one at a time is no single failure.
        let broker = |struck: &Struck| matches!(struck, Struck::Program(Target::Broker(_)));
        if self.busy.contains(&struck) || (broker(&struck) && self.busy.iter().any(broker)) {
            return Ok(false);
        }
        let (lasts, heal) = match blow {
            Blow::Kill(Target::Cart(n), down) => {
                if trolleys[n].id().is_none() {
                    return Ok(false);
                }
                trolleys[n].kill(down);
                return Ok(self.count(blow));
            }
            Blow::Kill(target, down) => {
                part(shop, target).map(super::part::Part::kill);
                (down, Heal::Start)
            }
            Blow::Freeze(target, still) => {
                let Some(id) = id(shop, trolleys, target) else { return Ok(false) };
                signal(id, "STOP")?;
                (still, Heal::GoOn(id))
            }
            Blow::Line(end, weather, lasts) => {
                line(shop, end).turn(weather);
                (lasts, Heal::Turn)
            }
            Blow::DiskFull(lasts) => {
                let Some(disk) = &shop.disk else {
                    return Ok(self.leave_out("a full disk: this system gives no mount namespace"));
                };
                disk.fill().context("filling the disk")?;
                (lasts, Heal::Free)
            }
            Blow::FlushFails(target, lasts) => {
                let Some(id) = id(shop, trolleys, target) else { return Ok(false) };
                let Some(tracer) = self.trace(id)? else { return Ok(false) };
                (lasts, Heal::Untrace(tracer))
            }
            Blow::TwoHubs(lasts) => {
                let Some(old) = shop.hub.let_go() else { return Ok(false) };
                signal(old.id(), "STOP")?;
                shop.hub.start()?;
                (lasts, Heal::OldGoesOn(old))
            }
            Blow::Terminal(..) => return Ok(false),
        };
        self.busy.insert(struck);
        self.due.push((Instant::now() + lasts, struck, heal));
        Ok(self.count(blow))
    }

    fn count(&mut self, blow: Blow) -> bool {
        *self.blows.entry(blow.kind()).or_default() += 1;
        true
    }

    fn leave_out(&mut self, what: &str) -> bool {
        if !self.left_out.iter().any(|known| known == what) {
            self.left_out.push(what.to_owned());
        }
        false
    }

    /// From now on the process's flushes fail; `None` where nobody may trace, or when it has just ended.
    fn trace(&mut self, id: u32) -> anyhow::Result<Option<Running>> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]);
        strace.args(["-o", "/dev/null", "-p", &id.to_string()]);
        let Ok((mut tracer, _)) = Running::start_and_log(strace, &self.log) else {
            self.leave_out("failing flushes: strace is missing");
            return Ok(None);
        };
        std::thread::sleep(Duration::from_millis(100));
        if tracer.runs()? {
            return Ok(Some(tracer));
        }
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        if said.contains("not permitted") {
            self.leave_out("failing flushes: nobody may trace here");
        }
        Ok(None)
    }

    /// Ends the blows whose time is over.
    ///
    /// # Errors
    /// When that fails.
    pub fn heal_due(&mut self, shop: &mut Shop, trolleys: &[Trolley]) -> anyhow::Result<()> {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.due).into_iter().partition(|(at, ..)| *at <= now);
        self.due = later;
        for (_, struck, heal) in due {
            self.heal(shop, trolleys, struck, heal)?;
        }
        Ok(())
    }

    /// Ends all blows.
    ///
    /// # Errors
    /// When that fails.
    pub fn heal_all(&mut self, shop: &mut Shop, trolleys: &[Trolley]) -> anyhow::Result<()> {
        while let Some((_, struck, heal)) = self.due.pop() {
            self.heal(shop, trolleys, struck, heal)?;
        }
        Ok(())
    }

    fn heal(&mut self, shop: &mut Shop, trolleys: &[Trolley], struck: Struck, heal: Heal) -> anyhow::Result<()> {
        self.busy.remove(&struck);
        match (heal, struck) {
            (Heal::Start, Struck::Program(target)) => {
                if let Some(part) = part(shop, target) {
                    part.start()?;
                }
            }
            (Heal::GoOn(process), Struck::Program(target)) => {
                // What has ended meanwhile needs nothing.
                if id(shop, trolleys, target) == Some(process) {
                    signal(process, "CONT")?;
                }
            }
            (Heal::Turn, Struck::Line(end)) => line(shop, end).turn(Weather::Fair),
            (Heal::Free, _) => shop.disk.as_ref().map_or(Ok(()), |disk| disk.free()).context("freeing the disk")?,
            (Heal::Untrace(tracer), _) => {
                // It lets its process go when it is asked to end, not when it is killed.
                tracer.interrupt()?;
                tracer.ended()?;
            }
            (Heal::OldGoesOn(old), _) => {
                signal(old.id(), "CONT")?;
                self.busy.insert(struck);
                self.due.push((Instant::now() + REPLACED, struck, Heal::OldEnds(old)));
            }
            (Heal::OldEnds(mut old), _) => {
                let word = if old.runs()? { "was silent" } else { "ended" };
                *self.replaced.entry(word.into()).or_default() += 1;
            }
            (Heal::Start | Heal::GoOn(_) | Heal::Turn, _) => {}
        }
        Ok(())
    }
}

fn part(shop: &mut Shop, target: Target) -> Option<&mut super::part::Part> {
    match target {
        Target::Broker(n) => shop.brokers.parts.get_mut(n),
        Target::Hub => Some(&mut shop.hub),
        Target::Terminal(n) => shop.terminals.get_mut(n),
        Target::Cart(_) => None,
    }
}

fn id(shop: &mut Shop, trolleys: &[Trolley], target: Target) -> Option<u32> {
    match target {
        Target::Cart(n) => trolleys[n].id(),
        _ => part(shop, target).and_then(|part| part.id()),
    }
}

fn line(shop: &Shop, end: End) -> &Proxy {
    match end {
        End::Cart(n) => &shop.cart_lines[n],
        End::Crowd => &shop.crowd_line,
        End::Hub => &shop.hub_line,
        End::Terminal(n) => &shop.terminal_lines[n],
    }
}

fn signal(id: u32, name: &str) -> anyhow::Result<()> {
    let asked = Command::new("sh").arg("-c").arg(format!("kill -{name} {id}")).output()?;
    // It may have ended in the same moment.
    if asked.status.success() || !Path::new(&format!("/proc/{id}")).exists() {
        return Ok(());
    }
    bail!("process {id} cannot be sent {name}: {}", String::from_utf8_lossy(&asked.stderr))
}
