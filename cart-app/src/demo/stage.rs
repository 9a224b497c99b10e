//! The shopper's hands: turns acts into things in the simulated world, and remembers what lies there
//! so that it still lies there when the cart's program is started again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use hal::Moment;
use hal::sim::{ItemHandle, SimItem, World};
use serde::{Deserialize, Serialize};
use trip::basket::Evidence;
use trip::{Basket, Catalogue, Grams, LineId, LineItem, Quantity, Sale, Sku};

use super::goods::Goods;

/// A thing in the basket, as it really is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Thing {
    /// The product.
    pub sku: Sku,
    /// Its mass.
    pub mass_g: f32,
    /// Its number in the trip, which chooses its looks.
    pub n: u64,
}

/// What outlives the program, as a real basket would.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// Steps of the script that are done.
    pub done: usize,
    /// What lies in the basket.
    pub things: Vec<Thing>,
}

/// The stage.
pub struct Stage {
    /// The world.
    pub world: World,
    goods: Goods,
    catalogue: Arc<Catalogue>,
    there: Vec<(Thing, ItemHandle)>,
    n: u64,
    done: usize,
    file: PathBuf,
}

impl Stage {
    /// An empty basket, or the one that `remembered` tells of.
    ///
    /// # Errors
    /// When a thing has no picture.
    pub fn new(
        world: World,
        goods: Goods,
        catalogue: Arc<Catalogue>,
        file: PathBuf,
        remembered: &Remembered,
    ) -> anyhow::Result<Self> {
        let mut stage = Self { world, goods, catalogue, there: Vec::new(), n: 0, done: remembered.done, file };
        for thing in &remembered.things {
            let item = stage.item(&thing.sku, Some(thing.mass_g), false, thing.n)?;
            let handle = stage.world.place(&item);
            stage.n = stage.n.max(thing.n);
            stage.there.push((thing.clone(), handle));
        }
        Ok(stage)
    }

    /// What an earlier run left.
    ///
    /// # Errors
    /// When there is a file, and it cannot be read.
    pub fn remembered(file: &Path) -> anyhow::Result<Remembered> {
        if !file.exists() {
            return Ok(Remembered::default());
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{}", file.display()))
    }

    /// Remembers that `done` steps are done.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remember(&mut self, done: usize) -> anyhow::Result<()> {
        self.done = done;
        self.save()
    }

    /// Remembers what lies there. At once, whether the cart has noticed or not: a thing does not leave a
    /// basket because a program ended.
    fn save(&self) -> anyhow::Result<()> {
        let remembered = Remembered { done: self.done, things: self.things().cloned().collect() };
        let text = serde_json::to_string(&remembered).context("what lies in the basket")?;
        let partial = self.file.with_extension("partial");
        std::fs::write(&partial, text).with_context(|| format!("{}", partial.display()))?;
        std::fs::rename(&partial, &self.file).with_context(|| format!("{}", self.file.display()))
    }

    /// What really lies in the basket.
    pub fn things(&self) -> impl DoubleEndedIterator<Item = &Thing> {
        self.there.iter().map(|(thing, _)| thing)
    }

    /// The goods.
    pub fn goods(&self) -> &Goods {
        &self.goods
    }

    fn item(&self, sku: &Sku, grams: Option<f32>, show_code: bool, n: u64) -> anyhow::Result<SimItem> {
        let product = self.catalogue.get(sku).with_context(|| format!("\"{sku}\" is not in the catalogue"))?;
        self.goods.thing(product, grams, show_code, n)
    }

    /// Puts a thing in; says when it rests.
    ///
    /// # Errors
    /// When it is no product, or has no picture.
    pub fn put(&mut self, sku: &Sku, grams: Option<f32>, show_code: bool, now: Moment) -> anyhow::Result<Moment> {
        self.n += 1;
        let item = self.item(sku, grams, show_code, self.n)?;
        let (handle, rests_at) = self.world.put(&item, now);
        self.there.push((Thing { sku: sku.clone(), mass_g: item.mass_g, n: self.n }, handle));
        self.save()?;
        Ok(rests_at)
    }

    /// Puts two things in at once; their codes are shown one after the other.
    ///
    /// # Errors
    /// As [`Stage::put`].
    pub fn put_two(&mut self, skus: &[Sku; 2], show_code: bool, now: Moment) -> anyhow::Result<Moment> {
        let first = self.item(&skus[0], None, false, self.n + 1)?;
        let mut second = self.item(&skus[1], None, show_code, self.n + 2)?;
        if show_code {
            let shown_first = self.item(&skus[0], None, true, self.n + 1)?.presented;
            second.presented.splice(0..0, shown_first);
        }
        let ([one, two], rests_at) = self.world.put_two([&first, &second], now);
        for (n, (sku, item, handle)) in [(&skus[0], &first, one), (&skus[1], &second, two)].into_iter().enumerate() {
            let thing = Thing { sku: sku.clone(), mass_g: item.mass_g, n: self.n + 1 + n as u64 };
            self.there.push((thing, handle));
        }
        self.n += 2;
        self.save()?;
        Ok(rests_at)
    }

    /// Takes out the newest thing of a product; says when it is gone.
    ///
    /// # Errors
    /// When what lies there cannot be remembered.
    pub fn take(&mut self, sku: &Sku, now: Moment) -> anyhow::Result<Moment> {
        let Some(at) = self.there.iter().rposition(|(thing, _)| thing.sku == *sku) else { return Ok(now) };
        let (_, handle) = self.there.remove(at);
        let gone_at = self.world.take(handle, now);
        self.save()?;
        Ok(gone_at)
    }

    /// What all that lies there costs by the catalogue, in minor units.
    pub fn fair_minor(&self) -> i64 {
        let mut basket = Basket::default();
        for (n, thing) in self.things().enumerate() {
            let Some(product) = self.catalogue.get(&thing.sku) else { continue };
            let quantity = match product.sale {
                Sale::Each { .. } => Quantity::Each(1),
                Sale::Weight { .. } => Quantity::Weighed(Grams(thing.mass_g.round() as i32)),
            };
            let line = LineId(n as u32 + 1);
            basket.lines.push(LineItem {
                line,
                sku: thing.sku.clone(),
                quantity,
                weight: None,
                evidence: Evidence::Staff,
            });
        }
        trip::pricing::price(&basket, &self.catalogue).map_or(0, |totals| totals.total.minor)
    }
}
