//! One object that several writers share: read with its tag, written only where it is still the same.

use aws_sdk_s3::primitives::ByteStream;

use super::{S3, SERVICE, bytes_of, is_unmet};
use crate::aws::{AwsError, Boxed};

/// An object and the tag that changes with every write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its tag.
    pub tag: String,
}

/// When a write may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    /// There is no object.
    Absent,
    /// The object is still the one with this tag.
    Unchanged(&'a str),
}

/// What keeping a journal needs of S3.
pub trait Conditional: Send + Sync {
    /// An object, or `None` where there is none.
    fn tagged<'a>(&'a self, bucket: &'a str, key: &'a str) -> Boxed<'a, Result<Option<Tagged>, AwsError>>;
    /// Writes an object; the answer is its new tag, or `None` where the condition did not hold.
    fn put_if<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        bytes: Vec<u8>,
        condition: Condition<'a>,
    ) -> Boxed<'a, Result<Option<String>, AwsError>>;
}

impl S3 {
    /// The region of a bucket. It may be asked for in any region.
    ///
    /// # Errors
    /// Where the call fails, also where there is no such bucket.
    pub async fn region_of(&self, bucket: &str) -> Result<String, AwsError> {
        let answer = self.client.get_bucket_location().bucket(bucket).send().await;
        let answer = answer.map_err(|error| AwsError::of(SERVICE, "GetBucketLocation", &error))?;
        // Buckets of us-east-1 have no location, and old ones of eu-west-1 have one of their own.
        Ok(match answer.location_constraint().map(|place| place.as_str()) {
            None | Some("") => "us-east-1".to_owned(),
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) => region.to_owned(),
        })
    }
}

impl Conditional for S3 {
    fn tagged<'a>(&'a self, bucket: &'a str, key: &'a str) -> Boxed<'a, Result<Option<Tagged>, AwsError>> {
        Box::pin(async move {
            let answer = self.client.get_object().bucket(bucket).key(key).send().await;
            let answer = match answer.map_err(|error| AwsError::of(SERVICE, "GetObject", &error)) {
                Ok(answer) => answer,
                Err(error) if error.code == "NoSuchKey" => return Ok(None),
                Err(error) => return Err(error),
            };
            let tag = answer.e_tag().ok_or_else(|| AwsError::incomplete(SERVICE, "GetObject", "ETag"))?;
            let tag = tag.to_owned();
            Ok(Some(Tagged { bytes: bytes_of(answer.body).await?, tag }))
        })
    }

    fn put_if<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        bytes: Vec<u8>,
        condition: Condition<'a>,
    ) -> Boxed<'a, Result<Option<String>, AwsError>> {
        Box::pin(async move {
            let call = self.client.put_object().bucket(bucket).key(key).body(ByteStream::from(bytes));
            let call = match condition {
                Condition::Absent => call.if_none_match("*"),
                Condition::Unchanged(tag) => call.if_match(tag),
            };
            match call.send().await.map_err(|error| AwsError::of(SERVICE, "PutObject", &error)) {
                Ok(answer) => {
                    let tag = answer.e_tag().map(str::to_owned);
                    tag.map(Some).ok_or_else(|| AwsError::incomplete(SERVICE, "PutObject", "ETag"))
                }
                Err(error) if is_unmet(&error) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}
