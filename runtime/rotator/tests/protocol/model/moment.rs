//! One state of the model, and what can follow it.

use std::collections::BTreeSet;

use rotator::error::Error;
use rotator::lifetime::SETTLE;
use rotator::mint::key_names;
use rotator::ports::label;
use rotator::steps::{self, Request, Step};
use rotator::{custom_resource, revocation};

use super::replay::{Advanced, Answers, advance};
use super::{Bounds, SECRET, walkthrough};
use crate::cloud::{Cloud, STEPS};
use crate::world::{State, tenant};

/// Longest time that a run lives, in seconds: Lambda's.
const RUN: u64 = 900;

/// Tokens of rotations, in the order in which they begin.
const TOKENS: [&str; 3] = ["token-a", "token-b", "token-c"];
const REVOCATION: &str = "revoke-1";
const UPDATE: &str = "request-2";

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Secrets Manager begins the next rotation.
    Begin,
    /// The function is invoked.
    Start(Job),
    /// The run at this place makes its next call. If it visits an edge, whether that lags behind.
    Call(usize, bool),
    /// The run at this place ends before its time.
    Crash(usize),
    /// Time goes on to this moment.
    Pass(u64),
}

/// What the function is invoked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    Step(Step, usize),
    Update,
    Revoke,
    Walkthrough(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Run {
    job: Job,
    answers: Answers,
    begun: u64,
    /// Whether no other run was under way at any time since it began.
    alone: bool,
}

/// One state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Moment {
    pub(crate) world: State,
    runs: Vec<Run>,
    begun: usize,
    /// Rotations whose key has become current.
    pub(crate) ended: usize,
    crashes: u8,
    overlaps: u8,
    walked: usize,
    /// A run that was to leave no key outside the group has left one.
    pub(crate) orphaned: bool,
    /// Keys that were in the group when the revocation was asked for, and when it was done.
    revoked: BTreeSet<String>,
    pub(crate) revoked_at: Option<u64>,
}

impl Moment {
    /// A tenant whose keyring has stood for a while.
    pub(crate) fn established() -> Self {
        let cloud = Cloud::default();
        cloud.state.borrow_mut().plain = true;
        cloud.state.borrow_mut().now = 1_000_000;
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(cloud.establish("request-1")).expect("a first keyring");
        cloud.give_host();
        cloud.pass(SETTLE);
        let world = cloud.state.borrow().clone();
        let (runs, revoked) = (Vec::new(), BTreeSet::new());
        let (begun, ended, crashes, overlaps, walked) = (0, 0, 0, 0, 0);
        let (orphaned, revoked_at) = (false, None);
        Self { world, runs, begun, ended, crashes, overlaps, walked, orphaned, revoked, revoked_at }
    }

    /// Everything that can happen now.
    pub(crate) fn actions(&self, bounds: &Bounds, actions: &mut Vec<Action>) {
        for (place, _) in self.runs.iter().enumerate() {
            actions.push(Action::Call(place, false));
            if self.views(bounds.lag).count() > 1 {
                actions.push(Action::Call(place, true));
            }
            if self.crashes < bounds.crashes {
                actions.push(Action::Crash(place));
            }
        }
        if self.begun < bounds.rotations && !self.world.under_way() {
            actions.push(Action::Begin);
        }
        if self.runs.is_empty() || (self.runs.len() == 1 && self.overlaps < bounds.overlaps) {
            actions.extend(self.jobs(bounds).map(Action::Start));
        }
        let affordable = |due: &u64| {
            let in_time = bounds.late || self.runs.is_empty();
            in_time && self.crashes + self.overtaken(*due) <= bounds.crashes
        };
        actions.extend(self.next_due(bounds).filter(affordable).map(Action::Pass));
    }

    /// Runs whose time is up at `due`.
    fn overtaken(&self, due: u64) -> u8 {
        self.runs.iter().map(|run| u8::from(due - run.begun > RUN)).sum()
    }

    fn jobs(&self, bounds: &Bounds) -> impl Iterator<Item = Job> {
        let known = (0..self.begun).filter(|token| self.world.stages.contains_key(TOKENS[*token]));
        let steps = known.flat_map(|token| STEPS.map(|step| Job::Step(step, token)));
        let update = bounds.updates.then_some(Job::Update);
        let revoke = (bounds.revocation && self.revoked_at.is_none()).then_some(Job::Revoke);
        let walk = (self.walked < bounds.walkthrough).then_some(Job::Walkthrough(self.walked));
        steps.chain(update).chain(revoke).chain(walk)
    }

    /// The next moment at which something falls due.
    fn next_due(&self, bounds: &Bounds) -> Option<u64> {
        let world = &self.world;
        let settled = world.group.iter().filter(|_| world.under_way()).map(|group| group.modified + SETTLE);
        let told = world.past.iter().map(|(replaced, _)| replaced + bounds.lag);
        let keyrings = world.stages.keys().filter(|version| !world.has(version, label::PREVIOUS));
        let retired = keyrings.filter_map(|version| world.versions.get(version)?.as_ref());
        let retired = retired.flat_map(|keyring| &keyring.retired);
        // A finish is not too late until `retired`, and what was found in time then may be done a run later.
        let times = retired.flat_map(|key| [key.retired, key.retired + 1, key.retired + RUN, key.keep_until]);
        let due = settled.chain(told).chain(times);
        due.filter(|due| *due > world.now).min()
    }

