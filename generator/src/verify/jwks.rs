//! An access token against the user pool's published keys, before the edge is asked: tells a wrong token
//! from a wrong edge.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::edge::agent;
use super::target::{Target, VerifyError};

/// Claims that are looked at. Cognito's access tokens have no audience: `client_id` stands for it.
#[derive(Debug, Deserialize)]
struct Claims {
    client_id: String,
    token_use: String,
    exp: u64,
}

/// Fetches the pool's keys: from the issuer, or from the local cloud that stands for it.
pub(super) async fn fetch(target: &Target, endpoint: Option<&str>) -> Result<JwkSet, VerifyError> {
    let url = match endpoint {
        Some(endpoint) => format!("{endpoint}/{}/.well-known/jwks.json", target.user_pool),
        None => format!("{}/.well-known/jwks.json", target.issuer()),
    };
    let what = url.clone();
    let fetched = tokio::task::spawn_blocking(move || {
        let text = agent().get(&url).call().and_then(|mut answer| answer.body_mut().read_to_string());
        text.map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
    });
    let failed = |reason| VerifyError::Unreachable { what: what.clone(), reason };
    fetched.await.map_err(|error| failed(error.to_string()))?.map_err(failed)
}

/// Seconds for which the token is still good, or why it is not.
pub(super) fn judge(token: &str, keys: &JwkSet, target: &Target, now: u64) -> Result<u64, String> {
    let header = decode_header(token).map_err(|error| format!("it is no JSON web token: {error}"))?;
    let kid = header.kid.ok_or("it names no key")?;
    let key = keys.find(&kid).ok_or("the user pool has no key of this id: it is from another pool")?;
    let key = DecodingKey::from_jwk(key).map_err(|error| format!("the key cannot be used: {error}"))?;
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_issuer(&[target.issuer()]);
    rules.set_required_spec_claims(&["exp", "iss"]);
    rules.validate_aud = false;
    let claims = decode::<Claims>(token, &key, &rules).map_err(|error| error.to_string())?.claims;
    if claims.token_use != "access" {
        return Err(format!("it is an `{}` token, and an access token is needed", claims.token_use));
    }
    if claims.client_id != target.client {
        return Err(format!("it is for the client `{}`", claims.client_id));
    }
    Ok(claims.exp.saturating_sub(now))
}
