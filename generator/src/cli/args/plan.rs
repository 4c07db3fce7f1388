//! Arguments of what looks before it leaps.

use std::path::PathBuf;

use clap::Args;

use super::{ChangeArgs, DeployArgs, Selection};

/// Arguments of `plan`.
#[derive(Debug, Args, Default)]
pub struct PlanArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Compare with the last snapshots instead of what stands: no account is needed
    #[arg(long)]
    pub offline: bool,
    /// Folder with the snapshots, or with the files of `render --out`; by default `tests/snapshots`
    #[arg(long, value_name = "DIR", requires = "offline")]
    pub snapshots: Option<PathBuf>,
    /// Keep the change sets, and write this file for `deploy --plan`
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub out: Option<PathBuf>,
    /// End with 7 where anything would change
    #[arg(long)]
    pub exit_code: bool,
    /// What a change may do, and who does it.
    #[command(flatten)]
    pub change: ChangeArgs,
}

impl DeployArgs {
    /// What a dry run of this deployment is: its plan.
    #[must_use]
    pub fn as_plan(&self) -> PlanArgs {
        PlanArgs {
            selection: self.selection.clone(),
            change: self.execution.change.clone(),
            ..PlanArgs::default()
        }
    }
}

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// End with 7 where anything has drifted
    #[arg(long)]
    pub exit_code: bool,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Take in this resource only, of several user pools of its name the one with this id; can be repeated
    #[arg(long = "resource", value_name = "LOGICAL_ID[=ID]")]
    pub resources: Vec<String>,
    /// Show what would be taken in, and take nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Role that CloudFormation acts with
    #[arg(long, value_name = "ARN")]
    pub service_role_arn: Option<String>,
}

/// Arguments of `gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// Tenants whose accounts and regions are looked at.
    #[command(flatten)]
    pub selection: Selection,
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Leave what is younger
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub min_age: u32,
}
