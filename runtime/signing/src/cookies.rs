//! The cookies: made, written as `Set-Cookie` values, and read back.

use std::fmt;

use contract::cookies::{ALL, HASH_ALGORITHM, KEY_PAIR_ID, POLICY, SIGNATURE};
use contract::edge_config::{SameSite, SignatureHash};
use thiserror::Error;

use crate::alphabet;
use crate::policy::Policy;
use crate::private_key::{SignError, SigningKey};

/// The cookies of one grant, values as they stand in the browser.
#[derive(Clone, PartialEq, Eq)]
pub struct CookieSet {
    /// Value of `CloudFront-Policy`.
    pub policy: String,
    /// Value of `CloudFront-Signature`.
    pub signature: String,
    /// Value of `CloudFront-Key-Pair-Id`.
    pub key_id: String,
    /// Hash that was signed, from `CloudFront-Hash-Algorithm`.
    pub hash: SignatureHash,
}

/// Attributes that all cookies of a set share. Beside them every cookie is `Secure`, `HttpOnly`, has
/// `Path=/`, and no `Domain`, so that it stays with the host that set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// `SameSite`.
    pub same_site: SameSite,
    /// `Max-Age` in seconds; absent: the cookie ends with the browser's session.
    pub max_age: Option<u64>,
}

/// Why a request's cookies are no set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CookieError {
    /// A cookie is not there.
    #[error("the cookie `{0}` is missing")]
    Missing(&'static str),
    /// A cookie is there more than once.
    #[error("the cookie `{0}` is there twice")]
    Twice(&'static str),
    /// The named hash is none that CloudFront knows.
    #[error("the cookie `{HASH_ALGORITHM}` has the unknown value `{0}`")]
    Hash(String),
}

impl CookieSet {
    /// Signs `policy` with `key`, whose public half has the id `key_id` in CloudFront.
    ///
    /// # Errors
    /// Where the crypto library refuses to sign.
    pub fn sign(
        key: &SigningKey,
        key_id: &str,
        policy: &Policy,
        hash: SignatureHash,
    ) -> Result<Self, SignError> {
        let text = policy.text();
        let signature = key.sign(text.as_bytes(), hash)?;
        Ok(Self {
            policy: alphabet::encode(text.as_bytes()),
            signature: alphabet::encode(&signature),
            key_id: key_id.to_owned(),
            hash,
        })
    }

    /// Values of the `Set-Cookie` headers that give these cookies to a browser.
    ///
    /// With SHA-1, which CloudFront takes where no hash is named, the hash cookie is expired: a browser
    /// may still hold one from before the tenant's hash was changed.
    #[must_use]
    pub fn set_cookie(&self, attributes: Attributes) -> [String; 4] {
        let hash = match self.hash {
            SignatureHash::Sha256 => written(HASH_ALGORITHM, "SHA256", attributes),
            SignatureHash::Sha1 => expired(HASH_ALGORITHM, attributes.same_site),
        };
        [
            written(POLICY, &self.policy, attributes),
            written(SIGNATURE, &self.signature, attributes),
            written(KEY_PAIR_ID, &self.key_id, attributes),
            hash,
        ]
    }

    /// The `Cookie` header with which a browser shows these cookies.
    #[must_use]
    pub fn cookie_header(&self) -> String {
        let mut header = format!(
            "{POLICY}={}; {SIGNATURE}={}; {KEY_PAIR_ID}={}",
            self.policy, self.signature, self.key_id
        );
        if self.hash == SignatureHash::Sha256 {
            header.push_str(&format!("; {HASH_ALGORITHM}=SHA256"));
        }
        header
    }

    /// Reads the set from a request's `Cookie` header; other cookies in it are passed over.
    ///
    /// # Errors
    /// Where a cookie is missing, is there twice, or names an unknown hash.
    pub fn from_cookie_header(header: &str) -> Result<Self, CookieError> {
        Self::from_pairs(header.split(';').filter_map(|pair| pair.trim().split_once('=')))
    }

    /// Reads the set from the values of a response's `Set-Cookie` headers. A cookie that the response
    /// expires (`Max-Age=0`) counts as absent.
    ///
    /// # Errors
    /// As [`CookieSet::from_cookie_header`].
    pub fn from_set_cookie<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Self, CookieError> {
        Self::from_pairs(values.into_iter().filter_map(|value| {
            let mut parts = value.split(';').map(str::trim);
            let pair = parts.next()?.split_once('=')?;
            let removed = parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0"));
            (!removed).then_some(pair)
        }))
    }

    fn from_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, CookieError> {
        let mut values: [Option<&str>; 4] = [None; 4];
        for (name, value) in pairs {
            for (slot, known) in values.iter_mut().zip(ALL) {
                if known == name && slot.replace(value).is_some() {
                    return Err(CookieError::Twice(known));
                }
            }
        }
        let [policy, signature, key_id, hash] = values;
        Ok(Self {
            policy: policy.ok_or(CookieError::Missing(POLICY))?.to_owned(),
            signature: signature.ok_or(CookieError::Missing(SIGNATURE))?.to_owned(),
            key_id: key_id.ok_or(CookieError::Missing(KEY_PAIR_ID))?.to_owned(),
            hash: match hash {
                None | Some("SHA1") => SignatureHash::Sha1,
                Some("SHA256") => SignatureHash::Sha256,
                Some(other) => return Err(CookieError::Hash(other.to_owned())),
            },
        })
    }
}

/// Values of the `Set-Cookie` headers that take every cookie of a set away.
#[must_use]
pub fn removal(same_site: SameSite) -> [String; 4] {
    ALL.map(|name| expired(name, same_site))
}

fn written(name: &str, value: &str, attributes: Attributes) -> String {
    let same_site = attributes.same_site.as_attribute();
    let mut text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}");
    if let Some(seconds) = attributes.max_age {
        text.push_str(&format!("; Max-Age={seconds}"));
    }
    text
}

