//! Cookie names that CloudFront reads. They are fixed by the service.
//! Source: AmazonCloudFront/latest/DeveloperGuide/private-content-signed-cookies.

/// The policy document in CloudFront's base64.
pub const POLICY: &str = "CloudFront-Policy";
/// The signature of the policy document in CloudFront's base64.
pub const SIGNATURE: &str = "CloudFront-Signature";
/// The id of the public key that checks the signature.
pub const KEY_PAIR_ID: &str = "CloudFront-Key-Pair-Id";
/// The hash that was signed. CloudFront takes SHA-1 where the cookie is absent.
pub const HASH_ALGORITHM: &str = "CloudFront-Hash-Algorithm";

/// All of them: what signing out expires.
pub const ALL: [&str; 4] = [POLICY, SIGNATURE, KEY_PAIR_ID, HASH_ALGORITHM];
