//! Whether a set of cookies opens a URL, decided as CloudFront decides it.

use std::net::Ipv4Addr;

use contract::cookies::{POLICY, SIGNATURE};
use contract::edge_config::SignatureHash;
use thiserror::Error;

use crate::alphabet;
use crate::cookies::CookieSet;
use crate::policy::{Policy, PolicyError};
use crate::public_key::PublicKey;
use crate::resource;

/// A public key of the key group that guards the content.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// Its id in CloudFront.
    pub id: String,
    /// The key.
    pub key: PublicKey,
}

/// One request for content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewing<'a> {
    /// The whole URL, scheme and query included.
    pub url: &'a str,
    /// Time of the request, in seconds since the epoch.
    pub now: u64,
    /// Address of the viewer; absent: unknown, or IPv6.
    pub address: Option<Ipv4Addr>,
}

/// What opened the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Key that signed.
    pub key_id: String,
    /// Hash that was signed.
    pub hash: SignatureHash,
    /// The policy.
    pub policy: Policy,
}

/// Why the content stays closed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Closed {
    /// A cookie's value is not in CloudFront's base64.
    #[error("the cookie `{0}` is not in CloudFront's base64")]
    Encoding(&'static str),
    /// The key is not in the key group.
    #[error("the key `{0}` is not trusted")]
    UnknownKey(String),
    /// The signature is not over this policy, or not by this key, or not with this hash.
    #[error("the signature does not belong to the policy and the key `{0}`")]
    Signature(String),
    /// The signed text is no policy.
    #[error("the policy cannot be read")]
    Policy(#[from] PolicyError),
    /// The policy is for another URL.
    #[error("the policy's resource `{resource}` does not cover `{url}`")]
    Resource {
        /// Resource of the policy.
        resource: String,
        /// URL that was asked for.
        url: String,
    },
    /// The policy holds from a later time.
    #[error("the policy opens after `{0}` only")]
    Early(u64),
    /// The policy's time is over.
    #[error("the policy expired at `{0}`")]
    Expired(u64),
    /// The policy is for another address.
    #[error("the policy is for the network `{0}`")]
    Address(String),
}

/// Whether `cookies` open the content asked for in `viewing`, which the keys in `trusted` guard.
///
/// The signature is judged before the text is read. A policy without a resource, which CloudFront would
/// honour everywhere, is refused here.
///
/// # Errors
/// The first reason for which the content stays closed.
pub fn open(cookies: &CookieSet, trusted: &[TrustedKey], viewing: Viewing<'_>) -> Result<Opened, Closed> {
    let text = alphabet::decode(&cookies.policy).ok_or(Closed::Encoding(POLICY))?;
    let signature = alphabet::decode(&cookies.signature).ok_or(Closed::Encoding(SIGNATURE))?;
    let key = trusted
        .iter()
        .find(|trusted| trusted.id == cookies.key_id)
        .ok_or_else(|| Closed::UnknownKey(cookies.key_id.clone()))?;
    if !key.key.verifies(&text, &signature, cookies.hash) {
        return Err(Closed::Signature(cookies.key_id.clone()));
    }
    let policy = Policy::parse(&String::from_utf8_lossy(&text))?;
    if !resource::matches(&policy.resource, viewing.url) {
        return Err(Closed::Resource { resource: policy.resource, url: viewing.url.to_owned() });
    }
    if let Some(start) = policy.not_before.filter(|start| viewing.now <= *start) {
        return Err(Closed::Early(start));
    }
    if viewing.now >= policy.expires {
        return Err(Closed::Expired(policy.expires));
    }
    if let Some(network) = policy.network
        && !viewing.address.is_some_and(|address| network.contains(address))
    {
        return Err(Closed::Address(network.to_string()));
    }
    Ok(Opened { key_id: cookies.key_id.clone(), hash: cookies.hash, policy })
}
