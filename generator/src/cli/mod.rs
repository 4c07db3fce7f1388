//! The command line: arguments -> settings -> one call; exit codes. Nothing imports this module.

pub mod args;
mod commands;
mod context;
mod exit;
mod failure;
mod interrupt;
mod reference;
mod select;
mod settings;

use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use etcetera::BaseStrategy;
use indicatif::ProgressDrawTarget;
use serde_json::json;

use self::args::{Cli, Output};
use self::context::{Answer, Context};
use self::failure::Failure;
use self::settings::{Folders, Settings};
use crate::clock::{Clock, SystemClock};
use crate::report::{HumanSink, NdjsonSink, Sink};

pub use self::exit::Exit;

/// Runs one command from its arguments to its exit code.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not failures.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            let _ = error.print();
            return exit.into();
        }
    };
    let output = cli.global.output;
    let exit = match run(cli) {
        Ok(answer) => match write(output, &answer) {
            Ok(()) => answer.exit,
            // A reader that has closed the pipe has seen what it wanted.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => answer.exit,
            Err(_) => Exit::Failure,
        },
        Err(failure) => {
            tell(output, &failure);
            failure.exit
        }
    };
    exit.into()
}

fn run(cli: Cli) -> Result<Answer, Failure> {
    if let args::Command::Completion(args) = &cli.command {
        return Ok(commands::completion(args));
    }
    let here = std::env::current_dir()
        .map_err(|error| Failure::new(Exit::Failure, format!("there is no working folder: {error}")))?;
    let of_findings = matches!(cli.global.output, Output::Sarif | Output::Junit | Output::Github);
    let checks = matches!(&cli.command, args::Command::Policy(args::PolicyCommand::Check(_)));
    if of_findings && !checks {
        return Err(Failure::new(
            Exit::Usage,
            "this form is one of findings, which only `policy check` yields",
        )
        .help("pass `--output json` or `--output markdown`"));
    }
    let settings =
        Settings::resolve(&cli.global, &here, Folders { cache: cache_folder(), state: state_folder() })?;
    let clock = Arc::new(SystemClock::start());
    let context = Context {
        sink: sink(&settings, clock.clone())?,
        settings,
        clock,
        interactive: stdin().is_terminal() && stderr().is_terminal(),
        interrupts: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failure, format!("cannot start: {error}")))?;
    let answer = runtime.block_on(async {
        tokio::select! {
            answer = commands::run(&context, cli.command) => answer,
            failure = context.interrupts.end(&*context.sink) => Err(failure),
        }
    });
    if answer.is_err() {
        runtime.block_on(context.interrupts.clean_up_soon(&*context.sink));
    }
    runtime.shutdown_background();
    answer
}

fn cache_folder() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|folders| folders.cache_dir().join("generator"))
}

fn state_folder() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("generator"))
}

fn sink(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Sink>, Failure> {
    let verbose = settings.verbose;
    Ok(match settings.output {
        Output::Ndjson => Arc::new(
            NdjsonSink::new(stdout(), move || clock.elapsed())
                .map_err(|error| Failure::new(Exit::Failure, format!("cannot write to stdout: {error}")))?,
        ),
        _ if stderr().is_terminal() => {
            Arc::new(HumanSink::live(ProgressDrawTarget::stderr(), verbose, move || clock.elapsed()))
        }
        _ => Arc::new(HumanSink::plain(stderr(), verbose)),
    })
}

fn write(output: Output, answer: &Answer) -> std::io::Result<()> {
    let mut out = stdout().lock();
    if let Some(text) = answer.in_own_form(output) {
        out.write_all(text.as_bytes())?;
        return out.flush();
    }
    match output {
        Output::Human => out.write_all(answer.human.as_bytes())?,
        Output::Markdown => out.write_all(answer.markdown().as_bytes())?,
        Output::Json => writeln!(out, "{:#}", answer.json)?,
        Output::Ndjson => writeln!(out, "{}", json!({ "code": "RESULT", "result": answer.json }))?,
        // Refused before anything ran.
        Output::Sarif | Output::Junit | Output::Github => {}
    }
    out.flush()
}

fn tell(output: Output, failure: &Failure) {
    let mut err = stderr().lock();
    // Nobody is left to tell that stderr is closed.
    let _ = writeln!(err, "{failure}");
    if matches!(output, Output::Json | Output::Ndjson) {
        let error = json!({
            "code": "ERROR",
            "exit": failure.exit as u8,
            "error": failure.code,
            "message": failure.message,
            "help": failure.help,
        });
        let _ = writeln!(stdout().lock(), "{error}");
    }
}
