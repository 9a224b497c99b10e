//! Numbers, the table and the JSON.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

/// What was promised: from the scale at rest to the line on the screen, in milliseconds.
pub const PROMISE_MS: f64 = 150.0;

/// The middle and the spread of many values, by nearest rank.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    pub count: usize,
    pub min: f64,
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Spread {
    /// `None` without values.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let rank =
            |share: f64| values.get(((share * count as f64).ceil() as usize).clamp(1, count.max(1)) - 1).copied();
        Some(Self {
            count,
            min: rank(0.0)?,
            p10: rank(0.10)?,
            p50: rank(0.50)?,
            p90: rank(0.90)?,
            p99: rank(0.99)?,
            max: rank(1.0)?,
        })
    }
}

/// A duration in milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    pub name: String,
    /// `ms`, `MiB` or `×`.
    pub unit: &'static str,
    pub spread: Spread,
    /// What is in the number, and what is not.
    pub note: String,
}

/// What a run found.
#[derive(Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    /// Cores the run might use.
    pub cores: usize,
    /// The machine's processor, as it names itself.
    pub processor: String,
    /// Processes that wanted a core in the last minute, when the run began: about 0 on a quiet machine.
    pub load_before: String,
    pub promise_ms: f64,
    pub measures: Vec<Measure>,
    /// Plain counts, such as how often the cart had to ask.
    pub counts: Vec<(String, u64)>,
}

impl Report {
    pub fn new(seed: u64) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let model = cpu.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(':').nth(1));
        Self {
            seed,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: model.unwrap_or("unknown").trim().to_owned(),
            load_before: read("/proc/loadavg").split(' ').next().unwrap_or("unknown").to_owned(),
            promise_ms: PROMISE_MS,
            measures: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Adds a measure. One without values is left out of the table and said.
    pub fn add(&mut self, name: impl Into<String>, unit: &'static str, values: Vec<f64>, note: impl Into<String>) {
        let name = name.into();
        match Spread::of(values) {
            Some(spread) => self.measures.push(Measure { name, unit, spread, note: note.into() }),
            None => eprintln!("no values for: {name}"),
        }
    }

    /// Adds the ratio of two series that were taken in turns, pair by pair.
    pub fn ratio(&mut self, name: impl Into<String>, ours: &[f64], bare: &[f64], note: impl Into<String>) {
        let pairs = ours.iter().zip(bare).filter(|(_, bare)| **bare > 0.0);
        self.add(name, "×", pairs.map(|(ours, bare)| ours / bare).collect(), note);
    }

    /// Adds how much of a time that is allowed was taken.
    pub fn share(&mut self, name: impl Into<String>, ours: &[f64], allowed: f64, note: impl Into<String>) {
        self.add(name, "×", ours.iter().map(|ours| ours / allowed).collect(), note);
    }

    /// The slow end of a measure taken before.
    pub fn p99(&self, name: &str) -> Option<f64> {
        self.measures.iter().find(|measure| measure.name == name).map(|measure| measure.spread.p99)
    }

    /// Adds a plain count.
    pub fn count(&mut self, name: impl Into<String>, count: u64) {
        self.counts.push((name.into(), count));
    }

    /// The table, the counts, and what each number holds.
    pub fn print(&self) {
        println!(
            "\n{}, {} cores, load {} when it began; seed {}",
            self.processor, self.cores, self.load_before, self.seed
        );
        println!("Built with the one profile of demo and tests. Other work on the machine makes numbers larger.\n");
        let wide = self.measures.iter().map(|m| m.name.chars().count()).max().unwrap_or(0);
        println!("{:<wide$}  {:>5} {:>9} {:>9}   {:<19} {:>5}", "", "", "p50", "p99", "p10 – p90", "n");
        for (n, measure) in self.measures.iter().enumerate() {
            let Measure { name, unit, spread: s, .. } = measure;
            let range = format!("{:.2} – {:.2}", s.p10, s.p90);
            let mark = n + 1;
            println!("{name:<wide$}  {unit:>5} {:>9.2} {:>9.2}   {range:<19} {:>5}  [{mark}]", s.p50, s.p99, s.count);
        }
        println!();
        for (name, count) in &self.counts {
            println!("{name}: {count}");
        }
        println!();
        for (n, measure) in self.measures.iter().enumerate() {
            println!("[{}] {}", n + 1, measure.note);
        }
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self).context("the report")?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
        }
        std::fs::write(path, text).with_context(|| format!("{}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_values_that_were_measured() {
        let check = |values: &[f64], expected: (f64, f64, f64, f64)| {
            let s = Spread::of(values.to_vec()).expect("values");
            assert_eq!((s.min, s.p50, s.p99, s.max), expected, "of {values:?}");
        };
        check(&[7.0], (7.0, 7.0, 7.0, 7.0));
        check(&[5.0, 1.0, 3.0, 4.0, 2.0], (1.0, 3.0, 5.0, 5.0));
        let many: Vec<f64> = (1..=200).map(f64::from).collect();
        check(&many, (1.0, 100.0, 198.0, 200.0));
        assert!(Spread::of(Vec::new()).is_none());
    }
}
