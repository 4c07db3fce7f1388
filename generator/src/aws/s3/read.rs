//! Reading objects as an origin's client does: parts, conditions, and what a bucket says of itself.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;

use super::{S3, SERVICE, bytes_of};
use crate::aws::{AwsError, AwsErrorKind, Boxed};

/// What is wanted of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Want<'a> {
    /// Value of a `Range` header.
    pub range: Option<&'a str>,
    /// Entity tag that is known already.
    pub unless: Option<&'a str>,
    /// Only the headers.
    pub head: bool,
}

/// An object, or the part of it that was asked for.
#[derive(Debug)]
pub struct Object {
    /// Entity tag, in quotes.
    pub etag: Option<String>,
    /// Media type.
    pub content_type: Option<String>,
    /// Coding of its bytes.
    pub content_encoding: Option<String>,
    /// How long it may be kept.
    pub cache_control: Option<String>,
    /// Time until which it may be kept, as a header has it.
    pub expires: Option<String>,
    /// Language of its text.
    pub content_language: Option<String>,
    /// What a browser calls a file of it.
    pub content_disposition: Option<String>,
    /// When it was last written, in seconds since the epoch.
    pub modified: Option<i64>,
    /// Number of bytes in `body`.
    pub length: u64,
    /// Which part of the whole this is, as in `Content-Range`.
    pub part: Option<String>,
    /// The bytes; none where only the headers were asked for.
    pub body: ByteStream,
}

impl Object {
    /// All of its bytes.
    ///
    /// # Errors
    /// Where the connection breaks.
    pub async fn bytes(self) -> Result<Vec<u8>, AwsError> {
        bytes_of(self.body).await
    }
}

/// What S3 answers to a reader.
#[derive(Debug)]
pub enum Read {
    /// Here it is.
    Found(Box<Object>),
    /// It is the one that is known already.
    Unchanged,
    /// There is no such object.
    Missing,
    /// The part that was asked for lies outside of it.
    OutOfRange,
}

/// What an origin needs of S3.
pub trait Origin: Send + Sync {
    /// Reads an object.
    fn read<'a>(&'a self, bucket: &'a str, key: &'a str, want: Want<'a>)
    -> Boxed<'a, Result<Read, AwsError>>;
    /// The bucket's policy, or `None` where it has none.
    fn policy<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>>;
}

impl Origin for S3 {
    fn read<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        want: Want<'a>,
    ) -> Boxed<'a, Result<Read, AwsError>> {
        Box::pin(async move {
            if want.head { self.headers(bucket, key, want).await } else { self.body(bucket, key, want).await }
        })
    }

    fn policy<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>> {
        Box::pin(async move {
            let answer = self.client.get_bucket_policy().bucket(bucket).send().await;
            match answer.map_err(|error| AwsError::of(SERVICE, "GetBucketPolicy", &error)) {
                Ok(answer) => Ok(answer.policy().map(str::to_owned)),
                Err(error) if error.code == "NoSuchBucketPolicy" => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

/// The object of an answer; `GetObject` and `HeadObject` tell the same of it, each in a type of its own.
macro_rules! object {
    ($call:expr, $operation:literal, $want:expr, $body:expr) => {{
        let want = $want;
        let call =
            $call.set_range(want.range.map(str::to_owned)).set_if_none_match(want.unless.map(str::to_owned));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
                return no_object(status, error.code(), || AwsError::of(SERVICE, $operation, &error));
            }
        };
        let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
        Ok(Read::Found(Box::new(Object {
            etag: answer.e_tag().map(str::to_owned),
            content_type: answer.content_type().map(str::to_owned),
            content_encoding: answer.content_encoding().map(str::to_owned),
            cache_control: answer.cache_control().map(str::to_owned),
            expires: answer.expires_string().map(str::to_owned),
            content_language: answer.content_language().map(str::to_owned),
            content_disposition: answer.content_disposition().map(str::to_owned),
            modified: answer.last_modified().map(|time| time.secs()),
            length: length.ok_or_else(|| AwsError::incomplete(SERVICE, $operation, "Content-Length"))?,
            part: answer.content_range().map(str::to_owned),
            body: $body(answer),
        })))
    }};
}

impl S3 {
    async fn body(&self, bucket: &str, key: &str, want: Want<'_>) -> Result<Read, AwsError> {
        let call = self.client.get_object().bucket(bucket).key(key);
        object!(call, "GetObject", want, |answer: GetObjectOutput| answer.body)
    }

    async fn headers(&self, bucket: &str, key: &str, want: Want<'_>) -> Result<Read, AwsError> {
        let call = self.client.head_object().bucket(bucket).key(key);
        object!(call, "HeadObject", want, |_| ByteStream::default())
    }
}

fn no_object(status: u16, code: Option<&str>, error: impl FnOnce() -> AwsError) -> Result<Read, AwsError> {
    match (status, code) {
        (304, _) => Ok(Read::Unchanged),
        (416, _) => Ok(Read::OutOfRange),
        (_, Some("NoSuchKey")) => Ok(Read::Missing),
        _ => {
            let error = error();
            if error.kind == AwsErrorKind::NotFound { Ok(Read::Missing) } else { Err(error) }
        }
    }
}
