//! A product is enrolled.

use std::cell::RefCell;
use std::rc::Rc;

use cart_ui::{EnrolState, TileData};
use slint::{Image, ModelRc, VecModel};

use super::super::pictures::Place;
use super::super::screen::update;
use super::super::{CartWindow, Pictures};
use super::devices::image;
use super::number;
use crate::staff::enrolling::{EnrolResult, EnrolView, Found};
use crate::staff::view::Picture;

pub(super) struct Enrol {
    found: Rc<VecModel<TileData>>,
    taken: Rc<VecModel<Image>>,
    /// What is shown, so that pictures are handed over only when they change.
    shown: RefCell<Shown>,
}

#[derive(Default, PartialEq)]
struct Shown {
    product: String,
    taken: Vec<Picture>,
    open: bool,
}

impl Enrol {
    pub(super) fn new(window: &impl CartWindow) -> Self {
        let enrol = Self { found: Rc::default(), taken: Rc::default(), shown: RefCell::default() };
        let data = window.staff_enrol();
        data.set_found(ModelRc::from(enrol.found.clone()));
        data.set_taken(ModelRc::from(enrol.taken.clone()));
        enrol
    }

    pub(super) fn apply(&self, window: &impl CartWindow, view: &EnrolView, pictures: &Pictures) {
        let data = window.staff_enrol();
        data.set_sight(view.sight);
        let product = view.product.as_ref().map(|product| product.name.clone()).unwrap_or_default();
        let before = self.shown.replace(Shown { product: product.clone(), taken: view.taken.clone(), open: true });
        // What is typed shows at once; the desk's echo of it, which comes later, undoes no later key.
        if !before.open {
            data.set_text(view.text.as_str().into());
        }
        let tile = |found: &Found| TileData {
            sku: found.sku.as_str().into(),
            name: found.name.as_str().into(),
            picture: pictures.picture(&found.sku, &found.name, Place::Result),
            ..TileData::default()
        };
        update(&self.found, view.found.iter().map(tile).collect());
        data.set_unknown_code(view.unknown_code.as_deref().unwrap_or_default().into());
        data.set_enrolled(view.product.as_ref().is_some_and(|product| product.enrolled));
        data.set_has_live(view.live.is_some());
        data.set_live(view.live.as_ref().map(image).unwrap_or_default());
        if before.taken != view.taken {
            update(&self.taken, view.taken.iter().map(image).collect());
        }
        data.set_too_near(Default::default());
        data.set_trouble(Default::default());
        data.set_state(match &view.result {
            EnrolResult::None => EnrolState::None,
            EnrolResult::Ready { views, too_near, barcode_required } => {
                data.set_views(number(*views));
                data.set_too_near(too_near.join(", ").into());
                data.set_barcode_required(*barcode_required);
                EnrolState::Ready
            }
            EnrolResult::Done => EnrolState::Done,
            EnrolResult::Failed(why) => {
                data.set_trouble(why.as_str().into());
                EnrolState::Failed
            }
        });
        data.set_product(product.into());
    }

    /// What was typed and taken is gone with the page.
    pub(super) fn forget(&self, window: &impl CartWindow) {
        if self.shown.take() == Shown::default() {
            return;
        }
        let data = window.staff_enrol();
        data.set_text(Default::default());
        data.set_product(Default::default());
        data.set_live(Image::default());
        data.set_has_live(false);
        update(&self.taken, Vec::new());
    }
}
