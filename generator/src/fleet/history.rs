//! What a run has done so far: the meaning of the lines of its journal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::record::VERSION;
use super::{Attempt, Header, JournalError, Outcome, Record, StopReason};

/// A run as its journal tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// What the run is.
    pub header: Header,
    /// Each tenant that has begun.
    pub tenants: BTreeMap<String, TenantState>,
    /// Waves whose pause is over, by number.
    pub baked: BTreeSet<usize>,
    /// How many processes have worked on it.
    pub processes: u32,
    /// Why the last process stopped, where it did.
    pub stopped: Option<StopReason>,
    /// Whether every tenant's job has ended.
    pub finished: bool,
    /// Time of the last line, in milliseconds since the epoch.
    pub updated: u64,
}

/// How far a tenant is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TenantState {
    /// How many times its job has begun.
    pub attempts: u32,
    /// How many times its job has ended with a failure.
    pub failures: u32,
    /// How the last attempt has ended; none while it is in flight, or where it was cut off.
    pub end: Option<End>,
}

/// The end of a tenant's job.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// When, in milliseconds since the epoch.
    pub at: u64,
    /// How.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// How much of that was waiting for somebody else.
    pub waiting_milliseconds: u64,
    /// What only the job knows.
    pub detail: Value,
}

impl TenantState {
    /// Whether its job is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(&self.end, Some(End { outcome: Outcome::Done { .. }, .. }))
    }
}

impl History {
    /// A run that is about to begin.
    #[must_use]
    pub fn new(header: Header) -> Self {
        let updated = header.started;
        Self {
            header,
            tenants: BTreeMap::new(),
            baked: BTreeSet::new(),
            processes: 0,
            stopped: None,
            finished: false,
            updated,
        }
    }

    /// Reads the whole lines of a journal.
    ///
    /// # Errors
    /// Where one is not what this program writes.
    pub fn read(place: &str, lines: &str) -> Result<Self, JournalError> {
        let mut history: Option<Self> = None;
        for (number, line) in lines.lines().enumerate() {
            let damaged =
                |reason: String| JournalError::Damaged { place: place.to_owned(), line: number + 1, reason };
            let record: Record = serde_json::from_str(line).map_err(|error| damaged(error.to_string()))?;
            match (&mut history, record) {
                (None, Record::Run(header)) if header.version == VERSION => {
                    history = Some(Self::new(*header));
                }
                (None, Record::Run(header)) => {
                    return Err(damaged(format!(
                        "it has version {}, and this program reads version {VERSION}",
                        header.version
                    )));
                }
                (None, _) => return Err(damaged("a journal begins with its run".into())),
                (Some(_), Record::Run(_)) => return Err(damaged("a second run".into())),
                (Some(history), record) => history.apply(&record),
            }
        }
        history.ok_or_else(|| JournalError::Missing(place.to_owned()))
    }

    /// Takes in one record after the first.
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Run(_) => {}
            Record::TakenUp { at, .. } => {
                self.updated = *at;
                self.processes += 1;
                self.stopped = None;
                self.finished = false;
            }
            Record::Began { at, tenant } => {
                self.updated = *at;
                let state = self.tenants.entry(tenant.clone()).or_default();
                state.attempts += 1;
                state.end = None;
            }
            Record::Ended { at, tenant, outcome, milliseconds, waiting_milliseconds, detail } => {
                self.updated = *at;
                let state = self.tenants.entry(tenant.clone()).or_default();
                state.failures += u32::from(matches!(outcome, Outcome::Failed { .. }));
                state.end = Some(End {
                    at: *at,
                    outcome: outcome.clone(),
                    milliseconds: *milliseconds,
                    waiting_milliseconds: *waiting_milliseconds,
                    detail: detail.clone(),
                });
            }
            Record::Baked { at, wave } => {
                self.updated = *at;
                self.baked.insert(*wave);
            }
            Record::Stopped { at, reason } => {
                self.updated = *at;
                self.stopped = Some(reason.clone());
            }
            Record::Finished { at } => {
                self.updated = *at;
                self.finished = true;
            }
        }
    }

    /// The tenants of a wave whose jobs are not done, in their order: those that failed as well.
    #[must_use]
    pub fn remaining(&self, wave: usize) -> Vec<String> {
        let tenants = self.header.waves.waves.get(wave).map_or(&[][..], |wave| &wave.tenants);
        tenants.iter().filter(|tenant| !self.is_done(tenant)).cloned().collect()
    }

    /// Number of tenants whose jobs are done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.tenants.values().filter(|state| state.is_done()).count()
    }

    /// The tenants whose last try has failed, in the order in which they did.
    #[must_use]
    pub fn failed(&self) -> Vec<&str> {
        let failed = self.tenants.iter().filter_map(|(name, state)| match &state.end {
            Some(End { at, outcome: Outcome::Failed { .. }, .. }) => Some((*at, name.as_str())),
            _ => None,
        });
        let mut failed: Vec<_> = failed.collect();
        failed.sort_unstable();
        failed.into_iter().map(|(_, name)| name).collect()
    }

    /// When the last job of a wave has ended, in milliseconds since the epoch.
    pub(super) fn wave_ended(&self, wave: usize) -> Option<u64> {
        let tenants = &self.header.waves.waves.get(wave)?.tenants;
        tenants.iter().filter_map(|tenant| Some(self.tenants.get(tenant)?.end.as_ref()?.at)).max()
    }

    /// The try of a tenant's job that has just begun.
    pub(super) fn attempt(&self, tenant: &str) -> Attempt<'_> {
        let (number, failures) =
            self.tenants.get(tenant).map_or((1, 0), |state| (state.attempts, state.failures));
        Attempt { run: &self.header.run, number, failures }
    }

    fn is_done(&self, tenant: &str) -> bool {
        self.tenants.get(tenant).is_some_and(TenantState::is_done)
    }
}
