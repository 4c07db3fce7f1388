//! What benchmarks share: how figures are told, and the workload.

pub(crate) mod workload;

use serde_json::json;

/// One measured number.
pub(crate) struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
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
    pub(crate) fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self { name, value, unit, peer: None }
    }

    pub(crate) fn seconds(name: &'static str, time: std::time::Duration) -> Self {
        Self::new(name, time.as_secs_f64(), "s")
    }

    /// Sets the same number of a peer, in the same unit, and the most that ours may be in times of it.
    pub(crate) fn against(mut self, name: &'static str, value: f64, bound: Option<f64>) -> Self {
        self.peer = Some(Peer { name, value, bound });
        self
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
        self.figures.iter().all(|figure| {
            let bound = figure.peer.as_ref().and_then(|peer| peer.bound);
            bound.zip(figure.ratio()).is_none_or(|(bound, ratio)| ratio <= bound)
        })
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
            let own = format!("{:<20} {:>10.3} {:<4}", figure.name, figure.value, figure.unit);
            match (&figure.peer, figure.ratio()) {
                (Some(peer), Some(ratio)) => {
                    let bound = peer.bound.map_or_else(String::new, |bound| format!(" (at most {bound})"));
                    let unit = figure.unit;
                    format!("{own} {ratio:>8.4} times{bound} the {:.3} {unit} of {}", peer.value, peer.name)
                }
                _ => own.trim_end().to_string(),
            }
        };
        self.figures.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
