//! With which settings a tenant was deployed: an object beside the runtime zips, written when its stacks stand.
//!
//! It names the templates that the settings became. So it speaks of what stands as long as that is the same, and
//! says nothing of stacks that something else has changed since. It names each stack with the time of its last
//! update, too: as long as that is the same, so is the template, and nobody needs to ask for it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::TenantOutcome;
use super::reading::Reading;
use crate::aws::cloudformation::Stack;
use crate::aws::s3::{Condition, Conditional, Tagged};
use crate::aws::{AwsError, AwsErrorKind};
use crate::render::{RenderedStack, RenderedTenant};

/// Folder of the records in the artifacts bucket.
pub const FOLDER: &str = "settings/";
/// The form of a record. One of a higher number is not read.
const FORMAT: u32 = 1;
/// Times that a record is written anew because somebody else wrote it meanwhile.
const ATTEMPTS: usize = 3;

/// What a tenant was deployed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// Release of the tool that has deployed it.
    pub release: String,
    /// The tenant.
    pub tenant: String,
    /// Its stacks.
    pub stacks: Vec<RecordedStack>,
    /// All layers of its settings together. Tenant files hold no secrets, so this does not either.
    pub settings: Value,
}

/// A stack as it was deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedStack {
    /// `regional` or `edge`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// SHA-256 of its template in hexadecimal digits.
    pub template: String,
    /// The state in which it stood, where that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood: Option<Stood>,
}

/// A state of a stack: one that is made anew has another id, one that is changed another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// ARN of the stack.
    pub id: String,
    /// When it was changed last, in milliseconds since the epoch; `None` where it was only made.
    pub updated: Option<i64>,
}

/// A record as it was found, for [`keep`].
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    object: Option<Tagged>,
    /// What it says.
    pub recorded: Recorded,
}

/// What is known of a tenant's settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// Nothing was recorded.
    Nothing,
    /// What was recorded cannot be read.
    Unreadable(String),
    /// These.
    Known(Arc<Record>),
}

/// A record that is not kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Others write it all the time.
    #[error("somebody else writes `{0}` at the same time")]
    Taken(String),
}

/// Key of a tenant's record.
#[must_use]
pub fn key(tenant: &str) -> String {
    format!("{FOLDER}{tenant}.json")
}

impl Record {
    /// What is to be recorded of a tenant that was deployed just now.
    #[must_use]
    pub fn of(rendered: &RenderedTenant, settings: &Value, outcome: &TenantOutcome) -> Self {
        // A stack that was gone over twice stands as the second time has left it.
        let stood = |id| outcome.stacks.iter().rev().find(|(gone_over, _)| *gone_over == id);
        let stack = |stack: &RenderedStack| RecordedStack {
            id: stack.id.as_str().to_owned(),
            name: stack.name.clone(),
            region: stack.region.clone(),
            template: digest(&stack.template),
            stood: stood(stack.id).map(|(_, outcome)| {
                let stack = outcome.stack();
                Stood { id: stack.id.clone(), updated: stack.updated }
            }),
        };
        Self {
            format: FORMAT,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            tenant: rendered.tenant.clone(),
            stacks: rendered.stacks.iter().map(stack).collect(),
            settings: settings.clone(),
        }
    }

    /// The state in which a stack has the template that is rendered for it now; an empty one where none is recorded.
    pub(super) fn reading(&self, stack: &RenderedStack) -> Reading {
        let template = digest(&stack.template);
        let recorded =
            self.stacks.iter().find(|known| known.name == stack.name && known.template == template);
        let Some(stood) = recorded.and_then(|known| known.stood.as_ref()) else { return Reading::default() };
        let found = Stack { id: stood.id.clone(), updated: stood.updated, ..Stack::default() };
        Reading { stack: Some(found), template: Some(stack.template.clone()) }
    }

    /// Whether a stack that stands is the one that these settings became.
    #[must_use]
    pub fn speaks_of(&self, stack: &str, template: &str) -> bool {
        self.stacks.iter().any(|known| known.name == stack && known.template == digest(template))
    }
}

/// Reads a tenant's record.
///
/// # Errors
/// Where S3 cannot be asked.
pub async fn read(s3: &dyn Conditional, bucket: &str, tenant: &str) -> Result<Recorded, AwsError> {
    Ok(find(s3, bucket, tenant).await?.recorded)
}

