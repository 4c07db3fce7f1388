//! Whether a claim opens a URL.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use signing::TrustedKey;
use thiserror::Error;

use super::grant::{Grant, Signed};
use super::policy::{Terms, canned_text};

/// Signatures whose check is remembered.
const REMEMBERED: usize = 10_000;

/// Why a file stays closed, in the words in which CloudFront says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// Nothing names a key.
    #[error("missing key")]
    MissingKey,
    /// The key is not in a trusted key group.
    #[error("unknown key")]
    UnknownKey,
    /// A part is missing, or not in its form.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// The signature, the URL, the time or the address is wrong; which, CloudFront does not say.
    #[error("access denied")]
    Denied,
}

impl Refusal {
    /// Code and message of CloudFront's XML.
    #[must_use]
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::MissingKey => ("MissingKey", "Missing Key-Pair-Id query parameter or cookie value"),
            Self::UnknownKey => ("InvalidKey", "Unknown Key"),
            Self::Malformed(_) => ("MalformedPolicy", "Malformed Policy"),
            Self::Denied => ("AccessDenied", "Access denied"),
        }
    }
}

/// A request as the judge sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The URL as it was asked for, without the parameters of a signed URL.
    pub(crate) url: &'a str,
    /// Time, in seconds since the epoch.
    pub(crate) now: u64,
    /// Address of the viewer.
    pub(crate) viewer: IpAddr,
}

/// Signatures that were found good before. A cookie comes with every picture of a page, and its signature stays
/// what it is; key, time, URL and address are looked at each time.
#[derive(Debug, Default)]
pub(crate) struct Verified(Mutex<HashSet<[u8; 32]>>);

impl Verified {
    fn check(&self, key: &TrustedKey, text: &[u8], signature: &[u8], grant: &Grant) -> bool {
        let mut digest = Sha256::new();
        for part in [key.id.as_bytes(), text, signature, &[grant.hash as u8]] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let name: [u8; 32] = digest.finalize().into();
        let known =
            |set: &Mutex<HashSet<_>>| set.lock().unwrap_or_else(PoisonError::into_inner).contains(&name);
        if known(&self.0) {
            return true;
        }
        let good = key.key.verifies(text, signature, grant.hash);
        if good {
            let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if set.len() >= REMEMBERED {
                set.clear();
            }
            set.insert(name);
        }
        good
    }
}

/// Whether `grant` opens what was asked for, guarded by the keys in `trusted`.
///
/// # Errors
/// The first reason for which it does not.
pub(crate) fn judge(
    grant: &Grant,
    trusted: &[TrustedKey],
    seen: Seen<'_>,
    verified: &Verified,
) -> Result<(), Refusal> {
    let key = trusted.iter().find(|key| key.id == grant.key_id).ok_or(Refusal::UnknownKey)?;
    opens(grant, seen, |text, signature| verified.check(key, text, signature, grant))
}

/// Whether `grant` opens what was asked for; `signed` tells whether its key has made a signature over a text.
///
/// # Errors
/// The first reason for which it does not.
pub(super) fn opens(
    grant: &Grant,
    seen: Seen<'_>,
    signed: impl FnOnce(&[u8], &[u8]) -> bool,
) -> Result<(), Refusal> {
    let signature =
        signing::decode(&grant.signature).ok_or(Refusal::Malformed("the signature is not in base64"))?;
    let (text, canned) = match &grant.signed {
        Signed::Custom(policy) => {
            let text = signing::decode(policy).ok_or(Refusal::Malformed("the policy is not in base64"))?;
            (text, None)
        }
        Signed::Canned(before) => {
            (canned_text(seen.url, *before).into_bytes(), Some(Terms::canned(seen.url, *before)))
        }
    };
    // The text is read only once somebody trusted is known to have written it.
    if !signed(&text, &signature) {
        return Err(Refusal::Denied);
    }
    let terms = match canned {
        Some(terms) => terms,
        None => Terms::read(&text).ok_or(Refusal::Malformed("the policy cannot be read"))?,
    };
    if terms.hold(seen.url, seen.now, seen.viewer) { Ok(()) } else { Err(Refusal::Denied) }
}
