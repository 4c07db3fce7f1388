//! Which tenants a command is about.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use wildmatch::WildMatch;

use super::args::Selection;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::settings::Settings;
use crate::report::Event;
use crate::tenant::{self, Request, Tenant};

/// Loads the tenants that are selected, by name in alphabetic order. Names that tenants beside them take are
/// compared too; a file of those that cannot be read is warned of.
///
/// # Errors
/// No selection at all, a selection that matches nothing, and every problem of the files.
pub(super) fn load(context: &Context, selection: &Selection) -> Result<Vec<Tenant>, Failure> {
    load_with(context, selection, false)
}

/// The same, and where all tenants are selected the tiers that none of them names are checked too.
///
/// # Errors
/// As [`load`].
pub(super) fn load_and_check_tiers(context: &Context, selection: &Selection) -> Result<Vec<Tenant>, Failure> {
    load_with(context, selection, selection.all)
}

fn load_with(context: &Context, selection: &Selection, every_tier: bool) -> Result<Vec<Tenant>, Failure> {
    let settings = &context.settings;
    let known = tenant::list(&settings.tenants)?;
    if known.is_empty() {
        let message = format!("there is no tenant file in `{}`", settings.tenants.display());
        return Err(Failure::new(Exit::NotFound, message).help("add `tenants/<name>.yaml`"));
    }
    let any = selection.all
        || !selection.tenants.is_empty()
        || !selection.labels.is_empty()
        || selection.changed_since.is_some();
    if !any {
        return Err(Failure::new(Exit::Usage, "no tenant is selected")
            .help(format!("pass `--tenant`, `--label` or `--all`; tenants are {}", listed(&known))));
    }
    let mut chosen: BTreeSet<&String> = known.iter().collect();
    if !selection.tenants.is_empty() {
        for pattern in &selection.tenants {
            if !known.iter().any(|name| WildMatch::new(pattern).matches(name)) {
                return Err(Failure::new(Exit::NotFound, format!("no tenant matches `{pattern}`"))
                    .help(format!("tenants are {}", listed(&known))));
            }
        }
        chosen.retain(|name| matches_any(&selection.tenants, name));
    }
    if let Some(revision) = &selection.changed_since {
        let changed = changed_since(settings, revision, &known)?;
        chosen.retain(|name| changed.contains(*name));
    }
    chosen.retain(|name| !matches_any(&selection.exclude, name));
    let names: Vec<String> = chosen.into_iter().cloned().collect();
    let organisation = &settings.organisation;
    let request = Request { organisation, selected: &names, with_others: !names.is_empty(), every_tier };
    let loaded = tenant::load_with(&settings.tenants, &request)?;
    for path in loaded.unread {
        context.sink.emit(&Event::Warning {
            tenant: None,
            message: format!(
                "`{path}` is wrong: whether it takes a name of the selected tenants is not known"
            ),
            help: Some("run `generator validate --all`".into()),
        });
    }
    let mut tenants = loaded.tenants;
    for label in &selection.labels {
        let Some((key, value)) = label.split_once('=') else {
            return Err(Failure::new(Exit::Usage, format!("`{label}` is no label"))
                .help("write it as `--label KEY=VALUE`"));
        };
        tenants.retain(|tenant| tenant.settings.labels.0.get(key).is_some_and(|own| own.as_str() == value));
    }
    if tenants.is_empty() && selection.changed_since.is_none() {
        return Err(Failure::new(Exit::NotFound, "no tenant is left of the selection")
            .help(format!("tenants are {}", listed(&known))));
    }
    Ok(tenants)
}

fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| WildMatch::new(pattern).matches(name))
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// The tenants that a change since `revision` touches: those whose own file changed, and all of them where
/// a file changed that all share.
fn changed_since(settings: &Settings, revision: &str, known: &[String]) -> Result<BTreeSet<String>, Failure> {
    let refuse = |reason: String| {
        Failure::new(Exit::Usage, format!("cannot tell what changed since `{revision}`: {reason}"))
            .help("name a commit, branch or tag of this repository")
    };
    if revision.starts_with('-') {
        return Err(refuse("it is no revision".into()));
    }
    let git = |arguments: &[&str]| -> Result<Vec<String>, Failure> {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(&settings.root)
            .output()
            .map_err(|error| refuse(format!("git cannot be started: {error}")))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(refuse(text.lines().next().unwrap_or("git failed").to_string()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_string).collect())
    };
    let mut changed = git(&["diff", "--name-only", "--relative", revision, "--"])?;
    changed.extend(git(&["ls-files", "--others", "--exclude-standard"])?);
    let own = |path: &str, name: &str| {
        let path = Path::new(path);
        path.file_stem().is_some_and(|stem| stem == name)
            && path.extension().is_some_and(|extension| extension == "yaml")
            && path.parent().and_then(Path::file_name) == settings.tenants.file_name()
    };
    let folder =
        |path: &Path, of: &Path| path.components().next().map(|first| first.as_os_str()) == of.file_name();
    let shared = changed.iter().any(|path| {
        let path = Path::new(path);
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        folder(path, &settings.templates)
            || folder(path, &settings.policies)
            || path.starts_with("runtime")
            || path == Path::new(super::settings::FILE)
            || (folder(path, &settings.tenants) && stem.starts_with('_'))
    });
    let touched = |name: &&String| shared || changed.iter().any(|path| own(path, name));
    Ok(known.iter().filter(touched).cloned().collect())
}
