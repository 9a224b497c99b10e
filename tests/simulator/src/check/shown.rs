//! The basket shown is the replay of what is on the disk.

use cart_core::view::Screen;
use trip::pricing::price;
use trip::{Catalogue, Phase};

use super::{Check, Truth};
use crate::fact::Fact;
use crate::goods;

/// See the module.
pub struct Shown {
    /// All that there are.
    catalogues: [Catalogue; 2],
}

impl Default for Shown {
    fn default() -> Self {
        Self { catalogues: [0, goods::DEARER].map(goods::catalogue) }
    }
}

impl Check for Shown {
    fn name(&self) -> &'static str {
        "shown is on the disk"
    }

    fn see(&mut self, fact: &Fact<'_>, _: &Truth<'_>) -> Result<(), String> {
        let Fact::Shown { cart, view, on_disk } = fact else { return Ok(()) };
        let name = cart + 1;
        if on_disk.phase == Phase::Idle {
            return match view.screen {
                Screen::Basket | Screen::Pay(_) | Screen::Receipt(_) => {
                    Err(format!("cart {name} shows a trip that is not on its disk"))
                }
                _ => Ok(()),
            };
        }
        let shown: Vec<_> = view.lines.iter().map(|line| (line.line, &line.sku, line.quantity)).collect();
        let mut kept: Vec<_> = on_disk.basket.lines.iter().map(|l| (l.line, &l.sku, l.quantity)).collect();
        kept.reverse();
        if shown != kept {
            return Err(format!("cart {name} shows {shown:?}, its disk has {kept:?}"));
        }
        let catalogue = self.catalogues.iter().find(|c| Some(c.version) == on_disk.catalogue);
        let catalogue = catalogue.ok_or("the trip has pinned a catalogue that there never was")?;
        let total = price(&on_disk.basket, catalogue).map_err(|e| e.to_string())?.total;
        if view.total != total {
            return Err(format!("cart {name} shows a total of {}, its disk makes {total}", view.total));
        }
        let paid = matches!(view.screen, Screen::Receipt(_));
        if paid && on_disk.phase != Phase::Receipted {
            return Err(format!("cart {name} shows a receipt, and its disk says {:?}", on_disk.phase));
        }
        Ok(())
    }
}
