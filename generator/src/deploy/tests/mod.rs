//! Every way through deploying and destroying, by replay: no server, no waiting.

mod artifacts;
mod destroy;
mod recovery;
mod stack;
mod tenant;

use base64::Engine;
use sha2::Digest;

use crate::aws::{AwsError, AwsErrorKind};

/// SHA-256 in base64, as S3 gives it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(bytes))
}

/// A call that was refused.
pub(super) fn refused(operation: &'static str) -> AwsError {
    AwsError {
        service: "s3",
        operation,
        code: "AccessDenied".into(),
        message: "Access Denied".into(),
        kind: AwsErrorKind::AccessDenied,
    }
}
