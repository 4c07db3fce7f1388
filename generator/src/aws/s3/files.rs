//! Files for readers: what lies below a prefix, written with what browsers are told of it.

use aws_sdk_s3::primitives::ByteStream;

use super::{S3, SERVICE, bytes_of};
use crate::aws::{AwsError, AwsErrorKind, Boxed};

/// An object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Key.
    pub key: String,
    /// Tag that changes with every write of other bytes.
    pub tag: String,
}

/// A file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFile<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Media type.
    pub media_type: &'a str,
    /// How long it may be kept, as a `Cache-Control` header.
    pub cache_control: &'a str,
}

/// What keeping a page in a bucket needs of S3.
pub trait Files: Send + Sync {
    /// Every object whose key begins with `prefix`, all pages; nothing where there is no bucket.
    fn below<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> Boxed<'a, Result<Vec<Listed>, AwsError>>;
    /// The bytes of an object, or `None` where there is none.
    fn read_file<'a>(&'a self, bucket: &'a str, key: &'a str)
    -> Boxed<'a, Result<Option<Vec<u8>>, AwsError>>;
    /// Writes an object, and answers with its new tag.
    fn write_file<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        file: NewFile<'a>,
    ) -> Boxed<'a, Result<String, AwsError>>;
    /// Deletes an object. One that is gone is no failure.
    fn delete_file<'a>(&'a self, bucket: &'a str, key: &'a str) -> Boxed<'a, Result<(), AwsError>>;
}

impl Files for S3 {
    fn below<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> Boxed<'a, Result<Vec<Listed>, AwsError>> {
        Box::pin(async move {
            let mut all = Vec::new();
            let mut pages =
                self.client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = match page.map_err(|error| AwsError::of(SERVICE, "ListObjectsV2", &error)) {
                    Ok(page) => page,
                    Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(all),
                    Err(error) => return Err(error),
                };
                let listed = page.contents().iter().filter_map(|object| {
                    let tag = object.e_tag().unwrap_or_default().to_owned();
                    Some(Listed { key: object.key()?.to_owned(), tag })
                });
                all.extend(listed);
            }
            Ok(all)
        })
    }

    fn read_file<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
    ) -> Boxed<'a, Result<Option<Vec<u8>>, AwsError>> {
        Box::pin(async move {
            let answer = self.client.get_object().bucket(bucket).key(key).send().await;
            match answer.map_err(|error| AwsError::of(SERVICE, "GetObject", &error)) {
                Ok(answer) => bytes_of(answer.body).await.map(Some),
                Err(error) if error.kind == AwsErrorKind::NotFound || error.code == "NoSuchKey" => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn write_file<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        file: NewFile<'a>,
    ) -> Boxed<'a, Result<String, AwsError>> {
        Box::pin(async move {
            let call = self.client.put_object().bucket(bucket).key(key);
            let call = call.content_type(file.media_type).cache_control(file.cache_control);
            let answer = call.body(ByteStream::from(file.bytes.to_vec())).send().await;
            let answer = answer.map_err(|error| AwsError::of(SERVICE, "PutObject", &error))?;
            let tag = answer.e_tag().ok_or_else(|| AwsError::incomplete(SERVICE, "PutObject", "ETag"))?;
            Ok(tag.to_owned())
        })
    }

    fn delete_file<'a>(&'a self, bucket: &'a str, key: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let answer = self.client.delete_object().bucket(bucket).key(key).send().await;
            match answer.map_err(|error| AwsError::of(SERVICE, "DeleteObject", &error)) {
                Err(error) if error.kind != AwsErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
    }
}
