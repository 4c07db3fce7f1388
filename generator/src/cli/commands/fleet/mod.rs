//! A run over many tenants, as every command that makes one goes about it: journal, interruption, report, exit
//! code.

mod origin;
mod place;
mod screen;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(super) use self::origin::Origin;
pub(super) use self::place::Place;
use self::screen::Last;
use crate::aws::Cloud;
use crate::cli::args::{FleetArgs, JournalArgs, Output};
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Said;
use crate::fleet::{
    FailureKind, Fleet, Header, History, Job, JobEnd, Journal, Member, Outcome, Plan, Settings, StopReason,
    run,
};
use crate::report::{RunReport, TenantReport};
use crate::tenant::Tenant;

/// Label of the tenants that are tried first.
const CANARY: &str = "canary";

/// The arguments with which a run was started.
pub(super) fn arguments<A: DeserializeOwned>(history: &History) -> Result<A, Failure> {
    let run = &history.header.run;
    serde_json::from_value(history.header.arguments.clone()).map_err(|error| {
        Failure::new(Exit::Usage, format!("the arguments of run `{run}` cannot be read: {error}"))
    })
}

/// The tenants that a run has still to do. Those that are done need no file any more.
pub(super) fn remaining(context: &Context, history: &History) -> Result<Vec<Tenant>, Failure> {
    let waves = 0..history.header.waves.waves.len();
    let names: Vec<String> = waves.flat_map(|wave| history.remaining(wave)).collect();
    Ok(crate::tenant::load(&context.settings.tenants, &context.settings.organisation, &names)?)
}

/// The end of a job for a tenant whose file is gone since the run was started.
pub(super) fn no_file(tenant: &str) -> JobEnd {
    let message = format!("tenant `{tenant}` has no file");
    let outcome = Outcome::Failed { kind: FailureKind::NotFound, message, help: None };
    JobEnd { outcome, detail: Value::Null, waiting: Duration::ZERO }
}

/// Who comes when.
pub(super) fn plan(args: &FleetArgs, tenants: &[Tenant]) -> Plan {
    let canary = |tenant: &Tenant| {
        let label = tenant.settings.labels.0.get(CANARY);
        label.is_some_and(|value| value.as_str() == "true")
    };
    let members = tenants.iter().map(|tenant| Member { tenant: tenant.name.clone(), canary: canary(tenant) });
    args.waves.plan(members.collect())
}

/// The header of a new run. Its name tells job and time, and a random end keeps two of a second apart.
fn header(context: &Context, job: &str, args: &FleetArgs, arguments: Value, plan: Plan) -> Header {
    let since = context.clock.now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    let started = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let name = format!("{job}-{}-{:06x}", compact(since.as_secs()), rand::random::<u32>() & 0xff_ffff);
    let settings = Settings {
        concurrency: args.concurrency.get(),
        bake_seconds: args.bake,
        max_failures: args.max_failures,
    };
    Header::new(name, job, started, arguments, settings, plan)
}

/// `20261122-184501` of a time in seconds since the epoch.
fn compact(seconds: u64) -> String {
    use aws_smithy_types::date_time::{DateTime, Format};
    let time = i64::try_from(seconds).map(DateTime::from_secs).ok();
    let text = time.and_then(|time| time.fmt(Format::DateTime).ok()).unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    match digits.split_at_checked(8) {
        Some((day, time)) => format!("{day}-{time}"),
        None => seconds.to_string(),
    }
}

/// The waves of a plan, for a dry run.
pub(super) fn planned(plan: &Plan) -> Answer {
    let mut human = String::new();
    for wave in &plan.waves {
        human.push_str(&format!("wave {}\n", wave.name));
        wave.tenants.iter().for_each(|tenant| human.push_str(&format!("  {tenant}\n")));
    }
    human.push_str("nothing was changed\n");
    Answer::new(human, json!({ "waves": plan }))
}

/// How one goes on with a run in which not every tenant is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onward {
    /// By `generator resume`.
    Resume,
    /// By a new plan of those tenants: what was not executed of this one is gone.
    NewPlan,
}

/// A run as a command starts it.
pub(super) struct Start<'a> {
    /// Name of the job.
    pub name: &'static str,
    pub cloud: &'a Cloud,
    pub args: &'a FleetArgs,
    /// What another process must know to go on with it.
    pub arguments: Value,
    /// Who comes when.
    pub plan: Plan,
    pub job: Arc<dyn Job>,
    pub show: fn(&TenantReport, bool) -> String,
    pub onward: Onward,
}

/// Starts a run, and goes through it.
pub(super) async fn begin(context: &Context, start: Start<'_>) -> Result<Answer, Failure> {
    let Start { name, cloud, args, arguments, plan, job, show, onward } = start;
    let header = header(context, name, args, arguments, plan);
    let place = place(context, &args.journal)?;
    let journal = place.create(context, cloud, header).await?;
    go(context, Work { journal, job, show, onward }, &args.journal, &place).await
}

/// A run as a command starts it or goes on with it.
pub(super) struct Work {
    pub journal: Journal,
    pub job: Arc<dyn Job>,
    /// What people are told of a tenant that is done, beside the line of the run; whether it is the only one.
    pub show: fn(&TenantReport, bool) -> String,
    pub onward: Onward,
}

/// For jobs whose line in the progress says it all.
pub(super) fn nothing_more(_: &TenantReport, _: bool) -> String {
    String::new()
}

