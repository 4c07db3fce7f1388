//! Issued cookies against the public keys that stand in the tenant's key group.

use signing::{CookieSet, Opened, PublicKey, TrustedKey, Viewing, open};

use super::target::{Target, VerifyError};
use crate::aws::cloudfront::CloudFront;

/// The keys that CloudFront trusts for the tenant.
pub(super) async fn trusted(
    cloudfront: &CloudFront,
    target: &Target,
) -> Result<Vec<TrustedKey>, VerifyError> {
    let group = cloudfront
        .key_group(&target.key_group)
        .await
        .map_err(VerifyError::aws(format!("reading key group {}", target.key_group)))?;
    let ids = group.map(|group| group.keys).unwrap_or_default();
    let mut trusted = Vec::with_capacity(ids.len());
    for id in ids {
        let key =
            cloudfront.public_key(&id).await.map_err(VerifyError::aws(format!("reading public key {id}")))?;
        if let Some(key) = key.and_then(|key| PublicKey::from_pem(&key.pem).ok()) {
            trusted.push(TrustedKey { id, key });
        }
    }
    Ok(trusted)
}

/// Whether the cookies open the tenant's media, and nothing elsewhere.
pub(super) fn judge(
    cookies: &CookieSet,
    trusted: &[TrustedKey],
    host: &str,
    now: u64,
) -> Result<Opened, String> {
    let own = format!("https://{host}/some/picture.jpg");
    let opened = open(cookies, trusted, Viewing { url: &own, now, address: None })
        .map_err(|closed| closed.to_string())?;
    let foreign = format!("https://elsewhere.{host}/some/picture.jpg");
    match open(cookies, trusted, Viewing { url: &foreign, now, address: None }) {
        Ok(_) => Err(format!("they would also open `{foreign}`")),
        Err(_) => Ok(opened),
    }
}
