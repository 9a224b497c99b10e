//! Processes: how long the cart takes to its first frame, what cart and hub weigh, and the bare
//! ONNX Runtime, which needs a process of its own because a process may have it set up only once.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use cart_app::config::Config;
use cart_app::demo::headless::Lockstep;
use cart_app::sight::Sight;
use cart_app::startup;
use cart_app::ui::HeadlessScreen;
use cart_vision::embedder::runtime_path;
use hal::Moment;
use hal::sim::{PackDesign, PackShape, Side, SimItem, World, pack_look};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use serde::{Deserialize, Serialize};

use super::report::{Report, ms};

/// Starts of each kind.
const STARTS: usize = 5;
/// Runs a turn of the model; the first only warms the caches that the other side has cooled.
const RUNS_A_TURN: usize = 4;

/// What a process started by the bench does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Child {
    /// The cart: configuration, journal, replay, model, gallery, eyes, line, screen, first frame.
    Cart,
    /// ONNX Runtime with the model, and nothing else.
    Bare,
}

/// What a child says when it is ready.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    rss_kib: u64,
}

/// The child's life.
pub fn be(child: Child, file: &Path) -> anyhow::Result<()> {
    match child {
        Child::Cart => be_cart(file),
        Child::Bare => be_bare(file),
    }
}

fn be_cart(config: &Path) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    let ready = startup::prepare(&config)?;
    let sight = Sight::open(&config.sight, ready.catalogue.clone())?;
    let world = World::new(1);
    let mut cart = Lockstep::new(&config, ready, &sight, world.clone())?;
    let screen = HeadlessScreen::new(1280, 800).context("the screen in memory")?;
    screen.apply(cart.view());
    let frame = screen.screenshot();
    if frame.pixels().all(|p| *p == *frame.get_pixel(0, 0)) {
        bail!("the first frame is blank");
    }
    tell()?;
    // Asked once more, it sees a thing put in with both cameras, and says what it weighs then.
    if std::io::stdin().lines().next().transpose()?.is_none() {
        return Ok(());
    }
    let design = PackDesign { shape: PackShape::Box, base: [34, 74, 58], accent: [214, 170, 74], gtin: None };
    let (_, rests) =
        world.put(&SimItem::new(292.0, vec![pack_look(&design, Side::Front, 1)]), Moment::from_millis(500));
    while cart.now() < rests + Duration::from_secs(1) {
        cart.tick()?;
    }
    tell()
}

/// Answers each line of its input with the median milliseconds of a turn. The first line names the
/// file of the model's input.
fn be_bare(model: &Path) -> anyhow::Result<()> {
    let environment = ort::init_from(runtime_path())?.with_name("bench").with_telemetry(false).build()?;
    let bytes = std::fs::read(model).with_context(|| format!("{}", model.display()))?;
    let open = || -> Result<Session, ort::Error> {
        Session::builder(&environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .commit_from_memory(&bytes)
    };
    let mut session = open()?;
    tell()?;
    let mut lines = std::io::stdin().lines();
    let Some(path) = lines.next().transpose()? else { return Ok(()) };
    let bytes = std::fs::read(&path).with_context(|| path.clone())?;
    let input: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let side = ((input.len() / 3) as f64).sqrt() as usize;
    for line in lines {
        line?;
        let took = turn(|| {
            let tensor = TensorRef::from_array_view(([1usize, 3, side, side], &*input))?;
            let outputs = session.run(ort::inputs!["image" => tensor])?;
            let (_, embedding) = outputs["embedding"].try_extract_tensor::<f32>()?;
            if embedding.is_empty() {
                bail!("the model said nothing");
            }
            Ok(())
        })?;
        println!("{took}");
    }
    Ok(())
}

fn tell() -> anyhow::Result<()> {
    let told = Told { rss_kib: resident_kib("self")? };
    println!("{}", serde_json::to_string(&told)?);
    Ok(())
}

/// The median milliseconds of a turn of runs.
pub fn turn(mut run: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    run()?;
    let mut took = Vec::new();
    for _ in 1..RUNS_A_TURN {
        let began = Instant::now();
        run()?;
        took.push(ms(began.elapsed()));
    }
    took.sort_by(f64::total_cmp);
    Ok(took[took.len() / 2])
}

/// A process started by the bench; it ends with its owner.
pub struct Running {
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(why) = self.process.kill().and_then(|()| self.process.wait().map(drop)) {
            eprintln!("a child did not end: {why}");
        }
    }
}

