//! A stack as it stands, with its template: what a decision about it needs.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::DeployError;
use super::error::Doing;
use super::record::Record;
use crate::aws::cloudformation::{CloudFormation, Stack};
use crate::aws::{AwsError, Peers};
use crate::render::{RenderedStack, RenderedTenant};

/// A stack and its template.
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
    let stack = cloudformation.stack(name).await?;
    with_template(cloudformation, name, stack, Reading::default()).await
}

/// A stack that was never made has no template, and one that has not been changed since it was `known` the same:
/// neither is asked for.
async fn with_template(
    cloudformation: &dyn CloudFormation,
    name: &str,
    stack: Option<Stack>,
    known: Reading,
) -> Result<Reading, AwsError> {
    let Some(found) = stack.as_ref().filter(|stack| stack.status != "REVIEW_IN_PROGRESS") else {
        return Ok(Reading { stack, template: None });
    };
    let is_same = |known: &Stack| known.id == found.id && known.updated == found.updated;
    let template = match known {
        Reading { stack: Some(stack), template: Some(template) } if is_same(&stack) => Some(template),
        _ => cloudformation.template(name).await?,
    };
    Ok(Reading { stack, template })
}

/// Reads one stack again after `known`.
pub(super) async fn read_again(
    cloudformation: &dyn CloudFormation,
    stack: &str,
    region: &str,
    known: Reading,
) -> Result<Reading, DeployError> {
    let doing = || format!("reading stack `{stack}` in `{region}`");
    let found = cloudformation.stack(stack).await.doing(doing)?;
    with_template(cloudformation, stack, found, known).await.doing(doing)
}

/// Reads several stacks, `(name, region)` each, all at once. The answers have the same order.
pub(super) async fn read_all(
    peers: &dyn Peers,
    stacks: &[(&str, &str)],
) -> Result<Vec<Reading>, DeployError> {
    let unknown = |(name, region): &(&str, &str)| Asked {
        name: (*name).to_owned(),
        region: (*region).to_owned(),
        known: Reading::default(),
    };
    read_each(peers, stacks.iter().map(unknown).collect()).await
}

/// Reads the stacks of a tenant, all at once. The template of one that stands as it was recorded is not asked for.
pub(super) async fn read_tenant(
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    recorded: Option<&Record>,
) -> Result<Vec<Reading>, DeployError> {
    let asked = |stack: &RenderedStack| Asked {
        name: stack.name.clone(),
        region: stack.region.clone(),
        known: recorded.map(|record| record.reading(stack)).unwrap_or_default(),
    };
    read_each(peers, tenant.stacks.iter().map(asked).collect()).await
}

/// A stack to be read, and the state in which its template is known.
struct Asked {
    name: String,
    region: String,
    known: Reading,
}

async fn read_each(peers: &dyn Peers, stacks: Vec<Asked>) -> Result<Vec<Reading>, DeployError> {
    let mut readings = vec![Reading::default(); stacks.len()];
    let mut reads = JoinSet::new();
    for (place, Asked { name, region, known }) in stacks.into_iter().enumerate() {
        let cloudformation: Arc<dyn CloudFormation> = peers.cloudformation(&region);
        reads.spawn(async move {
            let read = async {
                let stack = cloudformation.among_many(&name).await?;
                with_template(&*cloudformation, &name, stack, known).await
            };
            (place, read.await.doing(|| format!("reading stack `{name}` in `{region}`")))
        });
    }
    while let Some(read) = reads.join_next().await {
        let (place, reading) = read.map_err(|_| DeployError::Cancelled)?;
        readings[place] = reading?;
    }
    Ok(readings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::fake::{FakeCloudFormation, Script, stack};

    #[tokio::test]
    async fn a_template_is_asked_for_again_only_where_the_stack_has_changed() {
        let at = |updated| Stack { updated: Some(updated), ..stack("UPDATE_COMPLETE") };
        let known = Reading { stack: Some(at(1)), template: Some("T".into()) };
        for (now, template) in [(at(1), "T"), (at(2), "newer")] {
            let fake = FakeCloudFormation::new(Script {
                stacks: [Ok(Some(now))].into(),
                templates: [Ok(Some("newer".into()))].into(),
                ..Script::default()
            });
            let read = read_again(&fake, "s", "r", known.clone()).await.expect("a reading");
            assert_eq!(read.template.as_deref(), Some(template));
            assert_eq!(fake.calls().len(), if template == "T" { 1 } else { 2 });
        }
    }

    #[tokio::test]
    async fn a_stack_that_was_never_made_has_no_template() {
        for found in [None, Some(stack("REVIEW_IN_PROGRESS"))] {
            let fake = FakeCloudFormation::new(Script { stacks: [Ok(found)].into(), ..Script::default() });
            assert_eq!(read(&fake, "s", "r").await.expect("a reading").template, None);
            assert_eq!(fake.calls(), ["DescribeStacks s"]);
        }
    }
}
