//! `generator rotate`: new signing keys for tenants, without anybody noticing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use contract::EDGE_REGION;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::fleet::{self, Onward, Start};
use super::revoke;
use super::support::{account, connect_within};
use crate::aws::{AwsErrorKind, Boxed, Cloud, KeyPeers};
use crate::cli::args::RotateArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, chain};
use crate::cli::select;
use crate::fleet::{Attempt, FailureKind, History, Job, JobEnd, Outcome};
use crate::rotate::{self, Cost, How, Pace, Request, RotateError, request_token};
use crate::tenant::Tenant;

/// Name of the job in journals.
pub(super) const JOB: &str = "rotate";

/// What a process must know to go on with a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Arguments {
    #[serde(flatten)]
    origin: fleet::Origin,
    /// Longest time for one tenant, in seconds.
    deadline_seconds: u64,
}

pub(super) async fn run(context: &Context, args: &RotateArgs) -> Result<Answer, Failure> {
    if args.revoke {
        return revoke::run(context, args).await;
    }
    let tenants = select::load(context, &args.selection)?;
    let plan = fleet::plan(&args.fleet, &tenants);
    if plan.is_empty() {
        return Ok(Answer::new("no tenant changed", json!([])));
    }
    if args.dry_run {
        return Ok(fleet::planned(&plan));
    }
    let cloud = connect_within(context, args.fleet.calls).await?;
    let targets = targets(context, &cloud, &tenants).await?;
    drop(tenants);
    let accounts: Vec<_> = targets.accounts.iter().map(String::as_str).collect();
    let count = plan.len();
    let what = match plan.tenants().next() {
        Some(only) if count == 1 => format!("`{only}`"),
        _ => format!("{count} tenants"),
    };
    context.confirm(&format!("Rotate the keys of {what} in account {}?", accounts.join(", ")))?;

    let pace = if context.settings.local { Pace::of_local() } else { Pace::of_aws() };
    let deadline = args.timeout.map_or(pace.deadline, |minutes| Duration::from_secs(minutes.get() * 60));
    let arguments = Arguments {
        origin: fleet::Origin::here(context, targets.accounts.clone()),
        deadline_seconds: deadline.as_secs(),
    };
    let job: Arc<dyn Job> = Arc::new(job(context, targets, Pace { deadline, ..pace }));
    let (cloud, args, arguments, onward) = (&cloud, &args.fleet, json!(arguments), Onward::Resume);
    let show = fleet::nothing_more;
    fleet::begin(context, Start { name: JOB, cloud, args, arguments, plan, job, show, onward }).await
}

/// The job of a run that another process has started; checks that it would go on in the same place. Tenants
/// that are done need no file any more.
pub(super) async fn again(
    context: &Context,
    cloud: &Cloud,
    history: &History,
) -> Result<Arc<dyn Job>, Failure> {
    let run = &history.header.run;
    let arguments: Arguments = fleet::arguments(history)?;
    arguments.origin.check(context, run)?;
    let tenants = fleet::remaining(context, history)?;
    let targets = targets(context, cloud, &tenants).await?;
    arguments.origin.check_accounts(&targets.accounts, run)?;
    let pace = if context.settings.local { Pace::of_local() } else { Pace::of_aws() };
    let deadline = Duration::from_secs(arguments.deadline_seconds);
    Ok(Arc::new(job(context, targets, Pace { deadline, ..pace })))
}

struct Targets {
    accounts: BTreeSet<String>,
    tenants: HashMap<String, Target>,
}

struct Target {
    secret: String,
    function: String,
    peers: KeyPeers,
}

/// Where each tenant's keys are, with one connection for each identity.
async fn targets(context: &Context, cloud: &Cloud, tenants: &[Tenant]) -> Result<Targets, Failure> {
    let mut identities: BTreeMap<Option<String>, (String, KeyPeers)> = BTreeMap::new();
    let mut found = HashMap::with_capacity(tenants.len());
    for tenant in tenants {
        // The local cloud has one account and one identity.
        let own = |text: Option<String>| text.filter(|_| !context.settings.local);
        let role = own(tenant.settings.role_arn.as_ref().map(ToString::to_string));
        if !identities.contains_key(&role) {
            let cloud = match &role {
                Some(role) => cloud.assuming(role).await,
                None => cloud.clone(),
            };
            let account = account(&cloud).await?;
            identities.insert(role.clone(), (account, cloud.key_peers(EDGE_REGION)));
        }
        let Some((account, peers)) = identities.get(&role) else { continue };
        let expected = own(tenant.settings.account.as_ref().map(ToString::to_string));
        if let Some(expected) = expected.filter(|expected| expected != account) {
            let name = &tenant.name;
            let message = format!(
                "tenant `{name}` belongs to account `{expected}`, but the credentials are for `{account}`"
            );
            let help = "choose another profile or role, or change `account` in the tenant's file";
            return Err(Failure::new(Exit::Access, message).help(help));
        }
        let target = Target {
            secret: tenant.names.keyring_secret(),
            function: tenant.names.rotator_function(),
            peers: peers.clone(),
        };
        found.insert(tenant.name.clone(), target);
    }
    Ok(Targets { accounts: identities.into_values().map(|(account, _)| account).collect(), tenants: found })
}

fn job(context: &Context, targets: Targets, pace: Pace) -> RotateJob {
    let context = rotate::Context { clock: context.clock.clone(), sink: context.sink.clone(), pace };
    RotateJob { context, tenants: targets.tenants }
}

/// Rotating, as a job of a run.
struct RotateJob {
    context: rotate::Context,
    tenants: HashMap<String, Target>,
}

impl Job for RotateJob {
    fn run<'a>(&'a self, tenant: &'a str, attempt: Attempt<'a>) -> Boxed<'a, JobEnd> {
        Box::pin(async move {
            let Some(target) = self.tenants.get(tenant) else {
                return fleet::no_file(tenant);
            };
            let token = |failures| request_token(attempt.run, tenant, failures);
            let request = Request {
                tenant: tenant.to_owned(),
                secret: target.secret.clone(),
                function: target.function.clone(),
                token: token(attempt.failures),
                earlier: (0..attempt.failures).map(token).collect(),
                look_first: attempt.number > 1,
            };
            let (ended, Cost { waiting, calls }) =
                rotate::rotate(&self.context, &target.peers, &request).await;
            match ended {
                Ok(done) => {
                    let summary = match done.how {
                        How::Started => "rotated",
                        How::FoundDone => "found rotated",
                        How::TakenOver => "rotated, as somebody else had begun",
                    };
                    let detail = json!({ "version": done.version, "how": done.how.as_str(), "calls": calls });
                    JobEnd { outcome: Outcome::Done { summary: summary.into() }, detail, waiting }
                }
                Err(error) => {
                    let outcome =
                        Outcome::Failed { kind: kind_of(&error), message: chain(&error), help: error.help() };
                    JobEnd {
                        outcome,
                        detail: json!({ "version": request.token, "how": null, "calls": calls }),
                        waiting,
                    }
                }
            }
        })
    }
}

fn kind_of(error: &RotateError) -> FailureKind {
    match error {
        RotateError::NotDeployed { .. } => FailureKind::NotFound,
        RotateError::Deadline { .. } => FailureKind::Timeout,
        RotateError::Aws { source, .. } => match source.kind {
            AwsErrorKind::Credentials | AwsErrorKind::AccessDenied => FailureKind::Access,
            AwsErrorKind::Timeout => FailureKind::Timeout,
            _ => FailureKind::Other,
        },
        RotateError::Failed { .. } | RotateError::GivenUp { .. } => FailureKind::Other,
    }
}
