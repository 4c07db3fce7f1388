//! Against the last snapshots: no account, for pull requests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::judged::{blank, of_change};
use crate::cli::args::PlanArgs;
use crate::cli::commands::policy::{PolicyGate, Trial};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::plan::{Material, Side, Sides, Source, StackPlan, TenantPlan, expected_change, symbols};
use crate::render::RenderedStack;
use crate::tenant;

/// Where snapshots lie when nobody says otherwise, from the project's root.
const SNAPSHOTS: &str = "tests/snapshots";

pub(super) fn plans(
    context: &Context,
    args: &PlanArgs,
    trial: &Trial,
    policies: &PolicyGate,
) -> Result<Vec<TenantPlan>, Failure> {
    let folder = match &args.snapshots {
        Some(folder) => context.settings.here.join(folder),
        None => context.settings.root.join(SNAPSHOTS),
    };
    if !folder.is_dir() {
        return Err(Failure::new(Exit::NotFound, format!("there is no folder `{}`", folder.display()))
            .help("name the folder with the snapshots of then with `--snapshots`"));
    }
    let mut plans = Vec::with_capacity(trial.tenants.len());
    for judged in &trial.tenants {
        let mut plan = blank(judged);
        for stack in &judged.rendered.stacks {
            let before = snapshot(&folder, &plan.tenant, stack)?;
            let stack = one(policies, &plan.tenant, stack, before.as_deref())?;
            plan.stacks.push(stack);
        }
        plans.push(plan);
    }
    if args.selection.all {
        plans.extend(without_file(context, &folder)?);
    }
    Ok(plans)
}

fn one(
    policies: &PolicyGate,
    tenant: &str,
    stack: &RenderedStack,
    before: Option<&str>,
) -> Result<StackPlan, Failure> {
    let id = stack.id.as_str();
    let none = BTreeMap::new();
    let (had, has) = (before.map_or(none, symbols), symbols(&stack.template));
    let sides = Sides {
        before: before.map(|template| Side { template, parameters: &had }),
        after: Side { template: &stack.template, parameters: &has },
    };
    let change = expected_change(&stack.name, &stack.region, &sides).map_err(|reason| {
        Failure::new(Exit::Failure, format!("stack `{}` cannot be compared: {reason}", stack.name))
    })?;
    let material = Material {
        stack: id,
        change: &change,
        sides,
        // Those of the stack are handed to its resources, whose templates show them.
        tags: None,
        source: Source::Templates,
        values_known: false,
    };
    let mut plan = StackPlan::of(&material);
    plan.findings = of_change(policies, tenant, &change, &sides)
        .map_err(|refusal| Failure::new(Exit::Policy, refusal.reason))?;
    Ok(plan)
}

/// The template of then; `None` where there was none.
fn snapshot(folder: &Path, tenant: &str, stack: &RenderedStack) -> Result<Option<String>, Failure> {
    let reviewed = folder.join(format!("{tenant}.{}.snap", stack.id.as_str()));
    let rendered = folder.join(format!("{}.yaml", stack.name));
    for path in [reviewed, rendered] {
        match std::fs::read_to_string(&path) {
            Ok(text) => return template(&path, text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(&path, &error.to_string())),
        }
    }
    Ok(None)
}

/// The template within a snapshot, which has a header between two lines of dashes.
fn template(path: &Path, text: String) -> Result<String, Failure> {
    if path.extension().is_none_or(|extension| extension != "snap") {
        return Ok(text);
    }
    let body = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    body.map(|(_, body)| body.to_owned()).ok_or_else(|| unreadable(path, "it has no header"))
}

fn unreadable(path: &Path, reason: &str) -> Failure {
    Failure::new(Exit::Failure, format!("cannot read `{}`: {reason}", path.display()))
}

/// Tenants that have a snapshot and no file any more.
fn without_file(context: &Context, folder: &PathBuf) -> Result<Vec<TenantPlan>, Failure> {
    let known: BTreeSet<String> = tenant::list(&context.settings.tenants)?.into_iter().collect();
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error.to_string()))?;
    let mut left: BTreeSet<String> = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error.to_string()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let parts: Vec<&str> = name.split('.').collect();
        if let [tenant, "regional" | "edge", "snap"] = parts.as_slice()
            && !known.contains(*tenant)
        {
            left.insert((*tenant).to_owned());
        }
    }
    let reason = "it has no file any more: what is deployed for it stays until `generator destroy` was run with \
                  its last file";
    let plan = |tenant: String| TenantPlan {
        tenant,
        account: None,
        stacks: Vec::new(),
        findings: Vec::new(),
        hindrances: Vec::new(),
        checks: Vec::new(),
        page: None,
        error: Some(reason.to_owned()),
    };
    Ok(left.into_iter().map(plan).collect())
}
