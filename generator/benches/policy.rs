//! `cargo bench --bench policy`: every pack over 1,000 tenants, settings and both templates, against cfn-guard
//! with the same rules as far as it can say them, and as a share of a whole run from files to templates.
//!
//! The workload is that of the rendering benchmark. cfn-guard is the released command, built from its crate
//! into the cache folder on the first run; its own start is left out. Every measurement begins with rules that
//! remember nothing of what was judged before. With `-- --json`, one JSON object a line.

#![expect(clippy::print_stdout, reason = "what a benchmark says goes to stdout")]

#[expect(dead_code, reason = "each benchmark needs a part of it")]
mod support;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use generator::policy::{Document, Judgement, Known, Rules, Stage, Subject, judge, load, survey};
use generator::program::media_cdn;
use generator::render::{RenderedTenant, Templates, render_documents};
use generator::tenant::{self, Tenant};
use serde_json::Value;
use tempfile::TempDir;
use time::macros::date;

use self::support::{Figure, Report, cache_folder, median, timed, workload};

const TENANTS: usize = 1_000;
const ROUNDS: usize = 5;
/// Tenants whose templates cfn-guard reads; its time for all is scaled up from these.
const GUARDED: usize = 10;
const ORGANISATION: &str = "example";
const GUARD: &str = "3.2.1";
/// Most that judging may cost, in times of cfn-guard: at least 100 times its speed.
const GUARD_MAX: f64 = 0.01;
/// Most that judging may take of a whole run.
const SHARE_MAX: f64 = 0.35;

type Failed = Box<dyn Error>;

fn main() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the crate lies in no project")?;
    let folder = tempfile::tempdir()?;
    let names = workload::write(folder.path(), TENANTS)?;
    let templates = Templates::load(&root.join("templates"))?;
    let packs = Packs::new(root, folder.path(), &names)?;

    let (mut judging, mut stacks, mut whole, mut evaluations) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut rendered = Vec::new();
    for _ in 0..ROUNDS {
        let rules = packs.rules()?;
        let start = Instant::now();
        let tenants = tenant::load(folder.path(), ORGANISATION, &names)?;
        let all = tenants
            .into_iter()
            .map(|tenant| Ready::new(&templates, tenant))
            .collect::<Result<Vec<_>, _>>()?;
        let before = start.elapsed();
        evaluations = all.iter().map(|ready| count(&ready.judge(&rules))).sum::<usize>();
        whole.push(start.elapsed());
        judging.push(start.elapsed().saturating_sub(before));
        // A tenant's settings were read when it was loaded; cfn-guard has no part of that either.
        let subjects: Vec<Subject> = all.iter().map(|ready| Subject::of(&ready.tenant)).collect();
        let rules = packs.rules()?;
        let judged = || all.iter().zip(&subjects).map(|(ready, subject)| ready.judge_stacks(&rules, subject));
        stacks.push(timed(|| Ok(judged().map(|judgement| count(&judgement)).sum::<usize>()))?);
        rendered = all;
    }
    let (Some(judging), Some(stacks), Some(whole)) = (median(judging), median(stacks), median(whole)) else {
        return Err("no rounds".into());
    };
    let guard = cfn_guard(&rendered[..GUARDED])?.mul_f64(TENANTS as f64 / GUARDED as f64);

    let mut report = Report::new("policy");
    report.add(Figure::new("evaluations_per_second", evaluations as f64 / judging.as_secs_f64(), "1/s"));
    report.add(
        Figure::seconds("vs_cfn_guard", stacks)
            .against(
                "cfn-guard, which read the 20 templates of 10 tenants; its time is scaled to 1,000",
                guard.as_secs_f64(),
            )
            .at_most(GUARD_MAX),
    );
    report.add(
        Figure::seconds("share_of_render", judging)
            .against("a whole run: files read, templates rendered, everything judged", whole.as_secs_f64())
            .at_most(SHARE_MAX),
    );
    let kept = report.all_bounds_hold();
    println!("{}", report.show(std::env::args().any(|argument| argument == "--json")));
    if kept { Ok(()) } else { Err("a figure is over its bound".into()) }
}

