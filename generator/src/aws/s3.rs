//! Buckets: the one with the runtime artifacts, a tenant's page, and emptying a tenant's.

mod conditional;
#[cfg(test)]
pub(crate) mod fake;
mod files;
mod read;
mod stored;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, ChecksumMode, CreateBucketConfiguration, Delete,
    ObjectIdentifier, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule, VersioningConfiguration,
};
use aws_smithy_types::error::operation::BuildError;

use super::{AwsError, AwsErrorKind, Boxed};

pub use conditional::{Condition, Conditional, Tagged};
pub use files::{Files, Listed, NewFile};
pub use read::{Object, Origin, Read, Want};
pub use stored::StoredVersion;

/// Whose bucket it must be: a call to a bucket of another account fails instead of telling it anything.
pub type Owner<'a> = Option<&'a str>;

/// What S3 says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in base64, where it was given at upload and the peer keeps it.
    pub sha256: Option<String>,
}

/// How a conditional upload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// The object is new.
    Written,
    /// An object with this key was there, and stays as it was.
    AlreadyThere,
}

/// One version of an object, or the marker of its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Key.
    pub key: String,
    /// Version id; `null` where the bucket had no versioning.
    pub version: String,
}

/// What deploying and destroying need of S3.
pub trait ObjectStore: Send + Sync {
    /// Whether the bucket exists and `owner` owns it.
    fn bucket_exists<'a>(&'a self, bucket: &'a str, owner: Owner<'a>) -> Boxed<'a, Result<bool, AwsError>>;
    /// Creates an empty bucket.
    fn create_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>>;
    /// Closes a bucket: no public access, no access lists, encrypted, versioned, and `policy`. Repeatable.
    fn secure_bucket<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        policy: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>>;
    /// What is known of an object, or `None` where there is none.
    fn head<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        key: &'a str,
    ) -> Boxed<'a, Result<Option<ObjectHead>, AwsError>>;
    /// Writes an object unless the key is taken. S3 checks the bytes against `sha256` (base64).
    fn put_new<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        key: &'a str,
        bytes: Vec<u8>,
        sha256: &'a str,
    ) -> Boxed<'a, Result<Upload, AwsError>>;
    /// The bytes of an object.
    fn get<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        key: &'a str,
    ) -> Boxed<'a, Result<Vec<u8>, AwsError>>;
    /// Up to a thousand versions and deletion markers of whatever is first in the bucket. None are left
    /// where the answer is empty, so that emptying is: list, delete, until empty.
    fn some_versions<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<Vec<ObjectVersion>, AwsError>>;
    /// Deletes versions for good, at most a thousand.
    fn delete_versions<'a>(
        &'a self,
        bucket: &'a str,
        versions: Vec<ObjectVersion>,
    ) -> Boxed<'a, Result<(), AwsError>>;
    /// Deletes an empty bucket.
    fn delete_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>>;
}

/// S3 of one region.
#[derive(Debug, Clone)]
pub struct S3 {
    client: aws_sdk_s3::Client,
    region: String,
}

/// Longest wait for one upload or download. Artifacts have some megabytes, lines may be slow.
const TRANSFER: Duration = Duration::from_secs(600);

impl S3 {
    pub(super) fn new(config: &SdkConfig, region: &str) -> Self {
        let connect = config.timeout_config().and_then(TimeoutConfig::connect_timeout);
        let mut timeouts = TimeoutConfig::builder();
        timeouts
            .set_connect_timeout(connect)
            .set_operation_attempt_timeout(Some(TRANSFER))
            .set_operation_timeout(Some(TRANSFER));
        let config = aws_sdk_s3::config::Builder::from(config)
            // Emulators are reached by an address that has no host name per bucket.
            .force_path_style(config.endpoint_url().is_some())
            .timeout_config(timeouts.build())
            .build();
        Self { client: aws_sdk_s3::Client::from_conf(config), region: region.to_owned() }
    }
}

