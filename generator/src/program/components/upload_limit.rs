//! Objects over the size limit are deleted as soon as the bucket reports them.
//!
//! No policy of AWS bounds the size of a `PutObject`: `s3:content-length-range` is a condition of POST forms
//! only. So the limit is kept after the fact, without code of ours: an event rule with a numeric filter and a
//! state machine of one step.

use serde::Serialize;

use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::Versioning;

/// Bytes of a megabyte as the setting counts it.
const MEGABYTE: u64 = 1_000_000;

/// Event rule, state machine and their roles.
#[derive(Debug)]
pub(super) struct UploadLimit<'a> {
    name: &'a str,
    bytes: Setting<u64>,
    /// Then the version is deleted itself, and leaves nothing behind that is paid for.
    versioned: Setting<bool>,
}

#[derive(Debug, Serialize)]
struct Arguments<'a> {
    name: &'a str,
    bytes: &'a Setting<u64>,
    versioned: &'a Setting<bool>,
    bucket: Output<kind::BucketName>,
    bucket_arn: Output<kind::BucketArn>,
}

impl<'a> UploadLimit<'a> {
    /// The limit of a tenant that sets one.
    pub(super) fn new(tenant: &'a Tenant) -> Option<Self> {
        let limit = &tenant.settings.uploads.limit_megabytes;
        let megabytes = limit.as_ref().map(|limit| u64::from(limit.get()))?;
        Some(Self {
            name: tenant.names.prefix(),
            bytes: limit.derive(|_| megabytes * MEGABYTE),
            versioned: tenant.settings.bucket.versioning.derive(|versioning| *versioning == Versioning::On),
        })
    }

    pub(super) fn add_to(&self, stack: &mut Stack, bucket: &str) -> Result<(), ProgramError> {
        let arguments = Arguments {
            name: self.name,
            bytes: &self.bytes,
            versioned: &self.versioned,
            bucket: Output::reference(stack.id, bucket),
            bucket_arn: Output::attribute(stack.id, bucket, "Arn"),
        };
        stack.add("upload_limit", &arguments)
    }
}
