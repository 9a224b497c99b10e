//! What the devices say, for staff to look at.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

use cart_ui::{CurveRest, DeviceKind, DeviceRow, StaffPicture, StaffRest};
use hal::MotionReading;
use slint::{Image, ModelRc, Rgb8Pixel, SharedPixelBuffer, VecModel};

use super::super::screen::update;
use super::super::{CartWindow, Format};
use crate::staff::instruments::{DeviceState, Kind, NoRest};
use crate::staff::view::{Curve, DevicesView, Picture};

/// The height of the box that a curve's path is drawn in.
const HIGH: f32 = 1_000.0;

pub(super) struct Devices {
    rows: Rc<VecModel<DeviceRow>>,
    pictures: Rc<VecModel<StaffPicture>>,
    rests: Rc<VecModel<CurveRest>>,
    curve: Rc<RefCell<Curve>>,
}

impl Devices {
    pub(super) fn new(window: &impl CartWindow) -> Self {
        let devices = Self { rows: Rc::default(), pictures: Rc::default(), rests: Rc::default(), curve: Rc::default() };
        let data = window.staff_devices();
        data.set_devices(ModelRc::from(devices.rows.clone()));
        data.set_pictures(ModelRc::from(devices.pictures.clone()));
        let curves = window.curves();
        curves.set_rests(ModelRc::from(devices.rests.clone()));
        let curve = devices.curve.clone();
        curves.on_path(move |_, wide| path(&curve.borrow(), wide).into());
        devices
    }

    pub(super) fn apply(&self, window: &impl CartWindow, view: &DevicesView, format: &Format) {
        let data = window.staff_devices();
        update(&self.rows, view.devices.iter().map(row).collect());
        update(&self.pictures, view.pictures.iter().map(live).collect());
        let (rest, weight) = weighed(view.weight, format);
        data.set_rest(rest);
        data.set_weight(weight.into());
        data.set_tilt(view.motion.map(|motion| degrees(&motion)).unwrap_or_default().into());
        data.set_battery(
            view.battery.map(|b| format.percent(u32::from(b.percent.min(100)) * 100).into()).unwrap_or_default(),
        );
        data.set_charging(view.battery.is_some_and(|battery| battery.charging));
        let curves = window.curves();
        curves.set_drawn(!view.curve.points.is_empty());
        curves.set_lowest(whole_grams(view.curve.lowest_g, format).into());
        curves.set_highest(whole_grams(view.curve.highest_g, format).into());
        update(&self.rests, rests(&view.curve, format));
        self.curve.replace(view.curve.clone());
        curves.set_turn(curves.get_turn().wrapping_add(1));
    }

    /// What the cameras saw is kept no longer than it is looked at.
    pub(super) fn forget(&self) {
        update(&self.pictures, Vec::new());
    }
}

/// Whether it rests, and the grams if it does.
pub(super) fn weighed(weight: Result<f32, NoRest>, format: &Format) -> (StaffRest, String) {
    match weight {
        Ok(grams) => (StaffRest::Rests, tenths(grams, format)),
        Err(NoRest::Silent) => (StaffRest::Silent, String::new()),
        Err(NoRest::NotANumber) => (StaffRest::NotANumber, String::new()),
        Err(NoRest::Unsteady) => (StaffRest::Unsteady, String::new()),
    }
}

/// `742.3 g`.
pub(super) fn tenths(grams: f32, format: &Format) -> String {
    // A float becomes the nearest whole number there is; nothing overflows.
    format.grams((grams * 10.0).round() as i64, 1).to_string()
}

fn whole_grams(grams: f32, format: &Format) -> String {
    format.grams(grams.round() as i64, 0).to_string()
}

