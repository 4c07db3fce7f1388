//! Every way through deploying and destroying, by replay: no server, no waiting.

mod artifacts;
mod destroy;
mod recovery;
mod stack;
mod tenant;

use base64::Engine;
use sha2::Digest;

/// SHA-256 in base64, as S3 gives it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(bytes))
}
