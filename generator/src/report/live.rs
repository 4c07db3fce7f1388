//! A terminal: lines above, and below them what is under way, redrawn in place and cut to its width.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::{Board, Move};
use super::{Event, Level};

/// Most lines of tenants at a time; the bar of the fleet counts the others.
const LINES: usize = 16;
/// How often times are redrawn.
const TICK: Duration = Duration::from_millis(250);

/// A terminal.
pub(super) struct Live {
    progress: MultiProgress,
    /// Pieces of work that are no tenant's.
    steps: BTreeMap<String, ProgressBar>,
    shared: Arc<Mutex<Shown>>,
}

struct Shown {
    board: Board,
    lines: BTreeMap<String, ProgressBar>,
    fleet: Option<ProgressBar>,
    elapsed: Box<dyn Fn() -> Duration + Send>,
}

impl Live {
    pub(super) fn new(terminal: ProgressDrawTarget, elapsed: impl Fn() -> Duration + Send + 'static) -> Self {
        let progress = MultiProgress::with_draw_target(terminal);
        let (board, lines) = (Board::default(), BTreeMap::new());
        let shown = Shown { board, lines, fleet: None, elapsed: Box::new(elapsed) };
        let shared = Arc::new(Mutex::new(shown));
        let weak = Arc::downgrade(&shared);
        std::thread::spawn(move || redraw(&weak));
        Self { progress, steps: BTreeMap::new(), shared }
    }

    /// Shows an event; `text` is its line, where it deserves one.
    pub(super) fn show(&mut self, event: &Event, text: Option<String>) {
        if self.step(event) {
            return;
        }
        let mut shown = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let several = shown.fleet.is_some();
        shown.take(event, &self.progress);
        // Of many tenants, ends and what went wrong; of one, every line.
        let ends =
            matches!(event, Event::JobDone { .. } | Event::RunStarted { .. } | Event::WaveStarted { .. });
        let worth = !several || ends || matches!(event.level(), Level::Warning | Level::Error);
        if let Some(text) = text.filter(|_| worth) {
            let _ = self.progress.println(text);
        }
    }

    /// Whether the event was the beginning of a piece of work, which is shown as a spinner only.
    fn step(&mut self, event: &Event) -> bool {
        match event {
            Event::StepStarted { tenant, step } => {
                let message =
                    tenant.as_ref().map_or_else(|| step.clone(), |tenant| format!("{tenant}: {step}"));
                let spinner = self.progress.add(ProgressBar::new_spinner().with_message(message));
                style(&spinner, "{spinner} {wide_msg} {elapsed}");
                spinner.enable_steady_tick(TICK);
                self.steps.insert(format!("{tenant:?} {step}"), spinner);
                true
            }
            Event::StepFinished { tenant, step, .. } => {
                if let Some(spinner) = self.steps.remove(&format!("{tenant:?} {step}")) {
                    spinner.finish_and_clear();
                }
                false
            }
            _ => false,
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.progress.clear();
    }
}

impl Shown {
    fn take(&mut self, event: &Event, progress: &MultiProgress) {
        let now = (self.elapsed)();
        match self.board.take(event, now) {
            Move::Appears(tenant) => self.appear(tenant, progress),
            Move::Changes(tenant) => {
                if let Some(line) = self.lines.get(tenant) {
                    line.set_message(self.board.line(tenant, now));
                }
            }
            Move::Goes(tenant) => {
                if let Some(line) = self.lines.remove(tenant) {
                    line.finish_and_clear();
                    progress.remove(&line);
                }
                // The place is another's now.
                let next = self.board.tenants().find(|tenant| !self.lines.contains_key(*tenant));
                if let Some(next) = next.map(str::to_owned) {
                    self.appear(&next, progress);
                }
            }
            Move::None => {}
        }
        let Some(fleet) = self.board.fleet else { return };
        if fleet.tenants > 1 && self.fleet.is_none() {
            let bar = progress.add(ProgressBar::new(fleet.tenants as u64));
            style(&bar, "{pos} of {len} tenants [{wide_bar}] {msg} {elapsed}");
            self.fleet = Some(bar);
        }
        if let Some(bar) = &self.fleet {
            bar.set_position(fleet.done as u64);
            let failed = if fleet.failed > 0 { format!("{} failed", fleet.failed) } else { String::new() };
            bar.set_message(failed);
            if fleet.done + fleet.failed >= fleet.tenants {
                bar.finish_and_clear();
            }
        }
    }

    fn appear(&mut self, tenant: &str, progress: &MultiProgress) {
        if self.lines.len() >= LINES || self.lines.contains_key(tenant) {
            return;
        }
        let line = ProgressBar::new_spinner();
        style(&line, "{spinner} {wide_msg}");
        let line = match &self.fleet {
            Some(fleet) => progress.insert_before(fleet, line),
            None => progress.add(line),
        };
        line.set_message(self.board.line(tenant, (self.elapsed)()));
        self.lines.insert(tenant.to_owned(), line);
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

/// Keeps the times of all lines going, as long as the terminal is used. One thread for all of them, so that they
/// change together.
fn redraw(shown: &Weak<Mutex<Shown>>) {
    loop {
        std::thread::sleep(TICK);
        let Some(shared) = shown.upgrade() else { return };
        let shown = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (shown.elapsed)();
        for (tenant, line) in &shown.lines {
            line.set_message(shown.board.line(tenant, now));
            line.tick();
        }
        if let Some(fleet) = &shown.fleet {
            fleet.tick();
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal_and_the_last_screen_has_nothing_under_way() {
        let terminal = InMemoryTerm::new(10, 40);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut live = Live::new(target, || Duration::from_secs(90));
        let tenant = || "a-tenant-of-a-long-name".to_owned();
        let (run, journal) = ("r".to_owned(), "j".to_owned());
        live.show(&Event::RunStarted { run, journal, tenants: 2, done: 0 }, Some("run r".into()));
        live.show(&Event::WaveStarted { wave: "rest".into(), tenants: 2 }, None);
        live.show(&Event::JobStarted { tenant: tenant(), attempt: 1 }, None);
        let (stack, region) = ("example-a-tenant-of-a-long-name-edge".to_owned(), "us-east-1".to_owned());
        let deploying = Event::StackDeploying { tenant: tenant(), stack, region, changes: 14 };
        live.show(&deploying, Some("not told of one of many".into()));
        let screen = terminal.contents();
        assert!(screen.contains("[rest] a-tenant-of-a-long-name"), "{screen}");
        assert!(screen.contains("0 of 2 tenants"), "{screen}");
        assert!(!screen.contains("not told"), "{screen}");
        assert!(screen.lines().all(|line| line.chars().count() <= 40), "{screen}");
        let summary = "done".to_owned();
        let done = Event::JobDone { tenant: tenant(), summary, milliseconds: 1, done: 2, tenants: 2 };
        live.show(&done, Some("the tenant is done".into()));
        drop(live);
        assert_eq!(terminal.contents().trim_end(), "run r\nthe tenant is done");
    }
}
