//! How often policies were evaluated.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::model::Policy;

/// How often each policy was evaluated. One that is not here was not, and has not passed.
#[derive(Clone, Default)]
pub struct Evaluated {
    /// By the policies' ids, each once.
    counts: Vec<(Arc<Policy>, usize)>,
}

impl Evaluated {
    /// Notes that a policy was evaluated some more times.
    pub fn note(&mut self, policy: &Arc<Policy>, times: usize) {
        // Packs list their policies by id, so that most come after all that are there.
        if self.counts.last().is_none_or(|(last, _)| last.id < policy.id) {
            self.counts.push((policy.clone(), times));
            return;
        }
        match self.counts.binary_search_by(|(other, _)| other.id.cmp(&policy.id)) {
            Ok(at) => self.counts[at].1 += times,
            Err(at) => self.counts.insert(at, (policy.clone(), times)),
        }
    }

    /// Takes the counts of another document in.
    pub fn add(&mut self, other: Self) {
        self.counts.extend(other.counts);
        self.counts.sort_by(|(one, _), (next, _)| one.id.cmp(&next.id));
        self.counts.dedup_by(|(next, more), (one, times)| {
            let is_same = next.id == one.id;
            *times += if is_same { *more } else { 0 };
            is_same
        });
    }

    /// How often the policy of this id was evaluated.
    #[must_use]
    pub fn times(&self, id: &str) -> usize {
        let at = self.counts.binary_search_by(|(policy, _)| policy.id.as_str().cmp(id));
        at.map_or(0, |at| self.counts[at].1)
    }

    /// Whether the policy of this id was evaluated at all.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.times(id) > 0
    }

    /// How often policies were evaluated altogether.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts.iter().map(|(_, times)| times).sum()
    }

    /// How many policies were evaluated.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The policies' ids in their order, each with how often it was evaluated.
    pub fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        self.counts.iter().map(|(policy, times)| (policy.id.as_str(), *times))
    }
}

impl fmt::Debug for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Evaluated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl PartialEq for Evaluated {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}
