//! AWS Signature Version 4, for the one kind of request that the signer makes: a `POST` of JSON to the root
//! of a service, whole in memory.
//! Source: IAM/latest/UserGuide/reference_sigv-create-signed-request.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign};

use crate::clock::iso;
use crate::settings::Credentials;

/// A request to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Short name of the service, such as `ssm`.
    pub service: &'a str,
    /// Region of the endpoint.
    pub region: &'a str,
    /// Value of `Host`.
    pub host: &'a str,
    /// Value of `X-Amz-Target`.
    pub target: &'a str,
    /// Value of `Content-Type`.
    pub content_type: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// The headers that a signature adds.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    /// Value of `Authorization`.
    pub authorization: String,
    /// Value of `X-Amz-Date`.
    pub date: String,
}

/// Signs `post` at `epoch`, in seconds.
#[must_use]
pub fn signature(post: &Post<'_>, credentials: &Credentials, epoch: u64) -> Signature {
    let Post { service, region, host, target, content_type, body } = post;
    // ISO 8601 in its basic form.
    let date: String = iso(epoch).chars().filter(char::is_ascii_alphanumeric).collect();
    let day = date.split('T').next().unwrap_or_default();
    let (token, token_name) = match &credentials.session {
        Some(session) => (format!("x-amz-security-token:{session}\n"), "x-amz-security-token;"),
        None => (String::new(), ""),
    };
    // Sorted by name, as the canonical request has them.
    let signed = format!("content-type;host;x-amz-date;{token_name}x-amz-target");
    let canonical = format!(
        "POST\n/\n\ncontent-type:{content_type}\nhost:{host}\nx-amz-date:{date}\n{token}x-amz-target:{target}\n\n\
         {signed}\n{}",
        sha256(body)
    );
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = hmac(format!("AWS4{}", credentials.secret).as_bytes(), day);
    for part in [region, service, "aws4_request"] {
        key = hmac(key.as_ref(), part);
    }
    let signature = hex(hmac(key.as_ref(), &text).as_ref());
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        credentials.id
    );
    Signature { authorization, date }
}

fn hmac(key: &[u8], text: &str) -> Tag {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
