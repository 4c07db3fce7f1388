//! `generator resume`: a run that was stopped or cut off goes on.

use super::support::connect_within;
use super::{fleet, rotate};
use crate::cli::args::ResumeArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

pub(super) async fn run(context: &Context, args: &ResumeArgs) -> Result<Answer, Failure> {
    let place = fleet::place(context, &args.journal)?;
    let cloud = connect_within(context, args.calls).await?;
    let journal = place.open(&cloud, &args.run).await?;
    let history = journal.history();
    let job = match history.header.job.as_str() {
        rotate::JOB => rotate::again(context, &cloud, &history).await?,
        other => {
            let message =
                format!("run `{}` is of a kind that this program does not know: `{other}`", args.run);
            return Err(Failure::new(Exit::Usage, message).help("use the version that it was started with"));
        }
    };
    fleet::go(context, journal, job, &args.journal, &place).await
}