/// The same, to be replaced later.
///
/// # Errors
/// Where S3 cannot be asked.
pub async fn find(s3: &dyn Conditional, bucket: &str, tenant: &str) -> Result<Found, AwsError> {
    let object = match s3.tagged(bucket, &key(tenant)).await {
        Ok(object) => object,
        // Without a bucket nothing was ever deployed by this tool.
        Err(error) if error.kind == AwsErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let recorded = object.as_ref().map_or(Recorded::Nothing, |object| parsed(&object.bytes));
    Ok(Found { object, recorded })
}

fn parsed(bytes: &[u8]) -> Recorded {
    let json: Value = match serde_json::from_slice(bytes) {
        Ok(json) => json,
        Err(error) => return Recorded::Unreadable(error.to_string()),
    };
    match json["format"].as_u64() {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => {
            return Recorded::Unreadable(format!("a newer release wrote it, in format {format}"));
        }
        None => return Recorded::Unreadable("it names no format".into()),
    }
    match serde_json::from_value(json) {
        Ok(record) => Recorded::Known(Arc::new(record)),
        Err(error) => Recorded::Unreadable(error.to_string()),
    }
}

/// Writes a tenant's record, unless it says this already; whether it was written. What was found before is not read
/// again, unless somebody else has written it meanwhile.
///
/// # Errors
/// Where S3 cannot be asked, or others write it all the time.
pub async fn keep(
    s3: &dyn Conditional,
    bucket: &str,
    record: &Record,
    mut found: Option<Found>,
) -> Result<bool, RecordError> {
    let key = key(&record.tenant);
    let mut bytes = serde_json::to_vec_pretty(record).unwrap_or_default();
    bytes.push(b'\n');
    for _ in 0..ATTEMPTS {
        let found = match found.take() {
            Some(found) => found.object,
            None => s3.tagged(bucket, &key).await?,
        };
        if found.as_ref().is_some_and(|found| found.bytes == bytes) {
            return Ok(false);
        }
        let condition = found.as_ref().map_or(Condition::Absent, |found| Condition::Unchanged(&found.tag));
        if s3.put_if(bucket, &key, bytes.clone(), condition).await?.is_some() {
            return Ok(true);
        }
    }
    Err(RecordError::Taken(key))
}

fn digest(template: &str) -> String {
    hex::encode(Sha256::digest(template))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::s3::fake::OneObject;

    fn record(minutes: u32) -> Record {
        let stack = |id: &str, template: &str| RecordedStack {
            id: id.into(),
            name: format!("example-demo-{id}"),
            region: "eu-north-1".into(),
            template: digest(template),
            stood: Some(Stood { id: format!("arn:{id}"), updated: Some(1) }),
        };
        Record {
            format: FORMAT,
            release: "1.0.0".into(),
            tenant: "demo".into(),
            stacks: vec![stack("regional", "R"), stack("edge", "E")],
            settings: json!({ "cookies": { "minutes": minutes } }),
        }
    }

    #[tokio::test]
    async fn the_last_deployment_counts_and_the_same_one_writes_nothing() {
        let bucket = OneObject::default();
        assert_eq!(read(&bucket, "b", "demo").await, Ok(Recorded::Nothing));
        assert_eq!(keep(&bucket, "b", &record(1), None).await, Ok(true));
        assert_eq!(keep(&bucket, "b", &record(1), None).await, Ok(false));
        assert_eq!(keep(&bucket, "b", &record(2), None).await, Ok(true));
        assert_eq!(read(&bucket, "b", "demo").await, Ok(Recorded::Known(Arc::new(record(2)))));
    }

    #[tokio::test]
    async fn what_was_found_is_not_read_again_unless_it_has_changed() {
        let bucket = OneObject::default();
        let nothing = find(&bucket, "b", "demo").await.expect("an answer");
        assert_eq!(keep(&bucket, "b", &record(1), Some(nothing.clone())).await, Ok(true));
        // Somebody has written it since nothing was found: it is read, and written over.
        assert_eq!(keep(&bucket, "b", &record(2), Some(nothing)).await, Ok(true));
        let second = find(&bucket, "b", "demo").await.expect("an answer");
        assert_eq!(second.recorded, Recorded::Known(Arc::new(record(2))));
        assert_eq!(keep(&bucket, "b", &record(2), Some(second)).await, Ok(false));
    }

    #[tokio::test]
    async fn a_write_whose_answer_was_lost_is_no_failure() {
        let bucket = OneObject::default();
        *bucket.loses_answer.lock().unwrap() = true;
        assert_eq!(keep(&bucket, "b", &record(1), None).await, Ok(false));
        assert_eq!(read(&bucket, "b", "demo").await, Ok(Recorded::Known(Arc::new(record(1)))));
    }

    #[test]
    fn each_tenant_has_a_record_of_its_own() {
        assert_eq!(key("demo"), "settings/demo.json");
    }

    #[tokio::test]
    async fn who_writes_between_is_written_over_and_not_for_ever() {
        let bucket = OneObject::default();
        *bucket.rivals.lock().unwrap() = 1;
        assert_eq!(keep(&bucket, "b", &record(1), None).await, Ok(true));
        *bucket.rivals.lock().unwrap() = 9;
        assert_eq!(
            keep(&bucket, "b", &record(2), None).await,
            Err(RecordError::Taken("settings/demo.json".into()))
        );
    }

    #[tokio::test]
    async fn what_is_no_record_of_this_form_is_told_as_such() {
        for (text, reason) in [
            ("[", "EOF"),
            ("{}", "names no format"),
            (r#"{"format":2}"#, "newer release"),
            (r#"{"format":1}"#, "missing field"),
        ] {
            let bucket = OneObject::of(text);
            match read(&bucket, "b", "demo").await {
                Ok(Recorded::Unreadable(why)) => assert!(why.contains(reason), "{text}: {why}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_template_is_known_in_the_state_that_was_recorded_with_it() {
        let rendered = |template: &str| RenderedStack {
            id: crate::render::StackId::Edge,
            name: "example-demo-edge".into(),
            region: "us-east-1".into(),
            template: template.into(),
            parameters: Vec::new(),
            outputs: Vec::new(),
            tags: std::collections::BTreeMap::new(),
        };
        let known = record(1).reading(&rendered("E"));
        assert_eq!(known.template.as_deref(), Some("E"));
        let stack = known.stack.expect("a state");
        assert_eq!((stack.id.as_str(), stack.updated), ("arn:edge", Some(1)));
        assert_eq!(record(1).reading(&rendered("another")), Reading::default());
        let mut older = record(1);
        older.stacks.iter_mut().for_each(|stack| stack.stood = None);
        assert_eq!(older.reading(&rendered("E")), Reading::default());
    }

    #[test]
    fn it_speaks_of_the_very_templates_only() {
        assert!(record(1).speaks_of("example-demo-edge", "E"));
        assert!(!record(1).speaks_of("example-demo-edge", "E "));
        assert!(!record(1).speaks_of("example-demo-edge", "R"));
        assert!(!record(1).speaks_of("example-other-edge", "E"));
    }
}
