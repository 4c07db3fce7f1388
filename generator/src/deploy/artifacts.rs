//! The one bucket with the runtime artifacts of all tenants. What lies there is named by its digest,
//! written once, and checked after writing.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Check, Context, TemplateStore, Verdict};
use crate::aws::s3::{ObjectHead, ObjectStore, Upload};
use crate::aws::{AwsError, AwsErrorKind, Boxed, Peers};
use crate::report::Event;

/// Region of the bucket: edge functions must come from here.
pub const REGION: &str = contract::EDGE_REGION;

/// The artifacts bucket of one organisation in one account.
#[derive(Clone)]
pub struct ArtifactBucket {
    name: String,
    account: String,
    store: Arc<dyn ObjectStore>,
    /// Endpoint of a peer that is not AWS, for URLs that CloudFormation reads.
    endpoint: Option<String>,
}

/// Whether the bucket may be made where it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Somebody has agreed, or `--yes` was given.
    Granted,
    /// Nobody was asked yet.
    NotAsked,
}

/// A zip that is to lie in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactFile {
    /// The zip on this computer.
    pub path: PathBuf,
    /// Its key, which contains its digest.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in base64.
    pub sha256: String,
}

/// An artifact that is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The bucket does not exist and nobody has agreed to make it.
    #[error("the artifacts bucket `{bucket}` does not exist in account `{account}`")]
    NoBucket {
        /// Bucket.
        bucket: String,
        /// Account.
        account: String,
    },
    /// A call failed.
    #[error("{doing}")]
    Aws {
        /// What was being done.
        doing: String,
        /// The call's failure.
        #[source]
        source: AwsError,
    },
    /// The zip cannot be read.
    #[error("the artifact `{}` cannot be read", .path.display())]
    Unreadable {
        /// File.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The zip has changed since it was packed.
    #[error("the artifact `{}` has changed since it was packed", .path.display())]
    Changed {
        /// File.
        path: PathBuf,
    },
    /// What lies in the bucket under the key is something else.
    #[error("`{key}` in bucket `{bucket}` is not the artifact: {difference}")]
    Corrupt {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
        /// In what it differs.
        difference: String,
    },
    /// The work was stopped.
    #[error("the work was cancelled")]
    Cancelled,
}

impl ArtifactError {
    /// What to do next, where this error knows better than its text.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NoBucket { .. } => Some("run again with `--yes` to create it".into()),
            Self::Changed { .. } => Some("run `generator package` again".into()),
            Self::Corrupt { bucket, key, .. } => {
                Some(format!("delete `s3://{bucket}/{key}` after looking at who wrote it, then run again"))
            }
            _ => None,
        }
    }
}

impl ArtifactBucket {
    /// The bucket `{organisation}-artifacts-{account}`. `endpoint`: where the peer is, if it is not AWS.
    #[must_use]
    pub fn new(peers: &dyn Peers, organisation: &str, account: &str, endpoint: Option<String>) -> Self {
        Self {
            name: format!("{organisation}-artifacts-{account}"),
            account: account.to_owned(),
            store: peers.objects(REGION),
            endpoint,
        }
    }

