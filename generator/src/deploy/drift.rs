//! What of a tenant is no longer as its templates say, because somebody has changed it beside them.

use serde::Serialize;

use super::error::{DeployError, Doing};
use super::poll::{Look, Wait};
use super::{Context, NextStep, StackStatus};
use crate::aws::cloudformation::{Detection, Drifts, ResourceDrift};
use crate::aws::{AwsError, Cloud, Peers};
use crate::plan::{Shown, drift_properties};
use crate::render::RenderedTenant;

/// Properties that somebody else than the template owns, by type. What stands there is no drift.
///
/// The rotator makes, orders and removes the keys of a key group; its keyring tells of no template.
const OWNED: [(&str, &str); 2] =
    [("AWS::CloudFront::KeyGroup", "/KeyGroupConfig/Items"), ("Custom::SigningKeyring", "")];

/// How one stack compares with its template.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StackDrift {
    /// Which of the tenant's stacks.
    pub stack: String,
    /// Name.
    pub name: String,
    /// Region.
    pub region: String,
    /// Why it was not compared, where it was not.
    pub skipped: Option<String>,
    /// Resources that have drifted.
    pub drifted: Vec<Drifted>,
    /// Resources that are as they should be.
    pub in_sync: Vec<String>,
    /// Resources that nobody compared: their types cannot be, or the comparison failed.
    pub not_compared: Vec<String>,
}

/// A resource that is not as its template says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drifted {
    /// Name in the template.
    pub logical_id: String,
    /// Name or id in its service.
    pub physical_id: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is gone.
    pub deleted: bool,
    /// Properties that differ: `before` is what the template says, `after` what is there.
    pub properties: Vec<Shown>,
}

/// Compares every stack of a tenant with its template.
///
/// # Errors
/// Where a call fails, or the comparison takes too long.
pub async fn drift(
    context: &Context,
    cloud: &Cloud,
    tenant: &RenderedTenant,
) -> Result<Vec<StackDrift>, DeployError> {
    let mut all = Vec::with_capacity(tenant.stacks.len());
    for stack in &tenant.stacks {
        let mut found = StackDrift {
            stack: stack.id.as_str().to_owned(),
            name: stack.name.clone(),
            region: stack.region.clone(),
            skipped: None,
            drifted: Vec::new(),
            in_sync: Vec::new(),
            not_compared: Vec::new(),
        };
        let cloudformation = cloud.cloudformation(&stack.region);
        let standing = cloudformation.stack(&stack.name).await;
        match standing.doing(|| format!("reading stack `{}`", stack.name))? {
            None => found.skipped = Some("it does not exist".into()),
            Some(standing) => match standing.status.parse::<StackStatus>().map(StackStatus::next_step) {
                Ok(NextStep::Compare | NextStep::Update) => {
                    let drifts = cloud.drifts(&stack.region);
                    let seen = detect(context, &*drifts, &stack.name).await?;
                    let resources = cloudformation.resources(&stack.name).await;
                    let resources =
                        resources.doing(|| format!("listing the resources of `{}`", stack.name))?;
                    sort(&mut found, seen);
                    let compared = |id: &String| {
                        found.in_sync.contains(id) || found.drifted.iter().any(|one| one.logical_id == *id)
                    };
                    found.not_compared =
                        resources.into_iter().map(|one| one.logical_id).filter(|id| !compared(id)).collect();
                }
                _ => found.skipped = Some(format!("it is in `{}`", standing.status)),
            },
        }
        all.push(found);
    }
    Ok(all)
}

async fn detect(
    context: &Context,
    drifts: &dyn Drifts,
    stack: &str,
) -> Result<Vec<ResourceDrift>, DeployError> {
    let id = drifts.detect(stack).await.doing(|| format!("comparing stack `{stack}` with its template"))?;
    let what = format!("stack `{stack}` to be compared with its template");
    let mut wait = Wait::new(context, what, context.settings.deadlines.change_set);
    loop {
        let look: Result<Look<()>, AwsError> = drifts.detection(&id).await.map(|detection| match detection {
            Detection::Running => Look::NotYet("under way".into()),
            // What could not be compared is told resource by resource.
            Detection::Complete | Detection::Partial(_) => Look::Done(()),
        });
        if wait.take(look).await?.is_some() {
            break;
        }
    }
    drifts.drifts(stack).await.doing(|| format!("reading what differs in stack `{stack}`"))
}