/// Goes through a run to its end, or to where it must stop, and reports it.
pub(super) async fn go(
    context: &Context,
    work: Work,
    args: &JournalArgs,
    place: &Place,
) -> Result<Answer, Failure> {
    let Work { journal, job, show, onward } = work;
    let journal = Arc::new(journal);
    let name = journal.read(|history| history.header.run.clone());
    let resume = resume(context, &name, args);
    let fleet = Fleet {
        clock: context.clock.clone(),
        sink: context.sink.clone(),
        stopper: context.interrupts.graceful(Said::of_a_write(format!("go on with `{resume}`"))),
    };
    let ended = run(&fleet, &journal, job).await;
    // Change sets that were not executed by now are of no use to anybody.
    context.interrupts.clean_up(&*context.sink).await;
    let ended = ended.map_err(|error| {
        Failure::from(error).help(format!("when the journal can be kept again, go on with `{resume}`"))
    })?;
    let history = journal.history();
    let report = history.report(journal.place());
    let written = write(context, args, place, &report)?;
    if let ([tenant], None | Some(StopReason::TooManyFailures { .. })) =
        (report.tenants().collect::<Vec<_>>().as_slice(), &ended.stopped)
        && let Some(Outcome::Failed { kind, message, help }) = outcome(&history, &tenant.tenant)
    {
        let failure = Failure::new(exit_of(*kind), message.clone());
        return Err(match help {
            Some(help) => failure.help(help.clone()),
            None => failure,
        });
    }
    let only = report.totals.tenants == 1;
    let done = report.tenants().filter(|tenant| tenant.state == "done");
    let mut human: String = done.map(|tenant| show(tenant, only)).collect();
    if !(only && ended.stopped.is_none() && !human.is_empty()) {
        let next = match onward {
            Onward::Resume => format!("go on with `{resume}`"),
            Onward::NewPlan => screen::new_plan(&report, &where_to(context)),
        };
        let written = written.as_deref().filter(|_| !only);
        human.push_str(&Last { report: &report, written, next: &next }.text());
    }
    let exit = exit(&history, &report, ended.stopped.as_ref());
    Ok(Answer::new(human, json!(report)).own_form(Output::Markdown, report.markdown()).exit(exit))
}

/// The command that goes on with a run.
fn resume(context: &Context, run: &str, args: &JournalArgs) -> String {
    let journal = args.journal.as_deref().map(|place| format!(" --journal {place}")).unwrap_or_default();
    format!("generator resume {run}{}{journal}", where_to(context))
}

/// The flags that lead another command to the same cloud.
fn where_to(context: &Context) -> String {
    let mut flags = if context.settings.local { " --local".to_owned() } else { String::new() };
    if let Some(endpoint) = &context.settings.cloud.endpoint_url {
        flags.push_str(&format!(" --endpoint-url {endpoint}"));
    }
    flags
}

/// Writes the report where it was asked for, or beside a local journal.
fn write(
    context: &Context,
    args: &JournalArgs,
    place: &Place,
    report: &RunReport,
) -> Result<Option<PathBuf>, Failure> {
    let folder = match (&args.report, place.folder()) {
        (Some(folder), _) => context.settings.here.join(folder),
        (None, Some(folder)) => folder.to_path_buf(),
        (None, None) => return Ok(None),
    };
    let json = format!("{:#}\n", json!(report));
    let put = |name: String, text: &str| {
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(&name), text)).map_err(
            |error| {
                let path = folder.join(&name);
                Failure::new(Exit::Failure, format!("cannot write the report `{}`: {error}", path.display()))
            },
        )
    };
    put(format!("{}.report.json", report.run), &json)?;
    put(format!("{}.report.md", report.run), &report.markdown())?;
    Ok(Some(folder))
}

fn outcome<'a>(history: &'a History, tenant: &str) -> Option<&'a Outcome> {
    Some(&history.tenants.get(tenant)?.end.as_ref()?.outcome)
}

fn exit(history: &History, report: &RunReport, stopped: Option<&StopReason>) -> Exit {
    let mut exits = report.tenants().map(|tenant| match outcome(history, &tenant.tenant) {
        Some(Outcome::Done { .. }) => Exit::Ok,
        Some(Outcome::Failed { kind, .. }) => exit_of(*kind),
        None => Exit::Cancelled,
    });
    match (exits.next(), stopped) {
        (_, Some(StopReason::Asked)) if report.totals.left > 0 => Exit::Cancelled,
        // One exit code for all of them is told as that one.
        (Some(first), _) if exits.all(|exit| exit == first) => first,
        _ => Exit::Partial,
    }
}

/// The kind of a failure of this exit code.
pub(super) fn kind_of(exit: Exit) -> FailureKind {
    match exit {
        Exit::Access => FailureKind::Access,
        Exit::NotFound => FailureKind::NotFound,
        Exit::Timeout => FailureKind::Timeout,
        Exit::Policy => FailureKind::Refused,
        Exit::Deployment => FailureKind::Deployment,
        Exit::Changes => FailureKind::Moved,
        _ => FailureKind::Other,
    }
}

fn exit_of(kind: FailureKind) -> Exit {
    match kind {
        FailureKind::Access => Exit::Access,
        FailureKind::NotFound => Exit::NotFound,
        FailureKind::Timeout => Exit::Timeout,
        FailureKind::Refused => Exit::Policy,
        FailureKind::Deployment => Exit::Deployment,
        FailureKind::Moved => Exit::Changes,
        FailureKind::Other => Exit::Failure,
    }
}

/// Where journals are kept: what was asked for, or the settings' own.
pub(super) fn place(context: &Context, args: &JournalArgs) -> Result<Place, Failure> {
    match &args.journal {
        Some(text) => Place::read(text, &context.settings.here),
        None => Place::read(&context.settings.journal, Path::new("/")),
    }
}
