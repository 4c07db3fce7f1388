//! What is answered to a request, given the documents at hand. Decides only: no clock, no network.

use std::sync::Arc;

use contract::edge_config::EdgeConfig;
use serde_json::json;
use signing::{Attributes, CookieSet, Policy};

use crate::cache::{CookieCache, For};
use crate::clock::iso;
use crate::event::Request;
use crate::jwks::Jwks;
use crate::keys::LoadedKeyring;
use crate::refusal::Refusal;
use crate::response::Response;
use crate::token;

/// The documents that may be used for a request; `None` where one cannot be had at present.
#[derive(Default)]
pub struct Documents {
    /// The tenant's configuration.
    pub config: Option<Arc<EdgeConfig>>,
    /// The signing key, from the secret that `config` names.
    pub keyring: Option<Arc<LoadedKeyring>>,
    /// The token keys of the issuer that `config` names.
    pub jwks: Option<Arc<Jwks>>,
}

/// What was done, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Cookies were issued.
    Granted,
    /// Cookies were expired.
    Removed,
    /// A browser asked what it may ask.
    Preflight,
    /// Neither.
    Refused(Refusal),
}

/// An answer.
pub struct Answer {
    /// What the viewer gets; the same object for all viewers of an expiry slot.
    pub response: Arc<Response>,
    /// What was done.
    pub outcome: Outcome,
}

impl Answer {
    /// A refusal that is told to everyone alike.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self { response: Arc::new(refusal.response(&[])), outcome: Outcome::Refused(refusal) }
    }
}

/// Answers `request` at `now`, in seconds since the epoch.
#[must_use]
pub fn answer(request: &Request, documents: &Documents, cache: &CookieCache, now: u64) -> Answer {
    let Some(config) = documents.config.as_deref() else {
        return Answer::refused(Refusal::Unavailable);
    };
    let Some(host) = served_host(request, config) else {
        return Answer::refused(Refusal::HostNotServed);
    };
    let caller = Caller::of(request, config, host);
    let (response, outcome) = match decide(request, documents, config, host, caller, cache, now) {
        Ok(Decided::Issued(response)) => return Answer { response, outcome: Outcome::Granted },
        Ok(Decided::Answered(response, outcome)) => (response, outcome),
        Err(refusal) => (refusal.response(&config.token.scopes), Outcome::Refused(refusal)),
    };
    Answer { response: Arc::new(caller.may_read(response)), outcome }
}

/// What a request that was not refused comes to.
enum Decided {
    /// Cookies, with all headers.
    Issued(Arc<Response>),
    /// Anything else, before the headers of CORS.
    Answered(Response, Outcome),
}

fn decide(
    request: &Request,
    documents: &Documents,
    config: &EdgeConfig,
    host: &str,
    caller: Caller<'_>,
    cache: &CookieCache,
    now: u64,
) -> Result<Decided, Refusal> {
    let route = Route::of(&request.path).ok_or(Refusal::NotFound)?;
    match request.method.as_str() {
        "OPTIONS" => return Ok(Decided::Answered(preflight(caller), Outcome::Preflight)),
        "GET" => {}
        _ => return Err(Refusal::MethodNotAllowed),
    }
    if caller == Caller::Foreign {
        return Err(Refusal::OriginNotAllowed);
    }
    match route {
        // An image or a link of another site carries no `Origin`, and must not sign anybody out.
        Route::Remove if caller == Caller::Unnamed && is_cross_site(request) => Err(Refusal::CrossSite),
        Route::Remove => Ok(Decided::Answered(removed(config), Outcome::Removed)),
        Route::Issue => {
            let token = bearer(&request.authorization)?;
            let keys = documents.jwks.as_deref().ok_or(Refusal::Unavailable)?;
            let token_expiry = token::verify(token, keys, config, now)?;
            let keyring = documents.keyring.as_ref().ok_or(Refusal::Unavailable)?;
            issued(request, keyring, config, host, caller, cache, now, token_expiry).map(Decided::Issued)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    Issue,
    Remove,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        let below = path.strip_prefix("/cookie")?;
        match below {
            _ if !below.is_empty() && !below.starts_with('/') => None,
            _ if below.ends_with("/remove") => Some(Self::Remove),
            _ => Some(Self::Issue),
        }
    }
}

/// Who calls, as far as the browser says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller<'a> {
    /// No `Origin`: no browser, or a page of the same host.
    Unnamed,
    /// A listed origin, or the host itself.
    Listed(&'a str),
    /// Any other origin, `null` among them.
    Foreign,
}

impl<'a> Caller<'a> {
    fn of(request: &'a Request, config: &EdgeConfig, host: &str) -> Self {
        match request.origin.as_slice() {
            [] => Self::Unnamed,
            [origin] if config.origins.contains(origin) => Self::Listed(origin),
            [origin] if origin.strip_prefix("https://") == Some(host) => Self::Listed(origin),
            _ => Self::Foreign,
        }
    }

    /// `response` with the headers that let a listed origin read it.
    fn may_read(self, response: Response) -> Response {
        match self {
            Self::Listed(origin) => response
                .header("Access-Control-Allow-Origin", origin)
                .header("Access-Control-Allow-Credentials", "true")
                .header("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After"),
            Self::Unnamed | Self::Foreign => response,
        }
    }
}

/// The configured host that the request was sent to.
fn served_host<'a>(request: &Request, config: &'a EdgeConfig) -> Option<&'a str> {
    let [host] = request.host.as_slice() else { return None };
    config.hosts.iter().find(|served| served.eq_ignore_ascii_case(host)).map(String::as_str)
}