/// The shipped packs without the shipped exemptions, whose tenants are not these.
struct Packs {
    folder: TempDir,
    known: Known,
}

impl Packs {
    fn new(root: &Path, tenants: &Path, names: &[String]) -> Result<Self, Failed> {
        let subjects: Vec<Subject> =
            tenant::load(tenants, ORGANISATION, names)?.iter().map(Subject::of).collect();
        let folder = tempfile::tempdir()?;
        for entry in fs::read_dir(root.join("policies"))? {
            let path = entry?.path();
            let name = path.file_name().ok_or("a file without a name")?;
            if path.is_file() && name != generator::policy::EXEMPTIONS_FILE {
                fs::copy(&path, folder.path().join(name))?;
            }
        }
        Ok(Self { folder, known: survey(ORGANISATION, names, &subjects) })
    }

    /// The rules as one run of the tool reads them.
    fn rules(&self) -> Result<Rules, Failed> {
        Ok(load(self.folder.path(), &self.known, date!(2026 - 11 - 22))?)
    }
}

/// A rendered tenant with its documents.
struct Ready {
    tenant: Tenant,
    rendered: RenderedTenant,
    documents: Vec<Value>,
}

impl Ready {
    fn new(templates: &Templates, tenant: Tenant) -> Result<Self, Failed> {
        let (rendered, documents) = render_documents(templates, &tenant, &media_cdn(&tenant)?)?;
        Ok(Self { tenant, rendered, documents })
    }

    /// Settings and both templates.
    fn judge(&self, rules: &Rules) -> Judgement {
        let subject = Subject::of(&self.tenant);
        let today = date!(2026 - 11 - 22);
        let mut all = judge(rules, Stage::Tenant, &Document::settings(&subject), &subject, today);
        self.stacks(rules, &subject, &mut all);
        all
    }

    /// Both templates only, which is all that cfn-guard sees.
    fn judge_stacks(&self, rules: &Rules, subject: &Subject) -> Judgement {
        let mut all = Judgement::default();
        self.stacks(rules, subject, &mut all);
        all
    }

    fn stacks(&self, rules: &Rules, subject: &Subject, into: &mut Judgement) {
        for (stack, body) in self.rendered.stacks.iter().zip(&self.documents) {
            let document =
                Document { stack: Some(stack.id.as_str()), name: &stack.name, region: &stack.region, body };
            into.add(judge(rules, Stage::Stack, &document, subject, date!(2026 - 11 - 22)));
        }
    }
}

fn count(judgement: &Judgement) -> usize {
    judgement.evaluated.total()
}

/// How long cfn-guard judges these tenants' templates, its own start apart.
fn cfn_guard(tenants: &[Ready]) -> Result<Duration, Failed> {
    let command = installed()?;
    let folder = tempfile::tempdir()?;
    for stack in tenants.iter().flat_map(|ready| &ready.rendered.stacks) {
        fs::write(folder.path().join(format!("{}.yaml", stack.name)), &stack.template)?;
    }
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/support/policies.guard");
    let start = timed(|| Ok(Command::new(&command).arg("--version").output()?))?;
    let mut times = Vec::new();
    for _ in 0..3 {
        times.push(timed(|| {
            let output = Command::new(&command)
                .args(["validate", "--rules"])
                .arg(&rules)
                .arg("--data")
                .arg(folder.path())
                .output()?;
            // 0: everything holds; 19: something is violated. All else means that it has not judged.
            match output.status.code() {
                Some(0 | 19) => Ok(()),
                _ => Err(format!("cfn-guard: {}", String::from_utf8_lossy(&output.stderr)).into()),
            }
        })?);
    }
    Ok(median(times).ok_or("no rounds")?.saturating_sub(start))
}

/// The command, built on the first run.
fn installed() -> Result<PathBuf, Failed> {
    let root = cache_folder()?.join(format!("cfn-guard-{GUARD}"));
    let command = root.join("bin/cfn-guard");
    if !command.is_file() {
        let status = Command::new("cargo")
            .args(["install", "cfn-guard", "--version", GUARD, "--locked", "--root"])
            .arg(&root)
            .status()?;
        if !status.success() {
            return Err("cfn-guard cannot be installed".into());
        }
    }
    Ok(command)
}
