//! A stack as it stands, with its template: what a decision about it needs.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::DeployError;
use super::error::Doing;
use crate::aws::cloudformation::{CloudFormation, Stack};
use crate::aws::{AwsError, Peers};

/// A stack and its template, read at the same time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) stack: Option<Stack>,
    pub(super) template: Option<String>,
}

/// Reads one stack.
pub(super) async fn read(
    cloudformation: &dyn CloudFormation,
    stack: &str,
    region: &str,
) -> Result<Reading, DeployError> {
    read_raw(cloudformation, stack).await.doing(|| format!("reading stack `{stack}` in `{region}`"))
}

async fn read_raw(cloudformation: &dyn CloudFormation, name: &str) -> Result<Reading, AwsError> {
    let (stack, template) = tokio::try_join!(cloudformation.stack(name), cloudformation.template(name))?;
    Ok(Reading { stack, template })
}

/// Reads several stacks, `(name, region)` each, all at once. The answers have the same order.
pub(super) async fn read_all(
    peers: &dyn Peers,
    stacks: &[(&str, &str)],
) -> Result<Vec<Reading>, DeployError> {
    let mut reads = JoinSet::new();
    for (place, (name, region)) in stacks.iter().enumerate() {
        let cloudformation: Arc<dyn CloudFormation> = peers.cloudformation(region);
        let name = (*name).to_owned();
        reads.spawn(async move { (place, read_raw(&*cloudformation, &name).await) });
    }
    let mut readings = vec![Reading::default(); stacks.len()];
    while let Some(read) = reads.join_next().await {
        let (place, reading) = read.map_err(|_| DeployError::Cancelled)?;
        let (name, region) = stacks[place];
        readings[place] = reading.doing(|| format!("reading stack `{name}` in `{region}`"))?;
    }
    Ok(readings)
}
