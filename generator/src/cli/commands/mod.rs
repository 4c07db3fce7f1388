//! The commands, one file each.

mod artifacts;
mod completion;
mod deploy;
mod destroy;
mod drift;
mod explain;
mod fleet;
mod gc;
mod import;
mod local;
mod new;
mod outputs;
mod package;
mod parallel;
mod plan;
mod policy;
mod recording;
mod render;
mod resume;
mod revoke;
mod rotate;
mod schema;
mod serve;
mod status;
mod support;
mod survey;
mod validate;
mod verify;

pub(super) use completion::run as completion;

use super::args::Command;
use super::context::{Answer, Context};
use super::failure::Failure;

/// Runs one command.
pub(super) async fn run(context: &Context, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::New(args) => new::run(context, &args),
        Command::Schema => Ok(schema::run()),
        Command::Validate(selection) => validate::run(context, &selection),
        Command::Render(args) => render::run(context, &args),
        Command::Explain(args) => explain::run(context, &args),
        Command::Package(args) => package::run(context, &args).await,
        Command::Plan(args) => plan::run(context, &args).await,
        Command::Deploy(args) => deploy::run(context, &args).await,
        Command::Outputs(selection) => outputs::run(context, &selection).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Verify(args) => verify::run(context, &args).await,
        Command::Serve(args) => serve::run(context, &args).await,
        Command::Rotate(args) => rotate::run(context, &args).await,
        Command::Resume(args) => resume::run(context, &args).await,
        Command::Destroy(args) => destroy::run(context, &args).await,
        Command::Drift(args) => drift::run(context, &args).await,
        Command::Import(args) => import::run(context, &args).await,
        Command::Gc(args) => gc::run(context, &args).await,
        Command::Policy(command) => policy::run(context, command).await,
        Command::Local(command) => local::run(context, command).await,
        Command::Completion(args) => Ok(completion(&args)),
    }
}