fn is_cross_site(request: &Request) -> bool {
    request.fetch_site.iter().any(|site| site.eq_ignore_ascii_case("cross-site"))
}

/// The bearer token (RFC 6750, section 2.1).
fn bearer(values: &[String]) -> Result<&str, Refusal> {
    let value = match values {
        [] => return Err(Refusal::TokenMissing),
        [value] => value.trim(),
        _ => return Err(Refusal::AuthorizationMalformed),
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::TokenMissing);
    }
    let token = token.trim_start();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(allowed) {
        return Err(Refusal::AuthorizationMalformed);
    }
    Ok(token)
}

fn preflight(caller: Caller<'_>) -> Response {
    let response = Response::empty(204);
    match caller {
        Caller::Listed(_) => response
            .header("Access-Control-Allow-Methods", "GET, OPTIONS")
            .header("Access-Control-Allow-Headers", "Authorization")
            .header("Access-Control-Max-Age", "600"),
        Caller::Unnamed | Caller::Foreign => response,
    }
}

fn removed(config: &EdgeConfig) -> Response {
    signing::removal(config.cookie.same_site)
        .into_iter()
        .fold(Response::json(200, &json!({ "removed": true })), |response, cookie| {
            response.header("Set-Cookie", cookie)
        })
}

#[expect(clippy::too_many_arguments, reason = "they are what an issued cookie depends on, and have no group")]
fn issued(
    request: &Request,
    keyring: &Arc<LoadedKeyring>,
    config: &EdgeConfig,
    host: &str,
    caller: Caller<'_>,
    cache: &CookieCache,
    now: u64,
    token_expiry: u64,
) -> Result<Arc<Response>, Refusal> {
    let cookie = &config.cookie;
    let life = u64::from(cookie.minutes) * 60;
    let expires = signing::cookie_expiry(now, life, token_expiry, u64::from(cookie.slot_seconds));
    if expires <= now {
        // Within the leeway the token still passes, but no cookie may outlive it.
        return Err(Refusal::TokenExpired);
    }
    let policy = Policy::of_host(host, expires);
    let attributes = Attributes {
        same_site: cookie.same_site,
        max_age: cookie.persistent.then(|| expires.saturating_sub(now)),
    };
    let made = |cookies: &CookieSet| {
        let body = json!({ "expires": expires, "expires_at": iso(expires) });
        let response = cookies
            .set_cookie(attributes)
            .into_iter()
            .fold(Response::json(200, &body), |response, cookie| response.header("Set-Cookie", cookie));
        caller.may_read(response)
    };
    if cookie.bind_address {
        let address = request.client_ip.parse().map_err(|_| Refusal::AddressUnsupported)?;
        let policy = policy.bound_to(address);
        let signed = CookieSet::sign(&keyring.key, &keyring.document.key_id, &policy, cookie.hash);
        return signed.map(|cookies| Arc::new(made(&cookies))).map_err(|_| Refusal::Internal);
    }
    let origin = match caller {
        Caller::Listed(origin) => Some(origin.to_owned()),
        Caller::Unnamed | Caller::Foreign => None,
    };
    cache
        .response(keyring, policy, cookie.hash, For { attributes, origin }, |cookies, _| made(cookies))
        .map_err(|_| Refusal::Internal)
}
