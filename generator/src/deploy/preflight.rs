//! What is looked at before the first write: states of all stacks, names that somebody else has, room for new
//! stacks. Reads only.
//!
//! Credentials, account and regions have shown themselves by then: the stacks of both regions were read. The
//! artifacts are looked at by [`super::artifacts`].

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::page::{self, Outputs, Page};
use super::reading::Reading;
use super::{Context, DeployError, NextStep, StackStatus};
use crate::aws::cloudformation::CloudFormation;
use crate::aws::cloudfront::KeyCounts;
use crate::aws::{AwsError, AwsErrorKind, Peers};
use crate::render::{RenderedStack, RenderedTenant, read_template};

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `stack-state`, `name`, `stack-quota`, …
    pub check: &'static str,
    /// Of which thing.
    pub subject: String,
    /// How it stands.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// How it stands with something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// Well.
    Passed,
    /// Nothing must be written like this.
    Failed {
        /// Why.
        reason: String,
        /// What to do.
        help: String,
    },
    /// Not as it should be, but nothing to stop at.
    Warned {
        /// Why.
        reason: String,
    },
    /// Nobody could tell.
    NotHad {
        /// Why.
        reason: String,
    },
}

impl Check {
    /// The reason and the way out, where nothing must be written.
    #[must_use]
    pub fn failure(&self) -> Option<(&str, &str)> {
        match &self.verdict {
            Verdict::Failed { reason, help } => Some((reason, help)),
            Verdict::Passed | Verdict::Warned { .. } | Verdict::NotHad { .. } => None,
        }
    }

    /// What is to be told, although it stops nothing.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Warned { reason } => Some(reason),
            _ => None,
        }
    }
}

/// Stops where anything stands in the way of the first write.
pub(super) async fn pass(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    page: Option<&Page<'_>>,
    readings: &[Reading],
    outputs: &Outputs,
) -> Result<(), DeployError> {
    let mut all = checks(context, peers, tenant, readings).await;
    all.extend(page::check(page, peers, outputs).await?);
    let checks: Vec<Check> = all.into_iter().filter(|check| check.failure().is_some()).collect();
    if checks.is_empty() {
        return Ok(());
    }
    Err(DeployError::Hindered { tenant: tenant.tenant.clone(), checks })
}

/// Looks at everything before the first write.
pub(super) async fn checks(
    context: &Context,
    peers: &dyn Peers,
    tenant: &RenderedTenant,
    readings: &[Reading],
) -> Vec<Check> {
    let mut all = Vec::new();
    let mut rooms: BTreeMap<&str, usize> = BTreeMap::new();
    for (stack, reading) in tenant.stacks.iter().zip(readings) {
        all.extend(state(&tenant.tenant, stack, reading));
        if is_new(reading) {
            *rooms.entry(&stack.region).or_default() += 1;
            all.extend(names(peers, tenant, stack).await);
        }
    }
    for (region, new) in rooms {
        all.push(room(context, peers, region, new).await);
    }
    all
}

fn is_new(reading: &Reading) -> bool {
    reading.stack.as_ref().is_none_or(|stack| stack.status == "REVIEW_IN_PROGRESS")
}

/// A stack that a person must see to stops the stacks before it as well.
fn state(tenant: &str, stack: &RenderedStack, reading: &Reading) -> Option<Check> {
    let status = reading.stack.as_ref()?.status.as_str();
    // One that is not known is told by whoever works on the stack, with all that is known of it.
    let known = status.parse::<StackStatus>().ok()?;
    let verdict = match known.next_step() {
        NextStep::Refuse => Verdict::Failed {
            reason: format!("stack `{}` is in `{status}`: {}", stack.name, known.meaning()),
            help: known.help_for(tenant),
        },
        _ => Verdict::Passed,
    };
    Some(Check { check: "stack-state", subject: stack.name.clone(), verdict })
}

/// Names that the resources of a new stack would take, where somebody has them already.
async fn names(peers: &dyn Peers, tenant: &RenderedTenant, stack: &RenderedStack) -> Vec<Check> {
    let Ok(document) = read_template(&stack.template) else { return Vec::new() };
    let resources = document["Resources"].as_object().into_iter().flatten();
    let mut account: Option<String> = None;
    let mut all = Vec::new();
    for (logical_id, resource) in resources {
        let (kind, properties) = (resource["Type"].as_str().unwrap_or_default(), &resource["Properties"]);
        let key = match kind {
            "AWS::S3::Bucket" => "BucketName",
            "AWS::Lambda::Function" => "FunctionName",
            "AWS::Cognito::UserPool" => "UserPoolName",
            _ => continue,
        };
        if account.is_none() && properties[key].get("Fn::Sub").is_some() {
            account = peers.identity().account().await.ok();
        }
        let Some(name) = fixed(&properties[key], account.as_deref()) else { continue };
        let found = match kind {
            "AWS::S3::Bucket" => peers.objects(&stack.region).bucket_exists(&name, None).await,
            "AWS::Lambda::Function" => peers.functions(&stack.region).exists(&name).await,
            _ => peers.user_pools(&stack.region).named(&name).await.map(|pools| !pools.is_empty()),
        };
        all.push(Check {
            check: "name",
            subject: format!("{logical_id} `{name}`"),
            verdict: verdict(&tenant.tenant, logical_id, kind, &name, found),
        });
    }
    all
}

