//! Arguments of commands that make and remove what tenants have.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::Selection;
use super::fleet::{FleetArgs, seconds};
use crate::plan::Allowed;

/// Arguments of `deploy`.
#[derive(Debug, Args)]
pub struct DeployArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Execute the change sets of a file that `plan --out` has written, and nothing else; ends with 7 where
    /// anything has moved since
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["tenants", "labels", "all", "changed_since", "exclude", "dry_run"]
    )]
    pub plan: Option<PathBuf>,
    /// What may be done, and how.
    #[command(flatten)]
    pub execution: ExecutionArgs,
    /// How to go about many tenants.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// What a deployment may do, and how. A run keeps it, so that whoever goes on does the same.
#[derive(Debug, Args, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionArgs {
    /// What a change may do, and who does it.
    #[command(flatten)]
    #[serde(flatten)]
    pub change: ChangeArgs,
    /// Do not verify the tenant after deploying it to the local cloud
    #[arg(long)]
    pub no_verify: bool,
    /// Refuse a stack that somebody else works on, instead of waiting for the end
    #[arg(long)]
    pub refuse_busy: bool,
    /// Go on with an update rollback that has failed, then deploy
    #[arg(long)]
    pub continue_rollback: bool,
    /// Resource that such a rollback leaves as it is; can be repeated
    #[arg(long, value_name = "LOGICAL_ID", requires = "continue_rollback")]
    pub skip_resource: Vec<String>,
}

/// What a change may do, and who does it: the same when it is planned and when it is made.
#[derive(Debug, Args, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeArgs {
    /// Let a change replace or remove this resource although its data is lost; can be repeated
    #[arg(long, value_name = "LOGICAL_ID")]
    pub allow_replace: Vec<String>,
    /// Let a change widen what roles, policies or buckets allow
    #[arg(long)]
    pub allow_broadening: bool,
    /// Role that CloudFormation acts with
    #[arg(long, value_name = "ARN")]
    pub service_role_arn: Option<String>,
}

impl ChangeArgs {
    /// What the policies let pass.
    #[must_use]
    pub fn allowed(&self) -> Allowed {
        Allowed { replace: self.allow_replace.clone(), broadening: self.allow_broadening }
    }
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Also delete this resource with all its data (`ContentBucket`, `UserPool`); can be repeated
    #[arg(long, value_name = "LOGICAL_ID")]
    pub delete_data: Vec<String>,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long to keep asking for the replicas of the edge function to go, such as `8h`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = seconds)]
    pub wait: u64,
    /// How to go about many tenants.
    #[command(flatten)]
    pub fleet: FleetArgs,
}
