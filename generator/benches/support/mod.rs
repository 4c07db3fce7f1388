//! What benchmarks share: how figures are told, and the workload.

pub(crate) mod workload;

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

/// One measured number.
pub(crate) struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    peer: Option<Peer>,
    /// Most that the ratio may be where there is a peer, else the value.
    bound: Option<f64>,
    /// Least that it may be.
    least: Option<f64>,
}

struct Peer {
    /// What it is, and how it was measured.
    name: &'static str,
    value: f64,
}

impl Figure {
    pub(crate) fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self { name, value, unit, peer: None, bound: None, least: None }
    }

    pub(crate) fn seconds(name: &'static str, time: Duration) -> Self {
        Self::new(name, time.as_secs_f64(), "s")
    }

    /// Sets the same number of a peer, in the same unit.
    pub(crate) fn against(mut self, name: &'static str, value: f64) -> Self {
        self.peer = Some(Peer { name, value });
        self
    }

    /// Sets the most that ours may be: in times of the peer's where there is one.
    pub(crate) fn at_most(mut self, bound: f64) -> Self {
        self.bound = Some(bound);
        self
    }

    /// Sets the least that ours may be: in times of the peer's where there is one.
    pub(crate) fn at_least(mut self, least: f64) -> Self {
        self.least = Some(least);
        self
    }

    fn is_kept(&self) -> bool {
        let judged = self.ratio().unwrap_or(self.value);
        self.bound.is_none_or(|bound| judged <= bound) && self.least.is_none_or(|least| judged >= least)
    }

    fn ratio(&self) -> Option<f64> {
        self.peer.as_ref().map(|peer| self.value / peer.value)
    }
}

/// The figures of one benchmark.
pub(crate) struct Report {
    bench: &'static str,
    figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn new(bench: &'static str) -> Self {
        Self { bench, figures: Vec::new() }
    }

    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    pub(crate) fn all_bounds_hold(&self) -> bool {
        self.figures.iter().all(Figure::is_kept)
    }

    /// One JSON object a line, or a table.
    pub(crate) fn show(&self, as_json: bool) -> String {
        let line = |figure: &Figure| {
            if as_json {
                return json!({
                    "bench": self.bench,
                    "figure": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "peer": figure.peer.as_ref().map(|peer| peer.value),
                    "ratio": figure.ratio(),
                    "bound": figure.bound.or(figure.least),
                    "note": figure.peer.as_ref().map(|peer| peer.name),
                })
                .to_string();
            }
            let own = format!("{:<22} {:>12.3} {:<5}", figure.name, figure.value, figure.unit);
            let bound = match (figure.bound, figure.least) {
                (Some(bound), _) => format!(" (at most {bound})"),
                (None, Some(least)) => format!(" (at least {least})"),
                (None, None) => String::new(),
            };
            match (&figure.peer, figure.ratio()) {
                (Some(peer), Some(ratio)) => {
                    let unit = figure.unit;
                    format!("{own} {ratio:>8.4} times{bound} the {:.3} {unit} of {}", peer.value, peer.name)
                }
                _ => format!("{}{bound}", own.trim_end()),
            }
        };
        self.figures.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The cache folder of the tool, where environments are kept between runs.
pub(crate) fn cache_folder() -> Result<PathBuf, Box<dyn Error>> {
    use etcetera::BaseStrategy;
    match std::env::var_os("GENERATOR_CACHE_DIR") {
        Some(folder) => Ok(folder.into()),
        None => Ok(etcetera::choose_base_strategy()?.cache_dir().join("generator")),
    }
}

/// Tells a reader at a terminal what a benchmark is at: some take minutes before they print a figure.
#[expect(clippy::print_stderr, reason = "progress goes beside the figures")]
pub(crate) fn step(what: &str) {
    eprintln!("... {what}");
}

/// How long some work takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    std::hint::black_box(work()?);
    Ok(start.elapsed())
}

/// The middle of some numbers; the upper one of two.
pub(crate) fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}