fn verdict(tenant: &str, logical_id: &str, kind: &str, name: &str, found: Result<bool, AwsError>) -> Verdict {
    let of_somebody = format!("`{name}` ({kind}) exists and belongs to no stack of the tenant");
    match found {
        Ok(false) => Verdict::Passed,
        Ok(true) if kind == "AWS::Lambda::Function" => Verdict::Failed {
            reason: of_somebody,
            help: format!("`generator destroy --tenant {tenant}` removes it once its replicas are gone"),
        },
        Ok(true) => Verdict::Failed {
            reason: of_somebody,
            help: format!(
                "take it in with `generator import --tenant {tenant}`, or delete it with `generator destroy \
                 --tenant {tenant} --delete-data {logical_id}`"
            ),
        },
        // A bucket of another account: names are taken for the whole world.
        Err(error) if error.kind == AwsErrorKind::AccessDenied && kind == "AWS::S3::Bucket" => {
            Verdict::Failed {
                reason: format!("the bucket name `{name}` is taken by somebody else"),
                help: "choose another name for the organisation or the tenant".into(),
            }
        }
        Err(error) => Verdict::NotHad { reason: error.to_string() },
    }
}

/// A name that a template fixes; `None` where it depends on more than the account.
pub(super) fn fixed(value: &Value, account: Option<&str>) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let text = value.get("Fn::Sub")?.as_str()?.replace("${AWS::AccountId}", account?);
    (!text.contains("${")).then_some(text)
}

/// What the service's early validation says of a change set. A warning stops nothing.
pub(super) async fn validated(cloudformation: &dyn CloudFormation, stack: &str, set: &str) -> Vec<Check> {
    let check = |verdict| Check { check: "early-validation", subject: stack.to_owned(), verdict };
    match cloudformation.validations(stack, set).await {
        Ok(None) => vec![check(Verdict::NotHad { reason: "the peer has no early validation".into() })],
        Ok(Some(found)) if found.is_empty() => vec![check(Verdict::Passed)],
        Ok(Some(found)) => found
            .into_iter()
            .map(|validation| {
                let place =
                    [validation.logical_id, validation.path].into_iter().flatten().collect::<Vec<_>>();
                let reason = format!("stack `{stack}` {}: {}", place.join(" "), validation.reason);
                let help = "change the template or the tenant file, or what it collides with".into();
                check(if validation.blocks {
                    Verdict::Failed { reason, help }
                } else {
                    Verdict::Warned { reason }
                })
            })
            .collect(),
        Err(error) => vec![check(Verdict::NotHad { reason: error.to_string() })],
    }
}

/// Whether the region has room for new stacks.
async fn room(context: &Context, peers: &dyn Peers, region: &str, new: usize) -> Check {
    let verdict = match context.rooms.take(peers, region, new).await {
        Ok(Some(room)) if !room.holds(new) => Verdict::Failed {
            reason: format!(
                "{} of {} stacks of `{region}` are there or are being made, and {new} more would be made",
                room.used, room.limit
            ),
            help: "ask for a higher quota of CloudFormation stacks".into(),
        },
        Ok(Some(_)) => Verdict::Passed,
        Ok(None) => Verdict::NotHad { reason: "the quota is not told".into() },
        Err(error) => Verdict::NotHad { reason: error.to_string() },
    };
    Check { check: "stack-quota", subject: region.to_owned(), verdict }
}

/// Key groups and public keys that an account may have unless it has asked for more. Nobody can read what it
/// was given, so more than this is told and stops nothing.
const KEYS_BY_DEFAULT: usize = 10;
/// Keys of a tenant while one is rotated.
const KEYS_OF_A_TENANT: usize = 2;

/// Whether the account has room for the keys of new tenants.
#[must_use]
pub fn key_room(account: &str, counts: Result<KeyCounts, AwsError>, new: usize) -> Check {
    let verdict = match counts {
        Ok(counts) => {
            let (groups, keys) = (counts.groups + new, counts.keys + new * KEYS_OF_A_TENANT);
            if new > 0 && groups.max(keys) > KEYS_BY_DEFAULT {
                Verdict::Warned {
                    reason: format!(
                        "with {new} new tenants there would be {groups} key groups and up to {keys} \
                         public keys, and {KEYS_BY_DEFAULT} of each is what an account may have by default"
                    ),
                }
            } else {
                Verdict::Passed
            }
        }
        Err(error) => Verdict::NotHad { reason: error.to_string() },
    };
    Check { check: "key-quota", subject: account.to_owned(), verdict }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_known_where_only_the_account_is_missing() {
        assert_eq!(fixed(&json!("a"), None).as_deref(), Some("a"));
        let name = json!({"Fn::Sub": "a-${AWS::AccountId}"});
        assert_eq!(fixed(&name, Some("1")).as_deref(), Some("a-1"));
        assert_eq!(fixed(&name, None), None);
        assert_eq!(fixed(&json!({"Fn::Sub": "a-${Other}"}), Some("1")), None);
        assert_eq!(fixed(&json!({"Ref": "X"}), Some("1")), None);
    }

    #[test]
    fn more_keys_than_an_account_has_by_default_are_told() {
        let counts = |groups, keys| Ok(KeyCounts { groups, keys });
        assert_eq!(key_room("1", counts(3, 6), 2).verdict, Verdict::Passed);
        let told = key_room("1", counts(3, 8), 2);
        assert!(told.warning().is_some_and(|reason| reason.contains("up to 12 public keys")));
        assert!(told.failure().is_none());
        assert_eq!(key_room("1", counts(50, 90), 0).verdict, Verdict::Passed);
    }
}
