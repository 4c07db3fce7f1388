//! With which settings a tenant was deployed: an object beside the runtime zips, written when its stacks stand.
//!
//! It names the templates that the settings became. So it speaks of what stands as long as that is the same, and
//! says nothing of stacks that something else has changed since.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::aws::s3::{Condition, Conditional};
use crate::aws::{AwsError, AwsErrorKind};
use crate::render::RenderedTenant;

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
}

/// What is known of a tenant's settings.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// Nothing was recorded.
    Nothing,
    /// What was recorded cannot be read.
    Unreadable(String),
    /// These.
    Known(Box<Record>),
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
    pub fn of(rendered: &RenderedTenant, settings: &Value) -> Self {
        let stack = |stack: &crate::render::RenderedStack| RecordedStack {
            id: stack.id.as_str().to_owned(),
            name: stack.name.clone(),
            region: stack.region.clone(),
            template: digest(&stack.template),
        };
        Self {
            format: FORMAT,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            tenant: rendered.tenant.clone(),
            stacks: rendered.stacks.iter().map(stack).collect(),
            settings: settings.clone(),
        }
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
    let found = match s3.tagged(bucket, &key(tenant)).await {
        Ok(found) => found,
        // Without a bucket nothing was ever deployed by this tool.
        Err(error) if error.kind == AwsErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(found.map_or(Recorded::Nothing, |found| parsed(&found.bytes)))
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
        Ok(record) => Recorded::Known(Box::new(record)),
        Err(error) => Recorded::Unreadable(error.to_string()),
    }
}

/// Writes a tenant's record, unless it says this already; whether it was written.
///
/// # Errors
/// Where S3 cannot be asked, or others write it all the time.
pub async fn keep(s3: &dyn Conditional, bucket: &str, record: &Record) -> Result<bool, RecordError> {
    let key = key(&record.tenant);
    let mut bytes = serde_json::to_vec_pretty(record).unwrap_or_default();
    bytes.push(b'\n');
    for _ in 0..ATTEMPTS {
        let found = s3.tagged(bucket, &key).await?;
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
        assert_eq!(keep(&bucket, "b", &record(1)).await, Ok(true));
        assert_eq!(keep(&bucket, "b", &record(1)).await, Ok(false));
        assert_eq!(keep(&bucket, "b", &record(2)).await, Ok(true));
        assert_eq!(read(&bucket, "b", "demo").await, Ok(Recorded::Known(Box::new(record(2)))));
    }

    #[tokio::test]
    async fn a_write_whose_answer_was_lost_is_no_failure() {
        let bucket = OneObject::default();
        *bucket.loses_answer.lock().unwrap() = true;
        assert_eq!(keep(&bucket, "b", &record(1)).await, Ok(false));
        assert_eq!(read(&bucket, "b", "demo").await, Ok(Recorded::Known(Box::new(record(1)))));
    }

    #[test]
    fn each_tenant_has_a_record_of_its_own() {
        assert_eq!(key("demo"), "settings/demo.json");
    }

    #[tokio::test]
    async fn who_writes_between_is_written_over_and_not_for_ever() {
        let bucket = OneObject::default();
        *bucket.rivals.lock().unwrap() = 1;
        assert_eq!(keep(&bucket, "b", &record(1)).await, Ok(true));
        *bucket.rivals.lock().unwrap() = 9;
        assert_eq!(
            keep(&bucket, "b", &record(2)).await,
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
    fn it_speaks_of_the_very_templates_only() {
        assert!(record(1).speaks_of("example-demo-edge", "E"));
        assert!(!record(1).speaks_of("example-demo-edge", "E "));
        assert!(!record(1).speaks_of("example-demo-edge", "R"));
        assert!(!record(1).speaks_of("example-other-edge", "E"));
    }
}
