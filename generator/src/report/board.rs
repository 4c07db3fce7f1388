//! What is under way, as a terminal shows it: a line for each tenant, and how far the fleet is. Pure: time is passed
//! in with each event.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::Event;

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// The wave at present.
    wave: String,
    tenants: BTreeMap<String, Tenant>,
    /// How far the fleet is; `None` outside of a run.
    pub(super) fleet: Option<Fleet>,
}

/// How far the fleet is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fleet {
    pub(super) done: usize,
    pub(super) failed: usize,
    pub(super) tenants: usize,
}

#[derive(Debug, Default)]
struct Tenant {
    began: Duration,
    stack: Option<Stack>,
}

#[derive(Debug)]
struct Stack {
    name: String,
    /// Resources that change.
    total: usize,
    done: BTreeSet<String>,
    /// Resources that are being worked on, since when.
    busy: HashMap<String, Duration>,
    doing: &'static str,
}

/// What an event means for the lines of the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Move<'a> {
    /// A tenant's line appears.
    Appears(&'a str),
    /// It has another text.
    Changes(&'a str),
    /// It goes.
    Goes(&'a str),
    /// Nothing.
    None,
}

impl Board {
    /// Takes in an event that happened at `now`.
    pub(super) fn take<'a>(&mut self, event: &'a Event, now: Duration) -> Move<'a> {
        match event {
            Event::RunStarted { tenants, done, .. } => {
                self.fleet = Some(Fleet { done: *done, failed: 0, tenants: *tenants });
                Move::None
            }
            Event::WaveStarted { wave, .. } => {
                self.wave.clone_from(wave);
                Move::None
            }
            Event::JobStarted { tenant, .. } => {
                self.tenants.insert(tenant.clone(), Tenant { began: now, stack: None });
                Move::Appears(tenant)
            }
            Event::StackDeploying { tenant, stack, changes, .. } => self.begins(tenant, stack, *changes, ""),
            Event::StackDeleting { tenant, stack, .. } => self.begins(tenant, stack, 0, "deleting "),
            Event::ResourceProgress { tenant, stack, resource, status, .. } => {
                let Some(known) = self.tenants.get_mut(tenant).and_then(|known| known.stack.as_mut()) else {
                    return Move::None;
                };
                if known.name != *stack {
                    return Move::None;
                }
                if status.ends_with("_IN_PROGRESS") {
                    known.busy.entry(resource.clone()).or_insert(now);
                    known.done.remove(resource);
                } else {
                    known.busy.remove(resource);
                    known.done.insert(resource.clone());
                }
                Move::Changes(tenant)
            }
            Event::StackDeployed { tenant, .. }
            | Event::StackFailed { tenant, .. }
            | Event::StackDeleted { tenant, .. } => match self.tenants.get_mut(tenant) {
                Some(known) => {
                    known.stack = None;
                    Move::Changes(tenant)
                }
                None => Move::None,
            },
            Event::JobDone { tenant, done, tenants, .. } => {
                if let Some(fleet) = &mut self.fleet {
                    (fleet.done, fleet.tenants) = (*done, *tenants);
                }
                self.goes(tenant)
            }
            Event::TenantFailed { tenant, .. } => {
                if let Some(fleet) = &mut self.fleet {
                    fleet.failed += 1;
                }
                self.goes(tenant)
            }
            _ => Move::None,
        }
    }

    fn begins<'a>(&mut self, tenant: &'a str, stack: &str, total: usize, doing: &'static str) -> Move<'a> {
        let Some(known) = self.tenants.get_mut(tenant) else { return Move::None };
        let (done, busy) = (BTreeSet::new(), HashMap::new());
        known.stack = Some(Stack { name: stack.to_owned(), total, done, busy, doing });
        Move::Changes(tenant)
    }

    fn goes<'a>(&mut self, tenant: &'a str) -> Move<'a> {
        if self.tenants.remove(tenant).is_some() { Move::Goes(tenant) } else { Move::None }
    }

    /// The tenants under way.
    pub(super) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.tenants.keys().map(String::as_str)
    }

    /// The line of a tenant at `now`: wave, stack, resources done of all, time, slowest resource.
    pub(super) fn line(&self, tenant: &str, now: Duration) -> String {
        let Some(known) = self.tenants.get(tenant) else { return String::new() };
        let several = self.fleet.is_some_and(|fleet| fleet.tenants > 1);
        let mut line = if several { format!("[{}] {tenant}", self.wave) } else { tenant.to_owned() };
        line.push_str(&format!("  {} s", now.saturating_sub(known.began).as_secs()));
        let Some(stack) = &known.stack else { return line };
        line.push_str(&format!("  {}{}", stack.doing, stack.name));
        if stack.total > 0 {
            line.push_str(&format!("  {}/{}", stack.done.len().min(stack.total), stack.total));
        }
        let slowest = stack.busy.iter().min_by_key(|(name, since)| (**since, name.as_str()));
        if let Some((name, since)) = slowest {
            line.push_str(&format!("  {name} {} s", now.saturating_sub(*since).as_secs()));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(board: &mut Board, tenants: usize) {
        let (run, journal) = ("r".into(), "j".into());
        board.take(&Event::RunStarted { run, journal, tenants, done: 0 }, Duration::ZERO);
        board.take(&Event::WaveStarted { wave: "10%".into(), tenants }, Duration::ZERO);
        board.take(&Event::JobStarted { tenant: "demo".into(), attempt: 1 }, Duration::from_secs(1));
    }

    fn progress(resource: &str, status: &str) -> Event {
        Event::ResourceProgress {
            tenant: "demo".into(),
            stack: "demo-edge".into(),
            resource: resource.into(),
            kind: "k".into(),
            status: status.into(),
            reason: None,
        }
    }

    #[test]
    fn a_line_has_wave_stack_progress_time_and_the_slowest_resource() {
        let mut board = Board::default();
        started(&mut board, 20);
        let (tenant, stack, region) = ("demo".into(), "demo-edge".into(), "us-east-1".into());
        let deploying = Event::StackDeploying { tenant, stack, region, changes: 3 };
        assert_eq!(board.take(&deploying, Duration::from_secs(2)), Move::Changes("demo"));
        for (second, resource, status) in [
            (3, "Role", "CREATE_IN_PROGRESS"),
            (4, "Signer", "CREATE_IN_PROGRESS"),
            (5, "Role", "CREATE_IN_PROGRESS"),
            (6, "Signer", "CREATE_COMPLETE"),
        ] {
            board.take(&progress(resource, status), Duration::from_secs(second));
        }
        assert_eq!(board.line("demo", Duration::from_secs(11)), "[10%] demo  10 s  demo-edge  1/3  Role 8 s");
    }

    #[test]
    fn the_fleet_counts_ends_and_a_tenant_that_has_ended_has_no_line() {
        let mut board = Board::default();
        started(&mut board, 2);
        let failed = Event::TenantFailed { tenant: "demo".into(), message: "m".into(), help: None };
        assert_eq!(board.take(&failed, Duration::ZERO), Move::Goes("demo"));
        assert_eq!(board.fleet, Some(Fleet { done: 0, failed: 1, tenants: 2 }));
        assert_eq!(board.tenants().count(), 0);
    }

    #[test]
    fn the_only_tenant_is_shown_without_its_wave() {
        let mut board = Board::default();
        started(&mut board, 1);
        assert_eq!(board.line("demo", Duration::from_secs(3)), "demo  2 s");
    }
}
