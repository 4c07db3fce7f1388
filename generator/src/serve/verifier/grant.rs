//! What a request shows to be let in: parameters of its URL, or cookies.

use contract::cookies::{HASH_ALGORITHM, KEY_PAIR_ID, POLICY, SIGNATURE};
use contract::edge_config::SignatureHash;

use super::judge::Refusal;

/// Cookie of a canned policy. Our own signer never sets it.
const EXPIRES: &str = "CloudFront-Expires";
/// Parameters of a signed URL, with the cookie that says the same.
const PARAMETERS: [(&str, &str); 5] = [
    ("Policy", POLICY),
    ("Expires", EXPIRES),
    ("Signature", SIGNATURE),
    ("Key-Pair-Id", KEY_PAIR_ID),
    ("Hash-Algorithm", HASH_ALGORITHM),
];

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signed {
    /// A policy, in CloudFront's base64.
    Custom(String),
    /// The canned policy with this end, in seconds since the epoch.
    Canned(u64),
}

/// A claim to be let in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(super) signed: Signed,
    pub(super) signature: String,
    pub(super) key_id: String,
    pub(super) hash: SignatureHash,
}

impl Grant {
    /// Reads the claim of a request. A URL that is signed counts alone, whatever the cookies say.
    ///
    /// # Errors
    /// Where there is none, or a part of it is missing or there twice.
    pub(crate) fn read(query: Option<&str>, cookies: &[&str]) -> Result<Self, Refusal> {
        let of_url = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            PARAMETERS.iter().position(|(parameter, _)| *parameter == name).map(|at| (at, value.to_owned()))
        };
        let parameters: Vec<_> = query.unwrap_or_default().split('&').filter_map(of_url).collect();
        let by_url =
            parameters.iter().any(|(at, _)| matches!(PARAMETERS[*at].0, "Signature" | "Key-Pair-Id"));
        if by_url {
            return Self::of(parameters);
        }
        let of_cookie = |pair: &str| {
            let (name, value) = pair.trim().split_once('=')?;
            PARAMETERS.iter().position(|(_, cookie)| *cookie == name).map(|at| (at, value.to_owned()))
        };
        Self::of(cookies.iter().flat_map(|header| header.split(';')).filter_map(of_cookie).collect())
    }

    /// Key that it says to be signed with.
    #[must_use]
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    fn of(found: Vec<(usize, String)>) -> Result<Self, Refusal> {
        let mut values: [Option<String>; PARAMETERS.len()] = Default::default();
        for (at, value) in found {
            if values[at].replace(value).is_some() {
                return Err(Refusal::Malformed("a part of the signature is there twice"));
            }
        }
        let [policy, expires, signature, key_id, hash] = values;
        let key_id = key_id.filter(|id| !id.is_empty()).ok_or(Refusal::MissingKey)?;
        let signature = signature.ok_or(Refusal::Malformed("the signature is missing"))?;
        let signed = match (policy, expires) {
            (Some(policy), _) => Signed::Custom(policy),
            (None, Some(expires)) => {
                let digits = expires.bytes().all(|byte| byte.is_ascii_digit());
                let time = expires.parse().ok().filter(|_| digits);
                Signed::Canned(time.ok_or(Refusal::Malformed("the expiry is no time"))?)
            }
            (None, None) => return Err(Refusal::Malformed("there is neither a policy nor an expiry")),
        };
        let hash = match hash.as_deref() {
            None | Some("SHA1") => SignatureHash::Sha1,
            Some("SHA256") => SignatureHash::Sha256,
            Some(_) => return Err(Refusal::Malformed("the hash is unknown")),
        };
        Ok(Self { signed, signature, key_id, hash })
    }
}

/// Policy and signature open files, so neither is shown.
impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Grant({}, {:?}, redacted)", self.key_id, self.hash)
    }
}

/// The query without the parameters of a signed URL: what the signature is about, and what the origin gets.
#[must_use]
pub(crate) fn own_query(query: Option<&str>) -> Option<String> {
    let own: Vec<&str> = query?
        .split('&')
        .filter(|pair| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
            !PARAMETERS.iter().any(|(parameter, _)| *parameter == name)
        })
        .collect();
    (!own.is_empty()).then(|| own.join("&"))
}
