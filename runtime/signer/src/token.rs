//! Cognito access tokens: RS256 and nothing else.
//! Source: cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::edge_config::{EdgeConfig, LEEWAY_MAX_SECONDS};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};

use crate::jwks::Jwks;
use crate::refusal::Refusal;

/// Longest token that is looked at, in bytes: CloudFront takes 20 KB for a whole request.
const TOKEN_MAX: usize = 16 * 1024;

/// Checks `token` at `now`, in seconds since the epoch, and returns when it expires, in the same unit.
///
/// The signature is judged before any claim is read.
///
/// # Errors
/// The first rule that the token breaks. [`Refusal::TokenKeyUnknown`] may be cured by newer `keys`.
pub fn verify(token: &str, keys: &Jwks, config: &EdgeConfig, now: u64) -> Result<u64, Refusal> {
    if token.len() > TOKEN_MAX {
        return Err(Refusal::TokenTooLarge);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::TokenMalformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::TokenMalformed)?;
    if claims.contains('.') {
        return Err(Refusal::TokenMalformed);
    }
    let header: Header = decode(header)?;
    header.check()?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::TokenMalformed)?;
    let key = keys.find(&header.kid).ok_or(Refusal::TokenKeyUnknown)?;
    key.verify_sig(signed.as_bytes(), &signature).map_err(|_| Refusal::TokenSignatureWrong)?;
    decode::<Claims>(claims)?.check(config, now)
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::TokenMalformed)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::TokenMalformed)
}

/// The header. A repeated parameter is an error of the reader.
#[derive(serde::Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    jwk: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    jku: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    x5u: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    x5c: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    zip: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    b64: Option<IgnoredAny>,
}

impl Header {
    /// Cognito writes none of the parameters that let a token bring its own key, pack its claims or change
    /// what is signed: one that has them was made by someone else.
    fn check(&self) -> Result<(), Refusal> {
        let dangerous = [&self.crit, &self.jwk, &self.jku, &self.x5u, &self.x5c, &self.zip, &self.b64];
        if dangerous.iter().any(|parameter| parameter.is_some()) {
            return Err(Refusal::TokenHeaderRefused);
        }
        if self.alg != "RS256" {
            return Err(Refusal::TokenAlgorithmRefused);
        }
        Ok(())
    }
}

/// The claims that are looked at; others are passed over. A claim of a wrong type is an error of the reader.
#[derive(serde::Deserialize)]
struct Claims {
    iss: String,
    token_use: String,
    #[serde(default, deserialize_with = "present")]
    client_id: Option<String>,
    exp: u64,
    iat: u64,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    scope: Option<String>,
    #[serde(default, rename = "cognito:groups", deserialize_with = "present")]
    groups: Option<Vec<String>>,
}

impl Claims {
    fn check(self, config: &EdgeConfig, now: u64) -> Result<u64, Refusal> {
        let rules = &config.token;
        let leeway = u64::from(rules.leeway_seconds.min(LEEWAY_MAX_SECONDS));
        if self.iss != config.issuer {
            return Err(Refusal::TokenIssuerWrong);
        }
        match self.token_use.as_str() {
            "access" => {}
            "id" => return Err(Refusal::IdTokenRefused),
            _ => return Err(Refusal::TokenUseWrong),
        }
        if !self.client_id.is_some_and(|client| config.clients.contains(&client)) {
            return Err(Refusal::TokenClientWrong);
        }
        if now >= self.exp.saturating_add(leeway) {
            return Err(Refusal::TokenExpired);
        }
        let start = self.iat.max(self.nbf.unwrap_or(0));
        if now.saturating_add(leeway) < start {
            return Err(Refusal::TokenNotYetValid);
        }
        let scopes = self.scope.unwrap_or_default();
        if !rules.scopes.is_empty()
            && !scopes.split(' ').any(|scope| rules.scopes.iter().any(|wanted| wanted == scope))
        {
            return Err(Refusal::ScopeMissing);
        }
        let groups = self.groups.unwrap_or_default();
        if !rules.groups.is_empty() && !groups.iter().any(|group| rules.groups.contains(group)) {
            return Err(Refusal::GroupMissing);
        }
        Ok(self.exp)
    }
}

/// Reads a value that may be absent but, where it stands, is no `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
