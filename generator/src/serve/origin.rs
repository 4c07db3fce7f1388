//! The bucket behind a distribution, read with the distribution's permission and no other.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, EXPIRES, HeaderName, LAST_MODIFIED, SERVER,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::dates;
use super::permission::Permission;
use crate::aws::AwsError;
use crate::aws::s3::{Object, Origin as _, Read, S3, Want};
use crate::clock::Clock;

/// Longest time for which a changed bucket policy is not noticed.
const FRESH: Duration = Duration::from_secs(1);

/// The origin of one distribution.
#[derive(Debug)]
pub(super) struct Origin {
    s3: S3,
    bucket: String,
    distribution: String,
    clock: Arc<dyn Clock>,
    permission: Mutex<Option<(Permission, Duration)>>,
}

/// What the origin says.
#[derive(Debug)]
pub(super) enum Said {
    /// The object, with the headers that viewers get of it.
    Object(HeaderMap, Box<Object>),
    /// The object that is known already.
    Unchanged,
    /// The part lies outside of the object.
    OutOfRange,
    /// It may not be read, or there is nothing and that may not be known.
    Denied,
    /// There is nothing.
    Missing,
}

impl Said {
    /// Status, code and message of S3 where there is nothing to give.
    pub(super) fn words(&self) -> Option<(StatusCode, &'static str, &'static str)> {
        match self {
            Self::Denied => Some((StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")),
            Self::Missing => Some((StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")),
            _ => None,
        }
    }
}

impl Origin {
    /// The bucket as the distribution with the ARN `distribution` sees it.
    pub(super) fn new(s3: S3, bucket: String, distribution: String, clock: Arc<dyn Clock>) -> Self {
        Self { s3, bucket, distribution, clock, permission: Mutex::default() }
    }

    /// Reads the object of a path.
    pub(super) async fn read(&self, path: &str, want: Want<'_>) -> Result<Said, AwsError> {
        let permission = self.permission().await?;
        // S3 takes the path without its first slash, decoded, for the key. No key is empty: `/` asks for the list.
        let key = decoded(path.strip_prefix('/').unwrap_or(path)).filter(|key| !key.is_empty());
        let (true, Some(key)) = (permission.read, key) else { return Ok(Said::Denied) };
        Ok(match self.s3.read(&self.bucket, &key, want).await? {
            Read::Found(object) => Said::Object(headers(&object), object),
            Read::Unchanged => Said::Unchanged,
            Read::OutOfRange => Said::OutOfRange,
            Read::Missing if permission.list => Said::Missing,
            Read::Missing => Said::Denied,
        })
    }

    async fn permission(&self) -> Result<Permission, AwsError> {
        let now = self.clock.elapsed();
        let known = *self.permission.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((permission, read)) = known
            && now.saturating_sub(read) < FRESH
        {
            return Ok(permission);
        }
        let policy = self.s3.policy(&self.bucket).await?.unwrap_or_default();
        let permission = Permission::of(&policy, &self.bucket, &self.distribution);
        *self.permission.lock().unwrap_or_else(PoisonError::into_inner) = Some((permission, now));
        Ok(permission)
    }
}

/// Percent-decoded; `None` where what comes out is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match (first, tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit)).and_then(hex)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn headers(object: &Object) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: Option<&str>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    set(ETAG, object.etag.as_deref());
    set(CONTENT_TYPE, Some(object.content_type.as_deref().unwrap_or("application/octet-stream")));
    set(CONTENT_ENCODING, object.content_encoding.as_deref().filter(|coding| !coding.is_empty()));
    set(CACHE_CONTROL, object.cache_control.as_deref());
    set(EXPIRES, object.expires.as_deref());
    set(CONTENT_LANGUAGE, object.content_language.as_deref());
    set(CONTENT_DISPOSITION, object.content_disposition.as_deref());
    set(LAST_MODIFIED, object.modified.and_then(dates::text).as_deref());
    set(CONTENT_RANGE, object.part.as_deref());
    set(CONTENT_LENGTH, Some(&object.length.to_string()));
    set(ACCEPT_RANGES, Some("bytes"));
    set(SERVER, Some("AmazonS3"));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_once() {
        assert_eq!(decoded("a%20b/%C3%BC+%2541").as_deref(), Some("a b/ü+%41"));
        assert_eq!(decoded("100%").as_deref(), Some("100%"));
        assert_eq!(decoded("%+1").as_deref(), Some("%+1"));
        assert_eq!(decoded("%ff"), None);
    }
}
