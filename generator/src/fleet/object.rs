//! A journal in S3: one object, rewritten as a whole on the condition that it is still the one last written.
//!
//! So two processes cannot both work on a run, whichever machines they are on: the one that writes second is
//! refused, and stops.

use std::sync::Arc;
use std::time::Duration;

use super::store::{JournalError, Store};
use crate::aws::s3::{Condition, Conditional, Tagged};
use crate::aws::{AwsError, Boxed};

/// An object.
pub struct ObjectStore {
    s3: Arc<dyn Conditional>,
    bucket: String,
    key: String,
    text: String,
    /// Tag of the object as it was last read or written; none before it is made.
    tag: Option<String>,
}

impl ObjectStore {
    /// A new journal. It is made by the first append, which fails where there is one.
    #[must_use]
    pub fn create(s3: Arc<dyn Conditional>, bucket: &str, key: &str) -> Self {
        Self { s3, bucket: bucket.to_owned(), key: key.to_owned(), text: String::new(), tag: None }
    }

    /// The journal of a run that was started before, and its lines.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub async fn open(
        s3: Arc<dyn Conditional>,
        bucket: &str,
        key: &str,
    ) -> Result<(Self, String), JournalError> {
        let mut store = Self::create(s3, bucket, key);
        let found = store.s3.tagged(bucket, key).await.map_err(|source| store.failed("read", source))?;
        let Tagged { bytes, tag } = found.ok_or_else(|| JournalError::Missing(store.place()))?;
        store.text = String::from_utf8(bytes).map_err(|error| JournalError::Damaged {
            place: store.place(),
            line: 1,
            reason: error.to_string(),
        })?;
        store.tag = Some(tag);
        let lines = store.text.clone();
        Ok((store, lines))
    }

    fn failed(&self, doing: &'static str, source: AwsError) -> JournalError {
        JournalError::Aws { doing, place: self.place(), source: Box::new(source) }
    }

    /// The tag of what was just refused, if it is there after all: an answer that was lost on the way makes the
    /// next attempt run into the first one's success.
    async fn written_after_all(&self, text: &str) -> Result<Option<String>, JournalError> {
        let found = self.s3.tagged(&self.bucket, &self.key).await;
        let found = found.map_err(|source| self.failed("read", source))?;
        Ok(found.filter(|found| found.bytes == text.as_bytes()).map(|found| found.tag))
    }
}

impl Store for ObjectStore {
    fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn append<'a>(&'a mut self, lines: &'a str) -> Boxed<'a, Result<(), JournalError>> {
        Box::pin(async move {
            let text = format!("{}{lines}", self.text);
            let condition = self.tag.as_deref().map_or(Condition::Absent, Condition::Unchanged);
            let bytes = text.clone().into_bytes();
            let written = self.s3.put_if(&self.bucket, &self.key, bytes, condition).await;
            let tag = match written.map_err(|source| self.failed("write", source))? {
                Some(tag) => tag,
                None => match (self.written_after_all(&text).await?, &self.tag) {
                    (Some(tag), _) => tag,
                    (None, Some(_)) => return Err(JournalError::Taken(self.place())),
                    (None, None) => return Err(JournalError::Exists(self.place())),
                },
            };
            self.text = text;
            self.tag = Some(tag);
            Ok(())
        })
    }
}
