//! What every command is given, and what it answers with.

use std::io::{BufRead, Write, stderr, stdin};
use std::sync::Arc;

use serde_json::Value;

use super::args::Output;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Interrupts;
use super::settings::Settings;
use crate::clock::Clock;
use crate::report::{Event, Sink};

/// What every command is given. Cheap to clone.
#[derive(Clone)]
pub(super) struct Context {
    pub settings: Settings,
    pub sink: Arc<dyn Sink>,
    pub clock: Arc<dyn Clock>,
    /// Whether a person can be asked.
    pub interactive: bool,
    /// What Ctrl-C means.
    pub interrupts: Arc<Interrupts>,
}

impl Context {
    /// Tells that a piece of work begins, does it, and tells that it is done.
    pub(super) async fn step<T, E>(
        &self,
        step: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let start = self.clock.elapsed();
        self.sink.emit(&Event::StepStarted { tenant: None, step: step.to_string() });
        let result = work.await;
        let milliseconds = u64::try_from((self.clock.elapsed() - start).as_millis()).unwrap_or(u64::MAX);
        self.sink.emit(&Event::StepFinished { tenant: None, step: step.to_string(), milliseconds });
        result
    }

    pub(super) fn note(&self, message: impl Into<String>) {
        self.sink.emit(&Event::Note { tenant: None, message: message.into() });
    }

    /// Asks a person, unless `--yes` has answered already. Without anybody to ask, it ends at once.
    pub(super) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.settings.yes {
            return Ok(());
        }
        let help = "pass `--yes`, or look first with `--dry-run`";
        match self.ask(&format!("{question} [y/N]"), help)?.to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::Cancelled, "cancelled; nothing was changed")),
        }
    }

    /// Asks a person, whatever `--yes` says, and takes a line. Without anybody to ask, it ends at once.
    pub(super) fn ask(&self, question: &str, help: &str) -> Result<String, Failure> {
        if !self.interactive {
            let question = question.trim_end_matches(" [y/N]");
            return Err(Failure::new(Exit::Usage, format!("{question} Nobody can be asked here")).help(help));
        }
        let mut err = stderr().lock();
        let _ = write!(err, "{question} ").and_then(|()| err.flush());
        drop(err);
        let mut answer = String::new();
        match stdin().lock().read_line(&mut answer) {
            Ok(_) => Ok(answer.trim().to_owned()),
            Err(_) => Err(Failure::new(Exit::Cancelled, "cancelled; nothing was changed")),
        }
    }
}

/// What a command answers with, in every form.
pub(super) struct Answer {
    pub exit: Exit,
    /// For people: whole lines.
    pub human: String,
    /// For programs.
    pub json: Value,
    /// The answer in another form, where that is more than the human one set differently.
    own_form: Option<(Output, String)>,
}

impl Answer {
    pub(super) fn new(human: impl Into<String>, json: Value) -> Self {
        let mut human = human.into();
        if !human.is_empty() && !human.ends_with('\n') {
            human.push('\n');
        }
        Self { exit: Exit::Ok, human, json, own_form: None }
    }

    pub(super) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(super) fn own_form(mut self, form: Output, text: String) -> Self {
        self.own_form = Some((form, text));
        self
    }

    /// What it says in a form that it has of its own.
    pub(super) fn in_own_form(&self, form: Output) -> Option<&str> {
        self.own_form.as_ref().filter(|(own, _)| *own == form).map(|(_, text)| text.as_str())
    }

    /// Markdown: the human form as a block, which keeps its columns.
    pub(super) fn markdown(&self) -> String {
        // A fence longer than any run of backticks within.
        let longest = self.human.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let fence = "`".repeat(longest.max(2) + 1);
        format!("{fence}text\n{}{fence}\n", self.human)
    }
}
