//! What the rest of the way calls stacks, artifacts and what is known of them.

use std::fmt;

/// Which of a tenant's stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StackId {
    /// Bucket, user pool and identity pool, in the tenant's home region.
    Regional,
    /// Keyring, signer and distribution, in us-east-1.
    Edge,
}

impl StackId {
    /// The word that file names and messages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regional => "regional",
            Self::Edge => "edge",
        }
    }

    /// The stack that [`StackId::as_str`] calls so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Regional, Self::Edge].into_iter().find(|id| id.as_str() == word)
    }
}

/// The runtimes that all tenants share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Artifact {
    /// Lambda@Edge function that issues cookies.
    Signer,
    /// Lambda function that owns the signing keys.
    Rotator,
}

impl Artifact {
    /// All artifacts, in the order in which they are built and listed.
    pub const ALL: [Self; 2] = [Self::Signer, Self::Rotator];

    /// The word that file names, keys and messages use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signer => "signer",
            Self::Rotator => "rotator",
        }
    }
}

/// What a template needs of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactFact {
    /// Bucket that holds it.
    Bucket,
    /// Key within the bucket; it contains the SHA-256, so other bytes have another key.
    Key,
    /// SHA-256 of the zip in base64, as Lambda reports it in `CodeSha256`.
    CodeSha256,
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ArtifactFact {
    /// The word that parameter names are built from.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "bucket",
            Self::Key => "key",
            Self::CodeSha256 => "code_sha256",
        }
    }
}
