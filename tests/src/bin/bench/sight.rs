//! Sight: frames of the simulated camera, motion, whole looks, and the model against the bare runtime.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use cart_app::config::Config;
use cart_app::demo::goods::Goods;
use cart_app::sight::Sight;
use cart_vision::embedder::Embedder;
use cart_vision::motion::MotionFinder;
use cart_vision::picture::{View, as_input, crop};
use hal::sim::{SimCamera, World};
use hal::{CameraId, ManualClock, Moment};
use image::RgbImage;
use trip::Catalogue;

use super::Bench;
use super::report::{Report, ms};
use super::start::{self, Running};

/// Things put in before the camera.
const THINGS: u64 = 10;
/// From one thing to the next.
const BETWEEN: Duration = Duration::from_millis(3_400);
/// Turns of the model on each side.
const TURNS: usize = 24;
/// The measure of frames in which the model ran.
pub const RECOGNITION: &str = "  frames with recognition";
/// The time between two frames, which a look must not exceed for long.
const FRAME_MS: f64 = 1_000.0 / 15.0;

/// Measures all of it.
pub fn frames(bench: &Bench, config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&config.catalogue).context("catalogue")?;
    let catalogue = Arc::new(Catalogue::parse(&text)?);
    let goods = Goods::open(&bench.assets.join("store/pictures.toml"), None, bench.seed)?;
    let sight = Sight::open(&config.sight, catalogue.clone())?;
    let world = World::new(bench.seed);
    let mut ends = Moment::from_millis(1_000);
    for (n, sku) in (0..THINGS).zip(goods.shelf(&catalogue).into_iter().cycle()) {
        let product = catalogue.get(&sku).context("a product of the shelf")?;
        let show_code = n % 2 == 1 && !product.gtins.is_empty();
        let (_, rests) = world.put(&goods.thing(product, None, show_code, n)?, ends);
        ends = rests + BETWEEN.saturating_sub(Duration::from_millis(1_000));
    }
    let mut camera = SimCamera::new(world, CameraId(0), Arc::new(ManualClock::default()));
    let mut motion = MotionFinder::new();
    let mut eye = sight.eye()?;
    let (mut rendered, mut found) = (Vec::new(), Vec::new());
    let (mut moving, mut recognised, mut reading, mut calm) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut crop_of_thing: Option<RgbImage> = None;
    let mut scans = 0;
    let mut at = Moment(0);
    while at < ends {
        at = at + SimCamera::PERIOD;
        let began = Instant::now();
        let frame = camera.render(at);
        rendered.push(ms(began.elapsed()));
        let began = Instant::now();
        motion.look(&frame)?;
        found.push(ms(began.elapsed()));
        let began = Instant::now();
        let seen = eye.look(&frame)?;
        let took = ms(began.elapsed());
        scans += seen.scans.len();
        if seen.moving {
            moving.push(took);
        }
        match (seen.thing, seen.sightings.is_empty()) {
            (_, false) => recognised.push(took),
            (Some(_), true) => reading.push(took),
            (None, true) => calm.push(took),
        }
        if let Some(thing) = seen.thing.filter(|_| !seen.sightings.is_empty()) {
            crop_of_thing = crop(&frame, thing.bbox_in_frame.squared(frame.width, frame.height));
        }
    }
    let budget = moving.iter().map(|took| took / FRAME_MS).collect();
    let picture = crop_of_thing.context("nothing was recognised in the frames")?;
    embeds(bench, config, &picture, &sight, report)?;
    report.add(
        "look at a moving frame",
        "ms",
        moving,
        "Eye::look of one camera, 640×480: motion, and on some frames crop, model, gallery, vote; barcode reader. Goods are drawn and the gallery is the shipped one, so no vote is sure early: the most looks there can be. Each camera has a thread of its own. Before the scale settles; not in the time to the line below.",
    );
    report.add(RECOGNITION, "ms", recognised, "Those in which the model ran, moving or just come to rest.");
    report.add("  frames without", "ms", reading, "Those in which motion and the barcode reader ran.");
    report.add("  calm frames", "ms", calm, "Nothing moves: motion, and the reader in the first frames after rest.");
    report.add(
        "  look ÷ frame period",
        "×",
        budget,
        "A moving frame's look over the 66.7 ms between frames; above 1 a frame is skipped.",
    );
    report.add("motion alone", "ms", found, "MotionFinder::look, every frame of the same series.");
    report.add(
        "drawing a simulated frame",
        "ms",
        rendered,
        "SimCamera::render: the simulation's own cost, which no real cart has.",
    );
    report.count("codes accepted in the frames", scans as u64);
    Ok(())
}

/// The model on one crop, in turns with the bare runtime in its own process.
fn embeds(
    bench: &Bench,
    config: &Config,
    picture: &RgbImage,
    sight: &Sight,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut ours: Embedder = sight.embedder()?;
    let side = ours.description().input[1];
    let input = as_input(picture, side, View::Plain).context("the crop")?;
    let file = bench.folder.join("input.f32");
    let bytes: Vec<u8> = input.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&file, bytes).with_context(|| format!("{}", file.display()))?;
    let mut bare = Running::bare(&config.sight.model, &file)?;
    let (mut looks, mut runs, mut bares) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..TURNS {
        // Who comes first changes, so that a machine that slows down wrongs nobody.
        let turns = [n % 3, (n + 1) % 3, (n + 2) % 3];
        for who in turns {
            match who {
                0 => bares.push(bare.turn()?),
                1 => runs.push(start::turn(|| ours.run(&input).map(drop).map_err(Into::into))?),
                _ => looks.push(start::turn(|| ours.look(picture).map(drop).map_err(Into::into))?),
            }
        }
    }
    report.ratio(
        "embed (resize + run) ÷ bare runtime",
        &looks,
        &bares,
        format!("Embedder::look on a {0}×{0} crop of a frame over Session::run of bare ONNX Runtime on the resized input; same model file and options, one thread, in turns.", picture.width()),
    );
    report.ratio(
        "embed (run only) ÷ bare runtime",
        &runs,
        &bares,
        "Embedder::run over the same: copying the answer, normalising, checking for nonsense.",
    );
    report.add("  embed (resize + run)", "ms", looks, "Each value is the median of three runs of a turn.");
    report.add("  embed (run only)", "ms", runs, "As above.");
    report.add("  bare runtime", "ms", bares, "As above, in a process of its own.");
    Ok(())
}