impl ObjectStore for S3 {
    fn bucket_exists<'a>(&'a self, bucket: &'a str, owner: Owner<'a>) -> Boxed<'a, Result<bool, AwsError>> {
        Box::pin(async move {
            let call = self.client.head_bucket().bucket(bucket).set_expected_bucket_owner(text(owner));
            match call.send().await.map_err(|error| AwsError::of(SERVICE, "HeadBucket", &error)) {
                Ok(_) => Ok(true),
                Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    fn create_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let mut call = self.client.create_bucket().bucket(bucket);
            // us-east-1 is the one region that must not be named.
            if self.region != "us-east-1" {
                let place = BucketLocationConstraint::from(self.region.as_str());
                let place = CreateBucketConfiguration::builder().location_constraint(place).build();
                call = call.create_bucket_configuration(place);
            }
            call.send().await.map_err(|error| AwsError::of(SERVICE, "CreateBucket", &error))?;
            Ok(())
        })
    }

    fn secure_bucket<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        policy: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(self.secure(bucket, owner, policy))
    }

    fn head<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        key: &'a str,
    ) -> Boxed<'a, Result<Option<ObjectHead>, AwsError>> {
        Box::pin(async move {
            let call = self.client.head_object().bucket(bucket).key(key).checksum_mode(ChecksumMode::Enabled);
            let call = call.set_expected_bucket_owner(text(owner));
            let answer = match call.send().await.map_err(|error| AwsError::of(SERVICE, "HeadObject", &error))
            {
                Ok(answer) => answer,
                Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let size = answer.content_length().unwrap_or_default();
            let size = u64::try_from(size)
                .map_err(|_| AwsError::incomplete(SERVICE, "HeadObject", "Content-Length"))?;
            Ok(Some(ObjectHead { size, sha256: answer.checksum_sha256().map(str::to_owned) }))
        })
    }

    fn put_new<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        key: &'a str,
        bytes: Vec<u8>,
        sha256: &'a str,
    ) -> Boxed<'a, Result<Upload, AwsError>> {
        Box::pin(async move {
            let call = self.client.put_object().bucket(bucket).key(key).body(ByteStream::from(bytes));
            let call = call.set_expected_bucket_owner(text(owner)).if_none_match("*").checksum_sha256(sha256);
            match call.send().await.map_err(|error| AwsError::of(SERVICE, "PutObject", &error)) {
                Ok(_) => Ok(Upload::Written),
                Err(error) if is_unmet(&error) => Ok(Upload::AlreadyThere),
                Err(error) => Err(error),
            }
        })
    }

    fn get<'a>(
        &'a self,
        bucket: &'a str,
        owner: Owner<'a>,
        key: &'a str,
    ) -> Boxed<'a, Result<Vec<u8>, AwsError>> {
        Box::pin(async move {
            let call = self.client.get_object().bucket(bucket).key(key);
            let call = call.set_expected_bucket_owner(text(owner));
            let answer = call.send().await.map_err(|error| AwsError::of(SERVICE, "GetObject", &error))?;
            bytes_of(answer.body).await
        })
    }

    fn some_versions<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<Vec<ObjectVersion>, AwsError>> {
        Box::pin(async move {
            let call = self.client.list_object_versions().bucket(bucket);
            let page =
                call.send().await.map_err(|error| AwsError::of(SERVICE, "ListObjectVersions", &error))?;
            let versions = page.versions().iter().map(|found| (found.key(), found.version_id()));
            let markers = page.delete_markers().iter().map(|found| (found.key(), found.version_id()));
            let found = versions.chain(markers).filter_map(|(key, version)| {
                Some(ObjectVersion { key: key?.into(), version: version.unwrap_or("null").into() })
            });
            Ok(found.collect())
        })
    }

    fn delete_versions<'a>(
        &'a self,
        bucket: &'a str,
        versions: Vec<ObjectVersion>,
    ) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let objects = versions
                .into_iter()
                .map(|found| ObjectIdentifier::builder().key(found.key).version_id(found.version).build())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| request("DeleteObjects", &error))?;
            let delete = Delete::builder()
                .set_objects(Some(objects))
                .quiet(true)
                .build()
                .map_err(|error| request("DeleteObjects", &error))?;
            let call = self.client.delete_objects().bucket(bucket).delete(delete);
            let answer = call.send().await.map_err(|error| AwsError::of(SERVICE, "DeleteObjects", &error))?;
            // The call succeeds also where single objects were refused.
            match answer.errors().first() {
                None => Ok(()),
                Some(refused) => Err(AwsError {
                    service: SERVICE,
                    operation: "DeleteObjects",
                    code: refused.code().unwrap_or("refused").to_owned(),
                    message: format!(
                        "`{}`: {}",
                        refused.key().unwrap_or_default(),
                        refused.message().unwrap_or("no reason given")
                    ),
                    kind: AwsErrorKind::AccessDenied,
                }),
            }
        })
    }

    fn delete_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let call = self.client.delete_bucket().bucket(bucket);
            call.send().await.map_err(|error| AwsError::of(SERVICE, "DeleteBucket", &error))?;
            Ok(())
        })
    }
}