fn row(device: &DeviceState) -> DeviceRow {
    let (kind, number) = match device.kind {
        Kind::Camera(n) => (DeviceKind::Camera, i32::from(n) + 1),
        Kind::Scale => (DeviceKind::Scale, 0),
        Kind::Motion => (DeviceKind::Motion, 0),
        Kind::Battery => (DeviceKind::Battery, 0),
        Kind::Light => (DeviceKind::Light, 0),
        Kind::Sounder => (DeviceKind::Sounder, 0),
        Kind::LaneBeacon => (DeviceKind::LaneBeacon, 0),
    };
    let said = [device.model.as_str(), device.port.as_str()];
    let what: Vec<&str> = said.into_iter().filter(|part| !part.is_empty()).collect();
    DeviceRow {
        kind,
        number,
        out: device.out,
        what: what.join(", ").into(),
        calibration: device.calibration.as_str().into(),
        trouble: device.last_error.as_str().into(),
    }
}

fn live(picture: &Picture) -> StaffPicture {
    StaffPicture { number: i32::from(picture.camera) + 1, picture: image(picture) }
}

/// The pixels as the window takes them; nothing where there are too few of them.
pub(super) fn image(picture: &Picture) -> Image {
    if picture.rgb.len() != (picture.width as usize) * (picture.height as usize) * 3 {
        return Image::default();
    }
    Image::from_rgb8(SharedPixelBuffer::<Rgb8Pixel>::clone_from_slice(&picture.rgb, picture.width, picture.height))
}

/// How far it leans from upright, in degrees.
fn degrees(motion: &MotionReading) -> String {
    let [x, y, z] = motion.accel_mg;
    format!("{:.1}", x.hypot(y).atan2(z).to_degrees())
}

fn rests(curve: &Curve, format: &Format) -> Vec<CurveRest> {
    let rest = |&(from, to, grams): &(f32, f32, f32)| CurveRest {
        from,
        to,
        level: level(curve, grams),
        weight: whole_grams(grams, format).into(),
    };
    curve.rests.iter().map(rest).collect()
}

/// How high in the range that is drawn, 0 to 1.
fn level(curve: &Curve, grams: f32) -> f32 {
    ((grams - curve.lowest_g) / (curve.highest_g - curve.lowest_g).max(1.0)).clamp(0.0, 1.0)
}

/// The line in a box `wide` across; where the scale said nothing it has a gap.
fn path(curve: &Curve, wide: f32) -> String {
    let mut path = String::new();
    let mut last: Option<f32> = None;
    // Points come evenly; a hole is more than two of their steps.
    let step = curve.points.windows(2).map(|pair| pair[1].0 - pair[0].0).fold(f32::INFINITY, f32::min);
    for &(x, grams) in &curve.points {
        let joined = last.is_some_and(|last| x - last < step * 2.5);
        let letter = if joined { 'L' } else { 'M' };
        let y = HIGH * (1.0 - level(curve, grams));
        // Writing into a string does not fail.
        let _ = write!(path, "{letter}{:.0} {y:.0} ", x * wide);
        last = Some(x);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_a_line_with_gaps_where_the_scale_was_silent() {
        let points = vec![(0.1, 0.0), (0.2, 50.0), (0.5, 100.0), (0.6, 100.0)];
        let curve = Curve { points, lowest_g: 0.0, highest_g: 100.0, rests: Vec::new() };
        assert_eq!(path(&curve, 2_000.0), "M200 1000 L400 500 M1000 0 L1200 0 ");
        assert_eq!(path(&Curve::default(), 100.0), "");
    }

    #[test]
    fn pixels_that_are_too_few_are_no_picture() {
        let picture = |bytes: usize| Picture { camera: 0, width: 2, height: 2, rgb: vec![7; bytes].into() };
        assert_eq!(image(&picture(12)).size().width, 2);
        assert_eq!(image(&picture(11)).size().width, 0);
    }

    #[test]
    fn upright_leans_by_nothing() {
        let lean = |accel_mg| degrees(&MotionReading { at: Default::default(), accel_mg });
        assert_eq!(lean([0.0, 0.0, 1_000.0]), "0.0");
        assert_eq!(lean([100.0, 0.0, 995.0]), "5.7");
    }
}
