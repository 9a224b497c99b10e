//! Writes frames of the simulated basket as pictures: `cargo run -p hal --features sim --example
//! frames -- DIR [PHOTO ...]`. For looking at what the cart sees.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hal::sim::{
    PackDesign, PackShape, ProduceArt, ProduceShape, ProductLook, Side, SimCamera, SimItem, World, pack_look,
    produce_look,
};
use hal::{CameraId, ManualClock, Moment};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give a folder for the pictures")?);
    std::fs::create_dir_all(&folder)?;
    let world = World::new(5);
    let mut camera = SimCamera::new(world.clone(), CameraId(0), Arc::new(ManualClock::default()));
    let oat = PackDesign {
        shape: PackShape::Carton,
        base: [72, 112, 150],
        accent: [240, 226, 190],
        gtin: Some("9520001000102".into()),
    };
    let apples = ProduceArt { shape: ProduceShape::Round, skin: [126, 168, 52], blush: [196, 200, 90], pieces: 3 };
    let bananas = ProduceArt { shape: ProduceShape::Bent, skin: [232, 196, 56], blush: [214, 200, 90], pieces: 3 };
    let carton =
        SimItem::new(1_040.0, vec![pack_look(&oat, Side::Front, 1)]).presenting(pack_look(&oat, Side::Barcode, 2), 700);
    let mut items = vec![
        carton,
        SimItem::new(500.0, vec![produce_look(&apples, 3)]),
        SimItem::new(600.0, vec![produce_look(&bananas, 4)]),
    ];
    for photo in arguments {
        items.push(SimItem::new(400.0, vec![ProductLook::photo(image::open(photo)?.to_rgb8())]));
    }
    let mut now = Moment::from_millis(1_000);
    let mut number = 0;
    for item in &items {
        let (_, rests) = world.put(item, now);
        while now < rests + Duration::from_millis(200) {
            number += 1;
            let frame = camera.render(now);
            let picture =
                image::RgbImage::from_raw(frame.width, frame.height, frame.rgb.to_vec()).ok_or("a short frame")?;
            picture.save(folder.join(format!("{number:04}.png")))?;
            now = now + Duration::from_millis(200);
        }
    }
    println!("{number} frames in {}", folder.display());
    Ok(())
}
