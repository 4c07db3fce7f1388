//! `generator policy`: the organisation's rules.

mod check;
mod deployed;
mod fix;
mod gate;
mod judging;
mod list;

pub(super) use self::gate::PolicyGate;
pub(super) use self::judging::{Trial, judge_all};

use crate::cli::args::PolicyCommand;
use crate::cli::context::{Answer, Context};
use crate::cli::failure::Failure;

pub(super) async fn run(context: &Context, command: PolicyCommand) -> Result<Answer, Failure> {
    match command {
        PolicyCommand::Check(args) if args.deployed => deployed::run(context, &args).await,
        PolicyCommand::Check(args) => check::run(context, &args),
        PolicyCommand::List => list::list(context),
        PolicyCommand::Show { id } => list::show(context, &id),
        PolicyCommand::Test => list::test(context),
        PolicyCommand::Fix(args) => fix::run(context, &args),
    }
}