    /// What follows an action; none where it changes nothing.
    pub(crate) fn after(&self, bounds: &Bounds, action: &Action) -> Option<Self> {
        let mut next = self.clone();
        match action {
            Action::Begin => {
                next.world.begin(TOKENS[next.begun]);
                next.begun += 1;
            }
            Action::Start(job) => {
                next.overlaps += u8::from(!next.runs.is_empty());
                next.runs.iter_mut().for_each(|run| run.alone = false);
                if *job == Job::Revoke {
                    next.world.revoking = true;
                    next.revoked.extend(self.older_than_revocation());
                }
                next.walked += usize::from(matches!(job, Job::Walkthrough(_)));
                let (begun, alone) = (next.world.now, next.runs.is_empty());
                next.runs.push(Run { job: *job, answers: Answers::default(), begun, alone });
            }
            Action::Call(place, lags) => {
                next.world.edge_lag = if *lags { bounds.lag } else { 0 };
                next.call(*place);
                next.world.edge_lag = 0;
            }
            Action::Crash(place) => {
                next.crashes += 1;
                next.runs.remove(*place);
            }
            Action::Pass(due) => {
                next.crashes += next.overtaken(*due);
                next.world.now = *due;
                next.world.past.retain(|(replaced, _)| replaced + bounds.lag > *due);
                next.runs.retain(|run| due - run.begun <= RUN);
            }
        }
        (next != *self).then_some(next)
    }

    /// Lets a run make its next call.
    fn call(&mut self, place: usize) {
        let run = self.runs[place].clone();
        let world = std::mem::take(&mut self.world);
        let current = world.holder(label::CURRENT);
        let Advanced { state, answers, ended } =
            advance(world, run.answers, run.begun, async |world| match run.job {
                Job::Step(step, token) => {
                    let (secret, token) = (SECRET.into(), TOKENS[token].into());
                    let request = Request { step, secret, token, rotation_token: None, deadline: 0 };
                    steps::run(world, &tenant(), &request).await.map(drop)
                }
                Job::Update => {
                    custom_resource::establish(world, &tenant(), SECRET, UPDATE, 0).await.map(drop)
                }
                Job::Revoke => revocation::revoke(world, &tenant(), SECRET, REVOCATION).await.map(drop),
                Job::Walkthrough(n) => {
                    walkthrough::rotate(world, &tenant(), SECRET, ["walk-a", "walk-b"][n]).await
                }
            });
        self.world = state;
        if self.world.holder(label::CURRENT) != current
            && self.world.holder(label::CURRENT).is_some_and(|now| TOKENS.contains(&now.as_str()))
        {
            self.ended += 1;
        }
        self.runs[place].answers = answers;
        if let Some(result) = ended {
            self.runs.remove(place);
            self.settle(run.job, run.alone, &result);
        }
    }

    /// What a run that came to its end has promised.
    fn settle(&mut self, job: Job, alone: bool, result: &Result<(), Error>) {
        let Ok(()) = result else { return };
        if job == Job::Revoke {
            self.revoked_at = Some(self.world.now);
            self.world.revoking = false;
            self.world.retired.retain(|key, _| !self.revoked.contains(key));
        }
        let cleans = matches!(job, Job::Step(Step::Finish, _) | Job::Revoke);
        if cleans && alone && !self.world.under_way() && !self.world.revoking {
            let group = self.group();
            self.orphaned |= self.world.keys.keys().any(|key| !group.contains(key));
        }
    }

    /// Keys of the group but for the one that a revocation puts in.
    /// None once that is current: what comes into the group from then on is newer.
    fn older_than_revocation(&self) -> impl Iterator<Item = String> {
        let replaced = self.world.has(REVOCATION, label::CURRENT);
        let names: Vec<String> = key_names(&tenant(), REVOCATION).collect();
        let replaces =
            move |key: &String| self.world.keys.get(key).is_some_and(|(name, _)| names.contains(name));
        self.group().into_iter().filter(move |key| !replaced && !replaces(key))
    }

    pub(crate) fn group(&self) -> Vec<String> {
        self.world.group.as_ref().map(|group| group.keys.clone()).unwrap_or_default()
    }

    /// Every content of the group that an edge may go by.
    fn views(&self, lag: u64) -> impl Iterator<Item = &Vec<String>> {
        let now = self.world.now;
        let past = self.world.past.iter().filter(move |(replaced, _)| replaced + lag > now);
        past.map(|(_, keys)| keys).chain(self.world.group.iter().map(|group| &group.keys))
    }

    /// While a revocation is under way, and until the edges know of it, nobody is promised anything.
    fn promised(&self, lag: u64) -> bool {
        !self.world.revoking && self.revoked_at.is_none_or(|at| self.world.now >= at + lag)
    }

    pub(crate) fn cookies_accepted(&self, lag: u64) -> bool {
        !self.promised(lag) || self.world.alive().all(|key| self.views(lag).all(|view| view.contains(&key)))
    }

    pub(crate) fn signers_keys_in_group(&self) -> bool {
        let group = self.group();
        self.world.revoking || self.world.held_by_signers().all(|key| group.contains(&key))
    }

    pub(crate) fn one_key_each(&self) -> bool {
        let group = self.group();
        TOKENS.iter().chain([&REVOCATION]).all(|token| {
            let names: Vec<String> = key_names(&tenant(), token).collect();
            let named =
                |key: &&String| self.world.keys.get(*key).is_some_and(|(name, _)| names.contains(name));
            group.iter().filter(named).count() <= 1
        })
    }

    pub(crate) fn revoked_are_gone(&self) -> bool {
        let (group, keys) = (self.group(), &self.world.keys);
        let gone = |key: &String| !group.contains(key) && !keys.contains_key(key);
        self.revoked_at.is_none() || self.revoked.iter().all(gone)
    }
}
