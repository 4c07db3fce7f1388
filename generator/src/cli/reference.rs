//! The reference of the command line, written from the declarations of its arguments.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::args::Cli;

/// Every command with its arguments and examples, as Markdown.
#[must_use]
pub(super) fn reference() -> String {
    let mut root = Cli::command();
    root.build();
    let mut text = String::from(
        "# Command line\n\nWritten by `generator explain commands` from the arguments' own declarations. Each \
         command answers `--help` with the same.\n",
    );
    if let Some(after) = root.get_after_help() {
        examples(&mut text, after);
    }
    text.push_str("\n## Options of every command\n\n");
    options(&mut text, root.get_arguments().filter(|arg| arg.is_global_set()));
    for command in root.get_subcommands() {
        section(&mut text, command, "generator");
    }
    text
}

fn section(text: &mut String, command: &Command, parent: &str) {
    if command.is_hide_set() {
        return;
    }
    let name = format!("{parent} {}", command.get_name());
    let _ = write!(text, "\n## {name}\n\n");
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        let _ = write!(text, "{about}.\n\n");
    }
    let own: Vec<_> = command.get_arguments().filter(|arg| !arg.is_global_set()).collect();
    let positional: String = own.iter().filter(|arg| arg.is_positional()).map(|arg| word(arg)).collect();
    let inner = if command.has_subcommands() { " COMMAND" } else { "" };
    let given = if own.iter().any(|arg| shown(arg)) { " [OPTIONS]" } else { "" };
    let _ = write!(text, "```\n{name}{given}{positional}{inner}\n```\n");
    if own.iter().any(|arg| shown(arg) || arg.is_positional()) {
        text.push('\n');
        options(text, own.into_iter());
    }
    if let Some(after) = command.get_after_help() {
        examples(text, after);
    }
    for inner in command.get_subcommands() {
        section(text, inner, &name);
    }
}

/// Whether an argument is an option that a person would look for.
fn shown(arg: &Arg) -> bool {
    !arg.is_positional()
        && !arg.is_hide_set()
        && !matches!(arg.get_action(), ArgAction::Help | ArgAction::Version)
}

/// A positional argument in a usage line.
fn word(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let name = names.first().map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    let many = if matches!(arg.get_action(), ArgAction::Append) { "..." } else { "" };
    if arg.is_required_set() { format!(" {name}{many}") } else { format!(" [{name}{many}]") }
}

fn options<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    text.push_str("| argument | what it does | default | variable |\n|---|---|---|---|\n");
    for arg in arguments.filter(|arg| shown(arg) || arg.is_positional()) {
        let help = arg.get_long_help().or_else(|| arg.get_help()).map(cell).unwrap_or_default();
        let values: Vec<_> = arg
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set() && arg.get_action().takes_values())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = match (defaults.is_empty(), arg.get_action().takes_values()) {
            (false, true) => format!("`{}`", defaults.join(" ")),
            _ => String::new(),
        };
        let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
        let _ = writeln!(text, "| {} | {help}{values} | {default} | {variable} |", spelled(arg));
    }
}

/// An argument as it is typed.
fn spelled(arg: &Arg) -> String {
    if arg.is_positional() {
        return format!("`{}`", word(arg).trim());
    }
    let mut names = Vec::new();
    names.extend(arg.get_short().map(|short| format!("-{short}")));
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    let takes = arg.get_action().takes_values();
    let value =
        takes.then(|| arg.get_value_names().and_then(|all| all.first()).map(ToString::to_string)).flatten();
    format!("`{}{}`", names.join(", "), value.map(|value| format!(" {value}")).unwrap_or_default())
}

fn cell(help: &StyledStr) -> String {
    help.to_string().replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn examples(text: &mut String, after: &StyledStr) {
    let _ = write!(text, "\n```text\n{}\n```\n", after.to_string().trim_end());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_command_and_option_says_what_it_does() {
        fn walk(command: &Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} says nothing of itself");
            for arg in command.get_arguments().filter(|arg| shown(arg)) {
                assert!(arg.get_help().is_some(), "{path}: `{}` says nothing of itself", arg.get_id());
            }
            command.get_subcommands().for_each(|inner| walk(inner, &path));
        }
        let mut root = Cli::command();
        root.build();
        walk(&root, "");
    }

    #[test]
    fn the_document_is_that_of_this_code() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
        let document = std::fs::read_to_string(file).expect("the document");
        assert_eq!(document, reference(), "run `generator explain commands --output markdown > docs/cli.md`");
    }
}