impl Running {
    fn start(child: &str, file: &Path) -> anyhow::Result<Self> {
        // This very program, also when it has been built anew since.
        let mut command = Command::new("/proc/self/exe");
        command.args(["--child", child, "--file"]).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("a second process of the bench")?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let (Some(input), Some(output)) = (input, output) else { bail!("a child without pipes") };
        Ok(Self { process, input, output: BufReader::new(output) })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("a child of the bench ended before it had answered");
        }
        Ok(line)
    }

    /// The bare runtime with `input`, ready for turns.
    pub fn bare(model: &Path, input: &Path) -> anyhow::Result<Self> {
        let mut this = Self::start("bare", model)?;
        this.line()?;
        writeln!(this.input, "{}", input.display())?;
        Ok(this)
    }

    /// One turn of the bare runtime, in milliseconds a run.
    pub fn turn(&mut self) -> anyhow::Result<f64> {
        writeln!(self.input, "go")?;
        self.line()?.trim().parse().context("a number")
    }
}

/// Starts a child: milliseconds until it was ready, and its resident memory in MiB.
fn started(child: &str, file: &Path) -> anyhow::Result<(f64, f64)> {
    let began = Instant::now();
    let mut running = Running::start(child, file)?;
    let line = running.line()?;
    let took = ms(began.elapsed());
    let told: Told = serde_json::from_str(&line).with_context(|| format!("a child said \"{}\"", line.trim()))?;
    Ok((took, told.rss_kib as f64 / 1_024.0))
}

/// What the cart's process weighs once both cameras have recognised something.
pub fn memory_at_work(config_path: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut values = Vec::new();
    for _ in 0..3 {
        let mut running = Running::start("cart", config_path)?;
        running.line()?;
        writeln!(running.input, "go")?;
        let line = running.line()?;
        let told: Told = serde_json::from_str(&line).with_context(|| format!("a child said \"{}\"", line.trim()))?;
        values.push(told.rss_kib as f64 / 1_024.0);
    }
    let note = "VmRSS after a thing has been put in and both eyes have run the model; one session an eye.";
    report.add("cart at work: resident", "MiB", values, note);
    Ok(())
}

/// Starts cart and bare runtime in turns.
pub fn cold(name: &str, config_path: &Path, config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let (mut carts, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        bares.push(started("bare", &config.sight.model)?);
        carts.push(started("cart", config_path)?);
    }
    let times = |all: &[(f64, f64)]| all.iter().map(|(time, _)| *time).collect::<Vec<_>>();
    let memory = |all: &[(f64, f64)]| all.iter().map(|(_, memory)| *memory).collect::<Vec<_>>();
    report.ratio(
        format!("{name} ÷ bare model"),
        &times(&carts),
        &times(&bares),
        "Process start to first frame, over process start to bare ONNX Runtime with the model opened, in turns. Files are in the system's cache.",
    );
    report.add(
        format!("  {name} → first frame"),
        "ms",
        times(&carts),
        "Configuration, journal and replay, catalogue, model and gallery, two eyes, line to the hub begun, first frame drawn whole in memory. Devices are simulated; no window system is in it.",
    );
    report.add("  bare process with model", "ms", times(&bares), "ONNX Runtime loaded, session opened, nothing run.");
    report.add(
        format!("  {name}: resident"),
        "MiB",
        memory(&carts),
        "VmRSS of that process after its first frame, before anything was recognised; with two simulated cameras.",
    );
    report.add(
        "  bare process with model: resident",
        "MiB",
        memory(&bares),
        "VmRSS of the bare process when the session is open.",
    );
    Ok(())
}

/// The hub's resident memory: the process of that name that this one has started.
pub fn hub_memory(name: &str, report: &mut Report) -> anyhow::Result<()> {
    // It has just begun, or just taken in a trip: a moment to come to rest.
    std::thread::sleep(Duration::from_secs(1));
    let own = std::process::id().to_string();
    let mut hub = None;
    for entry in std::fs::read_dir("/proc").context("/proc")?.filter_map(Result::ok) {
        let pid = entry.file_name().to_string_lossy().into_owned();
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let field = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        if field("Name:") == Some("store-hub") && field("PPid:") == Some(&own) {
            hub = Some(pid);
        }
    }
    let hub = hub.context("the hub does not run")?;
    let values = vec![resident_kib(&hub)? as f64 / 1_024.0];
    report.add(
        format!("{name}: resident"),
        "MiB",
        values,
        "VmRSS of the store-hub process: broker, database, staff page; one cart.",
    );
    Ok(())
}

pub fn resident_kib(process: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()).and_then(|n| n.parse().ok());
    number.with_context(|| format!("{path} has no VmRSS"))
}