fn expired(name: &str, same_site: SameSite) -> String {
    let attributes = Attributes { same_site, max_age: Some(0) };
    written(name, "", attributes) + "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
}

/// Policy and signature open the content, so neither is shown.
impl fmt::Debug for CookieSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieSet({}, {:?}, redacted)", self.key_id, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(hash: SignatureHash) -> CookieSet {
        CookieSet { policy: "p__".into(), signature: "s~".into(), key_id: "K1".into(), hash }
    }

    const SESSION: Attributes = Attributes { same_site: SameSite::Lax, max_age: None };

    #[test]
    fn cookies_are_bound_to_their_host_and_hidden_from_scripts() {
        let written = set(SignatureHash::Sha256).set_cookie(SESSION);
        assert_eq!(written[0], "CloudFront-Policy=p__; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert_eq!(written[3], "CloudFront-Hash-Algorithm=SHA256; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert!(written.iter().all(|value| !value.contains("Domain") && !value.contains("Expires")));
    }

    #[test]
    fn a_lasting_cookie_has_an_age() {
        let lasting = Attributes { same_site: SameSite::None, max_age: Some(60) };
        assert!(set(SignatureHash::Sha256).set_cookie(lasting)[1].ends_with("SameSite=None; Max-Age=60"));
    }

    #[test]
    fn what_was_set_is_read_back() {
        for hash in [SignatureHash::Sha256, SignatureHash::Sha1] {
            let set = set(hash);
            let written = set.set_cookie(SESSION);
            assert_eq!(CookieSet::from_set_cookie(written.iter().map(String::as_str)), Ok(set.clone()));
            let header = format!("theme=dark; {}; a", set.cookie_header());
            assert_eq!(CookieSet::from_cookie_header(&header), Ok(set));
        }
    }

    #[test]
    fn removal_expires_all_four() {
        let removed = removal(SameSite::Strict);
        assert!(removed.iter().all(|value| value.contains("=; Path=/;") && value.contains("Max-Age=0")));
        assert_eq!(
            CookieSet::from_set_cookie(removed.iter().map(String::as_str)),
            Err(CookieError::Missing(POLICY))
        );
    }

    #[test]
    fn half_a_set_is_refused() {
        let header = set(SignatureHash::Sha256).cookie_header();
        assert_eq!(
            CookieSet::from_cookie_header(&header.replace(SIGNATURE, "x")),
            Err(CookieError::Missing(SIGNATURE))
        );
        assert_eq!(
            CookieSet::from_cookie_header(&format!("{header}; {POLICY}=q")),
            Err(CookieError::Twice(POLICY))
        );
        assert_eq!(
            CookieSet::from_cookie_header(&header.replace("SHA256", "MD5")),
            Err(CookieError::Hash("MD5".into()))
        );
    }

    #[test]
    fn debug_shows_no_signature() {
        assert_eq!(format!("{:?}", set(SignatureHash::Sha1)), "CookieSet(K1, Sha1, redacted)");
    }
}
