//! Signing in with scopes: the local cloud's own OAuth endpoints make the tokens, signed with the pool's keys. Only
//! where the browser comes from and goes to is the stand-in's, which serves pages that no app client lists.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Request, StatusCode};
use serde_json::Value;

use super::form::{Form, encoded};
use crate::aws::cognito::{Token, Tokens};

/// Longest wait for the local cloud.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longest answer, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The local cloud's OAuth endpoints.
#[derive(Debug, Clone)]
pub(super) struct Hosted {
    endpoint: String,
    agent: ureq::Agent,
}

/// Whom, for which application.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entering<'a> {
    pub(super) client: &'a str,
    /// A URL that the client lists; nobody is sent there.
    pub(super) callback: &'a str,
    /// Scopes, with blanks between; empty: all that the client allows.
    pub(super) scopes: &'a str,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// Name or password is wrong; which, is not told.
    Wrong,
    /// Something else.
    Other(String),
}

impl Hosted {
    pub(super) fn new(endpoint: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
        let agent = config.timeout_global(Some(TIMEOUT)).build().new_agent();
        Self { endpoint: endpoint.to_owned(), agent }
    }

    /// Signs in with a password, and takes the code for tokens at once.
    pub(super) async fn enter(&self, entering: Entering<'_>) -> Result<Tokens, Failed> {
        let Entering { client, callback, scopes, user, password } = entering;
        let form = fields(&[
            ("client_id", client),
            ("redirect_uri", callback),
            ("response_type", "code"),
            ("scope", scopes),
            ("username", user),
            ("password", password),
        ]);
        let (status, location, _) = self.post("/login", form).await?;
        // The form again: name and password did not do.
        if status == StatusCode::OK {
            return Err(Failed::Wrong);
        }
        let query = location.split_once('?').map(|(_, query)| Form::of(query));
        let code = query.as_ref().and_then(|query| query.get("code"));
        let code = code.ok_or_else(|| Failed::Other(format!("the local cloud gives no code ({status})")))?;
        let form = fields(&[
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("redirect_uri", callback),
            ("code", code),
        ]);
        let (status, _, body) = self.post("/oauth2/token", form).await?;
        tokens(&body).ok_or_else(|| Failed::Other(format!("the local cloud gives no token ({status})")))
    }

    async fn post(&self, path: &str, form: String) -> Result<(StatusCode, String, Vec<u8>), Failed> {
        let request = Request::post(format!("{}{path}", self.endpoint))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into_bytes())
            .map_err(|error| Failed::Other(error.to_string()))?;
        let agent = self.agent.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let mut answer = agent.run(request)?;
            let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec()?;
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            Ok::<_, ureq::Error>((answer.status(), location.unwrap_or_default().to_owned(), body))
        });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Failed::Other(format!("the local cloud does not answer: {error}"))),
            Err(error) => Err(Failed::Other(error.to_string())),
        }
    }
}

fn fields(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// The tokens of an answer. Without the scope `openid` there is no id token.
fn tokens(body: &[u8]) -> Option<Tokens> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let token = |name: &str| body[name].as_str().map(|token| Token::new(token.to_owned()));
    Some(Tokens {
        access: token("access_token")?,
        id: token("id_token"),
        refresh: token("refresh_token"),
        seconds: body["expires_in"].as_u64().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_an_access_token_signs_nobody_in() {
        assert_eq!(tokens(br#"{"error":"invalid_grant"}"#), None);
        let found = tokens(br#"{"access_token":"a","refresh_token":"r","expires_in":60}"#).expect("tokens");
        assert_eq!((found.access.expose(), found.id, found.seconds), ("a", None, 60));
    }

    #[tokio::test]
    async fn a_cloud_that_is_away_is_told() {
        let hosted = Hosted::new("http://127.0.0.1:1");
        let entering = Entering { client: "c", callback: "https://p/", scopes: "", user: "u", password: "p" };
        let Err(Failed::Other(reason)) = hosted.enter(entering).await else { panic!("a failure") };
        assert!(reason.contains("does not answer"), "{reason}");
    }
}
