//! The checks, in order.

use std::time::UNIX_EPOCH;

use signing::CookieSet;

use super::check::Verification;
use super::edge::{Answer, Edge, Question};
use super::target::{Target, VerifyError};
use super::{cookies, jwks};
use crate::aws::cloudfront::CloudFront;
use crate::clock::Clock;

/// A well-formed token that nobody signed: `{"alg":"RS256","kid":"none"}`, `{}`, and a signature of zeros.
const FORGED: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6Im5vbmUifQ.e30.AAAA";
/// Endpoint that trades a token for cookies.
const COOKIE: &str = "/cookie";
const REMOVE: &str = "/cookie/remove";
const MEDIA: &str = "/generator-verify";

/// A token to sign in with, and where the keys behind it are published.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    /// The access token.
    pub access: &'a str,
    /// The local cloud that stands for the issuer; `None`: the issuer itself.
    pub endpoint: Option<&'a str>,
    /// Whether the edge must trade it for cookies. A token that lacks what the tenant demands must be refused.
    pub is_enough: bool,
}

/// Asks a tenant's edge what it must refuse, and with a token what it must grant.
///
/// # Errors
/// [`VerifyError`] where the edge cannot be asked at all. An answer that is wrong is a failed check.
pub async fn verify(
    target: &Target,
    edge: &dyn Edge,
    cloudfront: &CloudFront,
    token: Option<Token<'_>>,
    clock: &dyn Clock,
) -> Result<Verification, VerifyError> {
    let mut checks = Verification {
        tenant: target.tenant.clone(),
        host: target.host.clone(),
        through: edge.through(),
        checks: Vec::new(),
    };
    if edge.guards_media() {
        let answer = edge.ask(Question { path: MEDIA, ..Question::default() }).await?;
        let refused = answer.status == 403 && !is_of_the_bucket(&answer);
        checks.add("no-cookie", refused, format!("media without cookies: {}", answer.status));
    }
    let answer = edge.ask(Question { path: COOKIE, ..Question::default() }).await?;
    checks.add("no-token", is_challenge(&answer), format!("no token: {}", answer.status));
    let answer = edge.ask(Question { path: COOKIE, token: Some(FORGED), ..Question::default() }).await?;
    checks.add("forged-token", is_challenge(&answer), format!("a forged token: {}", answer.status));
    let answer = edge.ask(Question { path: REMOVE, ..Question::default() }).await?;
    let expired = answer.header("set-cookie").iter().filter(|cookie| cookie.contains("Max-Age=0")).count();
    let all = expired == contract::cookies::ALL.len();
    let detail = format!("signing out: {}, {expired} cookies expired", answer.status);
    checks.add("remove", answer.status < 300 && all, detail);
    if let Some(token) = token {
        grant(target, edge, cloudfront, token, now(clock), &mut checks).await?;
    }
    Ok(checks)
}

/// The whole flow: token -> cookies -> media.
async fn grant(
    target: &Target,
    edge: &dyn Edge,
    cloudfront: &CloudFront,
    token: Token<'_>,
    now: u64,
    checks: &mut Verification,
) -> Result<(), VerifyError> {
    let keys = jwks::fetch(target, token.endpoint).await?;
    match jwks::judge(token.access, &keys, target, now) {
        Ok(seconds) => {
            checks.add("token", true, format!("access token of {}, good for {seconds} s", target.user_pool));
        }
        Err(reason) => {
            checks.add("token", false, format!("the access token cannot be used: {reason}"));
            return Ok(());
        }
    }
    let answer =
        edge.ask(Question { path: COOKIE, token: Some(token.access), ..Question::default() }).await?;
    if !token.is_enough {
        let detail = format!("a token without a demanded scope: {}", answer.status);
        checks.add("scope", answer.status == 403 && answer.header("set-cookie").is_empty(), detail);
        return Ok(());
    }
    checks.add("grant", answer.status == 200, format!("with the token: {}", answer.status));
    let read = CookieSet::from_set_cookie(answer.header("set-cookie").iter().map(String::as_str));
    let issued = match read {
        Ok(issued) => issued,
        Err(error) => {
            checks.add("cookies", false, format!("the cookies cannot be read: {error}"));
            return Ok(());
        }
    };
    let trusted = cookies::trusted(cloudfront, target).await?;
    match cookies::judge(&issued, &trusted, &target.host, now) {
        Ok(opened) => {
            let minutes = opened.policy.expires.saturating_sub(now).div_ceil(60);
            let detail = format!(
                "cookies open https://{}/* for {minutes} min; signed by key {} of key group {}",
                target.host, opened.key_id, target.key_group
            );
            checks.add("cookies", true, detail);
        }
        Err(reason) => checks.add("cookies", false, format!("the cookies do not open the media: {reason}")),
    }
    if edge.guards_media() {
        let question = Question { path: MEDIA, cookies: Some(issued.cookie_header()), ..Question::default() };
        let answer = edge.ask(question).await?;
        let opened = answer.status != 403 || is_of_the_bucket(&answer);
        checks.add("media", opened, format!("media with cookies: {}", answer.status));
    }
    Ok(())
}

/// RFC 6750: refused, and said how to come in.
fn is_challenge(answer: &Answer) -> bool {
    answer.status == 401 && !answer.header("www-authenticate").is_empty()
}

/// CloudFront and S3 both refuse with 403 and XML; only S3 names its host.
fn is_of_the_bucket(answer: &Answer) -> bool {
    answer.body.contains("<HostId>")
}

fn now(clock: &dyn Clock) -> u64 {
    clock.now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