/// Puts each resource where it belongs; what is owned by others than the template is in order.
fn sort(found: &mut StackDrift, seen: Vec<ResourceDrift>) {
    for resource in seen {
        match resource.status.as_str() {
            "MODIFIED" => {
                let owned = |path: &str| {
                    OWNED.iter().any(|(kind, owned)| *kind == resource.kind && path.starts_with(owned))
                };
                let differing: Vec<_> =
                    resource.differences.iter().filter(|difference| !owned(&difference.path)).collect();
                let properties: Vec<Shown> = differing
                    .iter()
                    .flat_map(|one| {
                        drift_properties(&one.path, one.expected.as_deref(), one.actual.as_deref())
                    })
                    .collect();
                if properties.is_empty() {
                    found.in_sync.push(resource.logical_id);
                } else {
                    found.drifted.push(Drifted {
                        logical_id: resource.logical_id,
                        physical_id: resource.physical_id,
                        kind: resource.kind,
                        deleted: false,
                        properties,
                    });
                }
            }
            "DELETED" => found.drifted.push(Drifted {
                logical_id: resource.logical_id,
                physical_id: resource.physical_id,
                kind: resource.kind,
                deleted: true,
                properties: Vec::new(),
            }),
            "IN_SYNC" => found.in_sync.push(resource.logical_id),
            // Left among those that nobody compared.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudformation::PropertyDrift;

    fn seen(kind: &str, status: &str, differences: &[(&str, &str, &str)]) -> ResourceDrift {
        let property = |(path, expected, actual): &(&str, &str, &str)| PropertyDrift {
            path: (*path).to_string(),
            expected: Some((*expected).to_string()),
            actual: Some((*actual).to_string()),
        };
        ResourceDrift {
            logical_id: "R".into(),
            physical_id: None,
            kind: kind.into(),
            status: status.into(),
            reason: None,
            differences: differences.iter().map(property).collect(),
        }
    }

    fn sorted(resource: ResourceDrift) -> StackDrift {
        let mut found = StackDrift {
            stack: "edge".into(),
            name: "s".into(),
            region: "r".into(),
            skipped: None,
            drifted: vec![],
            in_sync: vec![],
            not_compared: vec![],
        };
        sort(&mut found, vec![resource]);
        found
    }

    #[test]
    fn keys_that_the_rotator_owns_are_no_drift() {
        let keys = ("/KeyGroupConfig/Items/0", "K1", "K2");
        let found = sorted(seen("AWS::CloudFront::KeyGroup", "MODIFIED", &[keys]));
        assert_eq!((found.drifted.len(), found.in_sync.len()), (0, 1));
        let comment = ("/KeyGroupConfig/Comment", "a", "b");
        let found = sorted(seen("AWS::CloudFront::KeyGroup", "MODIFIED", &[keys, comment]));
        assert_eq!(found.drifted[0].properties.len(), 1);
    }

    #[test]
    fn json_that_was_only_written_anew_is_no_drift() {
        let policy = (
            "/PolicyDocument",
            r#"{"Statement":[{"Action":["a","b"]}]}"#,
            r#"{"Statement":{"Action":["b","a"]}}"#,
        );
        assert_eq!(sorted(seen("AWS::S3::BucketPolicy", "MODIFIED", &[policy])).in_sync, ["R"]);
    }

    #[test]
    fn what_could_not_be_compared_is_neither_drifted_nor_in_sync() {
        let found = sorted(seen("AWS::S3::Bucket", "UNKNOWN", &[]));
        assert!(found.drifted.is_empty() && found.in_sync.is_empty());
        assert!(sorted(seen("AWS::S3::Bucket", "DELETED", &[])).drifted[0].deleted);
    }
}
