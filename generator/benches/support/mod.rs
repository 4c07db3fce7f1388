//! What benchmarks share: how figures are told, and where things are kept.

use std::error::Error;
use std::path::PathBuf;

use serde_json::json;

/// One measured number.
pub(crate) struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    /// Most that the value may be.
    bound: Option<f64>,
    peer: Option<Peer>,
}

struct Peer {
    /// What it is, and how it was measured.
    name: &'static str,
    value: f64,
    /// Most that the ratio may be.
    bound: Option<f64>,
}

impl Figure {
    /// A number, and the most that it may be.
    pub(crate) fn new(name: &'static str, value: f64, unit: &'static str, bound: Option<f64>) -> Self {
        Self { name, value, unit, bound, peer: None }
    }

    /// Sets the same number of a peer, in the same unit, and the most that ours may be in times of it.
    pub(crate) fn against(mut self, name: &'static str, value: f64, bound: Option<f64>) -> Self {
        self.peer = Some(Peer { name, value, bound });
        self
    }

    /// Both bounds, that of the value and that of the ratio, where there are such.
    fn is_kept(&self) -> bool {
        let of_peer = self.peer.as_ref().and_then(|peer| peer.bound);
        self.bound.is_none_or(|bound| self.value <= bound)
            && of_peer.zip(self.ratio()).is_none_or(|(bound, ratio)| ratio <= bound)
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
                    "note": figure.peer.as_ref().map(|peer| peer.name),
                })
                .to_string();
            }
            let at_most =
                |bound: Option<f64>| bound.map_or_else(String::new, |most| format!(" (at most {most})"));
            let bound = at_most(figure.bound);
            let own = format!("{:<22} {:>12.3} {:<5}{bound}", figure.name, figure.value, figure.unit);
            match (&figure.peer, figure.ratio()) {
                (Some(peer), Some(ratio)) => {
                    let (bound, unit) = (at_most(peer.bound), figure.unit);
                    format!("{own} {ratio:>8.4} times{bound} the {:.3} {unit} of {}", peer.value, peer.name)
                }
                _ => own.trim_end().to_string(),
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

/// The middle of some numbers; the upper one of two.
pub(crate) fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}
