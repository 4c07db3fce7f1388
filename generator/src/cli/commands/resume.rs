//! `generator resume`: a run that was stopped or cut off goes on.

use super::fleet::{self, Onward};
use super::support::connect_within;
use super::{deploy, destroy, rotate};
use crate::cli::args::ResumeArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::report::TenantReport;

pub(super) async fn run(context: &Context, args: &ResumeArgs) -> Result<Answer, Failure> {
    let place = fleet::place(context, &args.journal)?;
    let cloud = connect_within(context, args.calls).await?;
    let journal = place.open(context, &cloud, &args.run).await?;
    let history = journal.history();
    let mut onward = Onward::Resume;
    let (job, show): (_, fn(&TenantReport, bool) -> String) = match history.header.job.as_str() {
        rotate::JOB => (rotate::again(context, &cloud, &history).await?, fleet::nothing_more),
        deploy::JOB => {
            let (job, way) = deploy::again(context, &cloud, &history).await?;
            onward = way;
            (job, deploy::shown)
        }
        destroy::JOB => (destroy::again(context, &cloud, &history).await?, destroy::shown),
        other => {
            let message =
                format!("run `{}` is of a kind that this program does not know: `{other}`", args.run);
            return Err(Failure::new(Exit::Usage, message).help("use the version that it was started with"));
        }
    };
    fleet::go(context, fleet::Work { journal, job, show, onward }, &args.journal, &place).await
}
