//! The files of `assets/` fit each other: a typing error in one of them is found here.

use std::collections::BTreeSet;

use anyhow::Context;
use cart_app::demo::goods::Goods;
use cart_app::demo::script::{Script, Step};
use tests::process::assets;
use trip::{Catalogue, Sku};

fn read(path: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(assets().join(path)).with_context(|| path.to_owned())
}

fn catalogue() -> anyhow::Result<Catalogue> {
    Catalogue::parse(&read("store/catalogue.toml")?).context("store/catalogue.toml")
}

/// All `named` are products.
fn all_are_products(named: impl IntoIterator<Item = String>, by: &str) -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let known = |sku: &String| Sku::new(sku.clone()).is_ok_and(|sku| catalogue.get(&sku).is_some());
    let strange: Vec<String> = named.into_iter().filter(|sku| !known(sku)).collect();
    assert!(strange.is_empty(), "{by} names what is not in the catalogue: {}", strange.join(", "));
    Ok(())
}

#[test]
fn every_pictured_product_is_in_the_catalogue() -> anyhow::Result<()> {
    Goods::open(&assets().join("store/pictures.toml"), None, 1)?;
    let pictures: toml::Table = toml::from_str(&read("store/pictures.toml")?)?;
    let tables = pictures.values().filter_map(toml::Value::as_table);
    let named: Vec<String> = tables.flat_map(|table| table.keys().cloned()).collect();
    assert!(!named.is_empty());
    all_are_products(named, "store/pictures.toml")
}

#[test]
fn every_class_of_the_model_is_in_the_catalogue() -> anyhow::Result<()> {
    let description: serde_json::Value = serde_json::from_str(&read("models/pair.json")?)?;
    let classes: Vec<String> = serde_json::from_value(description["classes"].clone())?;
    let different: BTreeSet<&String> = classes.iter().collect();
    assert_eq!(different.len(), classes.len(), "a class is there twice");
    all_are_products(classes, "models/pair.json")
}

#[test]
fn every_demo_trip_begins_pays_ends_and_buys_products() -> anyhow::Result<()> {
    let mut trips = 0;
    for entry in std::fs::read_dir(assets().join("demo-trips"))? {
        let path = entry?.path();
        let name = path.display().to_string();
        let script = Script::load(&path)?;
        trips += 1;
        let mut named = Vec::new();
        for step in &script.step {
            match step {
                Step::Put { sku, .. } | Step::Take { sku } => named.push(sku.to_string()),
                Step::PutTwo { skus, .. } => named.extend(skus.iter().map(ToString::to_string)),
                _ => {}
            }
        }
        all_are_products(named, &name)?;
        assert_eq!(script.step.first(), Some(&Step::Start), "{name}");
        assert_eq!(script.step.last(), Some(&Step::Finish), "{name}");
        assert!(script.step.contains(&Step::TapCard), "{name}");
    }
    assert!(trips >= 2, "{trips} demo trips");
    Ok(())
}

#[test]
fn what_is_drawn_for_a_demo_trip_can_be_put_in() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let shelf = Goods::open(&assets().join("store/pictures.toml"), None, 1)?.shelf(&catalogue);
    let script = Script::load(&assets().join("demo-trips/drawn.toml"))?;
    for step in script.step {
        let put = match step {
            Step::Put { sku, .. } => vec![sku],
            Step::PutTwo { skus, .. } => skus.to_vec(),
            _ => continue,
        };
        for sku in put {
            assert!(shelf.contains(&sku), "{sku} is put in, but not drawn");
        }
    }
    Ok(())
}

#[test]
fn the_packs_of_the_tests_cost_what_the_tests_say() -> anyhow::Result<()> {
    let catalogue = catalogue()?;
    let price = |sku: &str| {
        let product = catalogue.get(&Sku::new(sku)?).with_context(|| sku.to_owned())?;
        let trip::Sale::Each { price } = product.sale else { anyhow::bail!("{sku} is no pack") };
        Ok(price + product.deposit)
    };
    let whole = tests::script::PACKS.iter().map(|sku| price(sku)).sum::<anyhow::Result<i64>>()?;
    // Two tins for 150 instead of 85 each.
    assert_eq!(whole - 20, tests::script::PACKS_COST);
    Ok(())
}
