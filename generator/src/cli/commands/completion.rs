//! `generator completion`: what a shell needs to complete commands and options.

use clap::CommandFactory;
use serde_json::json;

use crate::cli::args::{Cli, CompletionArgs};
use crate::cli::context::Answer;

/// Reads no setting: a shell that starts is in no project.
pub(in crate::cli) fn run(args: &CompletionArgs) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "generator", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    Answer::new(script, json)
}