    /// Name of the bucket.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes sure that every artifact is in the bucket, and that it is what it should be. One call each
    /// where they are; the zips are read only where they are not.
    ///
    /// # Errors
    /// Where the bucket is missing without consent, or an artifact is not in place in the end.
    pub async fn place(
        &self,
        context: &Context,
        files: &[ArtifactFile],
        consent: Consent,
    ) -> Result<(), ArtifactError> {
        let mut heads = tokio::task::JoinSet::new();
        for (place, file) in files.iter().enumerate() {
            let (bucket, key) = (self.clone(), file.key.clone());
            heads.spawn(async move {
                (place, bucket.store.head(&bucket.name, Some(&bucket.account), &key).await)
            });
        }
        let mut missing = Vec::new();
        while let Some(joined) = heads.join_next().await {
            let (place, head) = joined.map_err(|_| ArtifactError::Cancelled)?;
            let file = &files[place];
            match head.map_err(|source| self.error("looking for", &file.key, source))? {
                None => missing.push(place),
                Some(head) => {
                    self.compare(file, &head)?;
                    self.tell_present(context, file);
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        self.ensure(context, consent).await?;
        for place in missing {
            self.upload(context, &files[place]).await?;
        }
        Ok(())
    }

    /// Whether each artifact is there and intact. One that is missing is no hindrance: it is laid before the
    /// first write. Reads only.
    pub async fn checks(&self, files: &[ArtifactFile]) -> Vec<Check> {
        let mut all = Vec::new();
        for file in files {
            let head = self.store.head(&self.name, Some(&self.account), &file.key).await;
            let compared = match head {
                Ok(Some(head)) => self.compare(file, &head).map(|()| Verdict::Passed),
                Ok(None) => {
                    Ok(Verdict::NotHad { reason: "it is not there yet, and is put there first".into() })
                }
                Err(source) => Ok(Verdict::NotHad { reason: source.to_string() }),
            };
            let verdict = compared.unwrap_or_else(|error| Verdict::Failed {
                reason: error.to_string(),
                help: error.help().unwrap_or_default(),
            });
            let subject = format!("s3://{}/{}", self.name, file.key);
            all.push(Check { check: "artifact", subject, verdict });
        }
        all
    }

    /// Makes sure that the bucket exists. One that exists is left as it is.
    ///
    /// # Errors
    /// Where it is missing without consent, belongs to somebody else, or cannot be made.
    pub async fn ensure(&self, context: &Context, consent: Consent) -> Result<(), ArtifactError> {
        let owner = Some(self.account.as_str());
        let exists = self.store.bucket_exists(&self.name, owner).await;
        if exists.map_err(|source| self.error("looking for", "", source))? {
            return Ok(());
        }
        if consent == Consent::NotAsked {
            return Err(ArtifactError::NoBucket { bucket: self.name.clone(), account: self.account.clone() });
        }
        match self.store.create_bucket(&self.name).await {
            Ok(()) => {}
            // Somebody else's run was quicker; whose it is shows below, where the owner is given.
            Err(error) if error.kind == AwsErrorKind::AlreadyExists => {}
            Err(source) => return Err(self.error("creating", "", source)),
        }
        let secured = self.store.secure_bucket(&self.name, owner, &self.policy()).await;
        secured.map_err(|source| self.error("securing", "", source))?;
        context.emit(&Event::BucketCreated { bucket: self.name.clone() });
        Ok(())
    }

    /// TLS only.
    fn policy(&self) -> String {
        let arn = format!("arn:aws:s3:::{}", self.name);
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, format!("{arn}/*")],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }],
        })
        .to_string()
    }

    async fn upload(&self, context: &Context, file: &ArtifactFile) -> Result<(), ArtifactError> {
        let bytes = tokio::fs::read(&file.path)
            .await
            .map_err(|source| ArtifactError::Unreadable { path: file.path.clone(), source })?;
        if digest(&bytes) != file.sha256 {
            return Err(ArtifactError::Changed { path: file.path.clone() });
        }
        let owner = Some(self.account.as_str());
        let put = self.store.put_new(&self.name, owner, &file.key, bytes, &file.sha256).await;
        let upload = put.map_err(|source| self.error("uploading", &file.key, source))?;
        let head = self.store.head(&self.name, owner, &file.key).await;
        let head = head.map_err(|source| self.error("checking", &file.key, source))?;
        let head = head.ok_or_else(|| self.corrupt(file, "it is not there after the upload".into()))?;
        self.compare(file, &head)?;
        if head.sha256.is_none() {
            let read = self.store.get(&self.name, owner, &file.key).await;
            let read = read.map_err(|source| self.error("checking", &file.key, source))?;
            let found = digest(&read);
            if found != file.sha256 {
                return Err(self.corrupt(file, format!("its digest is `{found}`, not `{}`", file.sha256)));
            }
        }
        match upload {
            Upload::AlreadyThere => self.tell_present(context, file),
            Upload::Written => context.emit(&Event::ArtifactUploaded {
                bucket: self.name.clone(),
                key: file.key.clone(),
                bytes: file.size,
            }),
        }
        Ok(())
    }

    fn compare(&self, file: &ArtifactFile, head: &ObjectHead) -> Result<(), ArtifactError> {
        if head.size != file.size {
            let difference = format!("it has {} bytes, not {}", head.size, file.size);
            return Err(self.corrupt(file, difference));
        }
        match &head.sha256 {
            Some(found) if *found != file.sha256 => {
                Err(self.corrupt(file, format!("its digest is `{found}`, not `{}`", file.sha256)))
            }
            _ => Ok(()),
        }
    }

    fn corrupt(&self, file: &ArtifactFile, difference: String) -> ArtifactError {
        ArtifactError::Corrupt { bucket: self.name.clone(), key: file.key.clone(), difference }
    }

    fn error(&self, doing: &str, key: &str, source: AwsError) -> ArtifactError {
        let doing = match key {
            "" => format!("{doing} the artifacts bucket `{}`", self.name),
            key => format!("{doing} `{key}` in bucket `{}`", self.name),
        };
        ArtifactError::Aws { doing, source }
    }

    fn tell_present(&self, context: &Context, file: &ArtifactFile) {
        let (bucket, key) = (self.name.clone(), file.key.clone());
        context.emit(&Event::ArtifactPresent { bucket, key });
    }
}

impl TemplateStore for ArtifactBucket {
    fn put<'a>(&'a self, _: &'a str, template: &'a str) -> Boxed<'a, Result<String, AwsError>> {
        Box::pin(async move {
            let bytes = template.as_bytes().to_vec();
            let key = format!("templates/{}.yaml", hex::encode(Sha256::digest(&bytes)));
            let sha256 = digest(&bytes);
            self.store.put_new(&self.name, Some(&self.account), &key, bytes, &sha256).await?;
            Ok(match &self.endpoint {
                Some(endpoint) => format!("{}/{}/{key}", endpoint.trim_end_matches('/'), self.name),
                None => format!("https://{}.s3.{REGION}.amazonaws.com/{key}", self.name),
            })
        })
    }
}

impl std::fmt::Debug for ArtifactBucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArtifactBucket").field("name", &self.name).finish_non_exhaustive()
    }
}

/// SHA-256 in base64.
fn digest(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}
