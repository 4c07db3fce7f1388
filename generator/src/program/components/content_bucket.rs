//! The bucket with the media, and who may read it.

use serde::Serialize;

use super::distribution::DistributionOutputs;
use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::UploadMode;
use crate::tenant::values::{Days, Seconds, WebOrigin};

const BUCKET: &str = "ContentBucket";

/// Private, versioned, encrypted bucket.
#[derive(Debug, Serialize)]
pub struct ContentBucket<'a> {
    name: String,
    origins: &'a Setting<Vec<WebOrigin>>,
    max_age_seconds: &'a Setting<Seconds<0, 86_400>>,
    methods: Setting<Vec<&'static str>>,
    noncurrent_days: &'a Setting<Days<1, 3650>>,
}

/// What others need of the bucket.
#[derive(Debug)]
pub struct ContentBucketOutputs {
    /// Name.
    pub name: Output<kind::BucketName>,
    /// ARN.
    pub arn: Output<kind::BucketArn>,
    /// Host name for an origin.
    pub domain_name: Output<kind::BucketDomainName>,
}

impl<'a> ContentBucket<'a> {
    /// The bucket of a tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant) -> Self {
        let settings = &tenant.settings;
        Self {
            name: format!("{}-content", tenant.names.prefix()),
            origins: &settings.cors.origins,
            max_age_seconds: &settings.cors.max_age_seconds,
            methods: settings.uploads.mode.derive(|mode| match mode {
                UploadMode::Off => vec!["HEAD", "GET"],
                UploadMode::OwnFolder | UploadMode::Shared => vec!["HEAD", "GET", "PUT", "POST", "DELETE"],
            }),
            noncurrent_days: &settings.bucket.noncurrent_days,
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<ContentBucketOutputs, ProgramError> {
        stack.add("content_bucket", self)?;
        Ok(ContentBucketOutputs {
            name: Output::reference(stack.id, BUCKET),
            arn: Output::attribute(stack.id, BUCKET, "Arn"),
            domain_name: Output::attribute(stack.id, BUCKET, "RegionalDomainName"),
        })
    }
}

#[derive(Debug, Serialize)]
struct ContentBucketPolicy<'a> {
    bucket: &'a Output<kind::BucketName>,
    bucket_arn: &'a Output<kind::BucketArn>,
    distribution: Output<kind::DistributionId>,
}

impl ContentBucketOutputs {
    /// Lets exactly this distribution read the bucket, and nothing without TLS do anything.
    ///
    /// Closes the circle between bucket and distribution: on the very first pass, when there is no
    /// distribution yet, the policy lets nobody read.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn allow_read(&self, cdn: &DistributionOutputs, stack: &mut Stack) -> Result<(), ProgramError> {
        stack.add(
            "content_bucket_policy",
            &ContentBucketPolicy { bucket: &self.name, bucket_arn: &self.arn, distribution: cdn.id.later() },
        )
    }
}
