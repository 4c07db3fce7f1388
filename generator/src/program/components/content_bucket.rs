//! The bucket with the media, and who may read it.

use serde::Serialize;

use super::distribution::DistributionOutputs;
use super::given::{Given, brought};
use super::upload_limit::UploadLimit;
use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::{Bucket, Cors, UploadMode, Versioning};

const BUCKET: &str = "ContentBucket";

/// Private, encrypted bucket: a new one, or one that exists.
#[derive(Debug, Serialize)]
pub struct ContentBucket<'a> {
    name: String,
    region: String,
    cors: &'a Cors,
    methods: Setting<Vec<&'static str>>,
    bucket: &'a Bucket,
    versioning: Setting<&'static str>,
    #[serde(skip)]
    limit: Option<UploadLimit<'a>>,
    limited: bool,
}

/// What others need of the bucket.
#[derive(Debug)]
pub struct ContentBucketOutputs {
    /// Name.
    pub name: Given<kind::BucketName>,
    /// ARN.
    pub arn: Given<kind::BucketArn>,
    /// Host name for an origin.
    pub domain_name: Given<kind::BucketDomainName>,
}

impl<'a> ContentBucket<'a> {
    /// The bucket of a tenant.
    #[must_use]
    pub fn new(tenant: &'a Tenant) -> Self {
        let settings = &tenant.settings;
        let limit = UploadLimit::new(tenant);
        Self {
            name: format!("{}-content", tenant.names.prefix()),
            region: settings.region.to_string(),
            cors: &settings.cors,
            methods: match settings.cors.methods.as_ref() {
                Some(methods) => {
                    settings.cors.methods.derive(|_| methods.iter().map(|method| method.as_str()).collect())
                }
                None => settings.uploads.mode.derive(|mode| match mode {
                    UploadMode::Off => vec!["HEAD", "GET"],
                    UploadMode::OwnFolder | UploadMode::Shared => {
                        vec!["HEAD", "GET", "PUT", "POST", "DELETE"]
                    }
                }),
            },
            bucket: &settings.bucket,
            versioning: settings.bucket.versioning.derive(|versioning| match versioning {
                Versioning::On => "Enabled",
                Versioning::Suspended => "Suspended",
            }),
            limited: limit.is_some(),
            limit,
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<ContentBucketOutputs, ProgramError> {
        let existing = &self.bucket.existing_name;
        let region = &self.region;
        let named = (
            brought(existing, |name| name),
            brought(existing, |name| format!("arn:aws:s3:::{name}")),
            brought(existing, |name| format!("{name}.s3.{region}.amazonaws.com")),
        );
        if let (Some(name), Some(arn), Some(domain_name)) = named {
            let outputs = ContentBucketOutputs {
                name: Given::Brought(name),
                arn: Given::Brought(arn),
                domain_name: Given::Brought(domain_name),
            };
            stack.add("existing_bucket", &ExistingBucket { name: &outputs.name })?;
            return Ok(outputs);
        }
        stack.add("content_bucket", self)?;
        if let Some(limit) = &self.limit {
            limit.add_to(stack, BUCKET)?;
        }
        Ok(ContentBucketOutputs {
            name: Given::Made(Output::reference(stack.id, BUCKET)),
            arn: Given::Made(Output::attribute(stack.id, BUCKET, "Arn")),
            domain_name: Given::Made(Output::attribute(stack.id, BUCKET, "RegionalDomainName")),
        })
    }
}

#[derive(Debug, Serialize)]
struct ExistingBucket<'a> {
    name: &'a Given<kind::BucketName>,
}

#[derive(Debug, Serialize)]
struct ContentBucketPolicy<'a> {
    bucket: &'a Given<kind::BucketName>,
    bucket_arn: &'a Given<kind::BucketArn>,
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