impl S3 {
    async fn secure(&self, bucket: &str, owner: Owner<'_>, policy: &str) -> Result<(), AwsError> {
        let closed = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        let call = self.client.put_public_access_block().bucket(bucket);
        let call = call.public_access_block_configuration(closed).set_expected_bucket_owner(text(owner));
        call.send().await.map_err(|error| AwsError::of(SERVICE, "PutPublicAccessBlock", &error))?;

        let rule = OwnershipControlsRule::builder()
            .object_ownership(aws_sdk_s3::types::ObjectOwnership::BucketOwnerEnforced)
            .build()
            .map_err(|error| request("PutBucketOwnershipControls", &error))?;
        let controls = OwnershipControls::builder()
            .rules(rule)
            .build()
            .map_err(|error| request("PutBucketOwnershipControls", &error))?;
        let call = self.client.put_bucket_ownership_controls().bucket(bucket);
        let call = call.ownership_controls(controls).set_expected_bucket_owner(text(owner));
        call.send().await.map_err(|error| AwsError::of(SERVICE, "PutBucketOwnershipControls", &error))?;

        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::Aes256)
            .build()
            .map_err(|error| request("PutBucketEncryption", &error))?;
        let rule =
            ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
        let encryption = ServerSideEncryptionConfiguration::builder()
            .rules(rule)
            .build()
            .map_err(|error| request("PutBucketEncryption", &error))?;
        let call = self.client.put_bucket_encryption().bucket(bucket);
        let call =
            call.server_side_encryption_configuration(encryption).set_expected_bucket_owner(text(owner));
        call.send().await.map_err(|error| AwsError::of(SERVICE, "PutBucketEncryption", &error))?;

        let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let call = self.client.put_bucket_versioning().bucket(bucket);
        let call = call.versioning_configuration(versioning).set_expected_bucket_owner(text(owner));
        call.send().await.map_err(|error| AwsError::of(SERVICE, "PutBucketVersioning", &error))?;

        let call = self.client.put_bucket_policy().bucket(bucket).policy(policy);
        let call = call.set_expected_bucket_owner(text(owner));
        call.send().await.map_err(|error| AwsError::of(SERVICE, "PutBucketPolicy", &error))?;
        Ok(())
    }
}

const SERVICE: &str = "s3";

fn text(owner: Owner<'_>) -> Option<String> {
    owner.map(str::to_owned)
}

/// Whether a write was refused because its condition did not hold.
fn is_unmet(error: &AwsError) -> bool {
    error.code == "PreconditionFailed" || error.code == "http 412"
}

/// All of an object that `GetObject` has begun to send.
async fn bytes_of(body: ByteStream) -> Result<Vec<u8>, AwsError> {
    let bytes = body.collect().await.map_err(|error| AwsError {
        service: SERVICE,
        operation: "GetObject",
        code: "network".into(),
        message: error.to_string(),
        kind: AwsErrorKind::Network,
    })?;
    Ok(bytes.to_vec())
}

fn request(operation: &'static str, error: &BuildError) -> AwsError {
    AwsError {
        service: SERVICE,
        operation,
        code: "request".into(),
        message: error.to_string(),
        kind: AwsErrorKind::Validation,
    }
}
