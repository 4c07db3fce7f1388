//! A minimal stand-in for Cognito's sign-in page, which the local cloud has none of: the same OAuth endpoints,
//! the app client's own rules, and real tokens of the local cloud's user pool.
//! Source: cognito/latest/developerguide/cognito-userpools-server-contract-reference.

mod codes;
mod form;
mod hosted;
mod page;

use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY,
    LOCATION,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};

use self::codes::{Codes, Grant};
use self::form::{Form, encoded};
use self::hosted::{Entering, Failed, Hosted};
use super::answers;
use super::body::Body;
use super::viewer::Viewer;
use crate::aws::cognito::{AppClient, Cognito, PasswordFlow, Token, Tokens};
use crate::clock::Clock;

/// The stand-in of one tenant.
#[derive(Debug)]
pub(super) struct SignIn {
    tenant: String,
    pool: String,
    cognito: Cognito,
    hosted: Hosted,
    /// Pages that `serve` itself adds to the tenant, which the app client does not list.
    own_pages: Vec<String>,
    codes: Codes,
}

/// What an application asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    client: String,
    redirect: String,
    state: Option<String>,
    challenge: Option<String>,
    /// A URL that the client itself lists; `None`: it lists none, so nobody can be given scopes.
    callback: Option<String>,
    /// Scopes, with blanks between.
    scopes: String,
}

impl SignIn {
    pub(super) fn new(
        tenant: &str,
        pool: &str,
        cognito: Cognito,
        endpoint: &str,
        own_pages: Vec<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (codes, hosted) = (Codes::new(clock), Hosted::new(endpoint));
        Self { tenant: tenant.to_owned(), pool: pool.to_owned(), cognito, hosted, own_pages, codes }
    }

    /// Answers a request; `body` is a form.
    pub(super) async fn respond(&self, viewer: &Viewer, body: &[u8]) -> Response<Body> {
        let query = Form::of(viewer.query.as_deref().unwrap_or_default());
        let posted = Form::of(&String::from_utf8_lossy(body));
        let mut response = match (&viewer.method, viewer.path.as_str()) {
            (&Method::GET, "/oauth2/authorize" | "/login") => self.ask(&query).await,
            (&Method::POST, "/oauth2/authorize" | "/login") => self.enter(&query, &posted).await,
            (&Method::POST, "/oauth2/token") => self.tokens(&posted).await,
            (&Method::OPTIONS, "/oauth2/token") => answers::answer(StatusCode::NO_CONTENT, "text/plain", ""),
            (&Method::GET, "/logout") => self.leave(&query).await,
            _ => answers::answer(StatusCode::NOT_FOUND, "text/plain", "there is nothing here\n"),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::SECURITY));
        if viewer.path == "/oauth2/token" {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
        }
        response
    }

    /// Shows the form.
    async fn ask(&self, query: &Form) -> Response<Body> {
        match self.asked(query).await {
            Ok(_) => page::form(&self.tenant, None),
            Err(response) => *response,
        }
    }

    /// Takes name and password, and sends the browser back with a code.
    async fn enter(&self, query: &Form, posted: &Form) -> Response<Body> {
        let asked = match self.asked(query).await {
            Ok(asked) => asked,
            Err(response) => return *response,
        };
        let (user, password) = (posted.get("username").unwrap_or(""), posted.get("password").unwrap_or(""));
        let tokens = match self.sign_in(&asked, user.trim(), password).await {
            Ok(tokens) => tokens,
            // Which of both was wrong is not told, and neither whether there is such a user.
            Err(Failed::Wrong) => return page::form(&self.tenant, Some("Incorrect user name or password.")),
            Err(Failed::Other(reason)) => return page::form(&self.tenant, Some(&reason)),
        };
        let Asked { client, redirect, state, challenge, .. } = asked;
        let code = self.codes.issue(Grant { tokens, client, redirect: redirect.clone(), challenge });
        to(&redirect, &[("code", Some(&code)), ("state", state.as_deref())])
    }

    async fn sign_in(&self, asked: &Asked, user: &str, password: &str) -> Result<Tokens, Failed> {
        let client = asked.client.as_str();
        if let Some(callback) = &asked.callback {
            let scopes = asked.scopes.as_str();
            return self.hosted.enter(Entering { client, callback, scopes, user, password }).await;
        }
        let entered = self.cognito.sign_in(PasswordFlow::Admin, &self.pool, client, user, password).await;
        entered.map_err(|error| match error.code.as_str() {
            "NotAuthorizedException" | "UserNotFoundException" => Failed::Wrong,
            _ => Failed::Other(error.message),
        })
    }

    async fn asked(&self, query: &Form) -> Result<Asked, Box<Response<Body>>> {
        let (client, settings) = self.client(query).await?;
        let redirect = query.get("redirect_uri").unwrap_or_default();
        if !settings.callbacks.iter().chain(&self.own_pages).any(|known| known == redirect) {
            return Err(Box::new(page::refused(
                "redirect_mismatch",
                "This client may not send users to that URL.",
            )));
        }
        let state = query.get("state");
        let back = |error: &str, why: &str| {
            Box::new(to(
                redirect,
                &[("error", Some(error)), ("error_description", Some(why)), ("state", state)],
            ))
        };
        if query.get("response_type") != Some("code") {
            return Err(back("unsupported_response_type", "only the authorization code is given out here"));
        }
        let scopes = query.get("scope").unwrap_or_default();
        if let Some(other) = scopes
            .split(' ')
            .find(|scope| !scope.is_empty() && !settings.scopes.iter().any(|known| known == scope))
        {
            return Err(back("invalid_scope", other));
        }
        let challenge = query.get("code_challenge");
        if challenge.is_some() && query.get("code_challenge_method") != Some("S256") {
            return Err(back("invalid_request", "the code challenge must be one of S256"));
        }
        let text = |value: Option<&str>| value.map(str::to_owned);
        Ok(Asked {
            client,
            redirect: redirect.to_owned(),
            state: text(state),
            challenge: text(challenge),
            callback: settings.callbacks.first().cloned(),
            scopes: scopes.to_owned(),
        })
    }

    async fn client(&self, form: &Form) -> Result<(String, AppClient), Box<Response<Body>>> {
        let id = form.get("client_id").unwrap_or_default();
        match self.cognito.app_client(&self.pool, id).await {
            Ok(Some(client)) => Ok((id.to_owned(), client)),
            Ok(None) => Err(Box::new(page::refused("invalid_client", "There is no such client."))),
            Err(error) => {
                let text = format!("The local cloud did not answer: {}", error.code);
                Err(Box::new(page::refused("server_error", &text)))
            }
        }
    }

    /// Trades a code, or a refresh token, for tokens.
    async fn tokens(&self, posted: &Form) -> Response<Body> {
        let get = |name: &str| posted.get(name).unwrap_or_default();
        let client = get("client_id");
        match get("grant_type") {
            "authorization_code" => {
                let grant =
                    self.codes.redeem(get("code"), client, get("redirect_uri"), posted.get("code_verifier"));
                grant.map_or_else(|| bad("invalid_grant"), |tokens| given(&tokens))
            }
            "refresh_token" => {
                let refresh = Token::new(get("refresh_token").to_owned());
                match self.cognito.refresh(client, &refresh).await {
                    Ok(tokens) => given(&tokens),
                    Err(_) => bad("invalid_grant"),
                }
            }
            _ => bad("unsupported_grant_type"),
        }
    }

    /// Sends a signed-out browser where the client allows it. There is no session here to end.
    async fn leave(&self, query: &Form) -> Response<Body> {
        let settings = match self.client(query).await {
            Ok((_, settings)) => settings,
            Err(response) => return *response,
        };
        let wanted = query.get("logout_uri").unwrap_or_default();
        if settings.logouts.iter().chain(&self.own_pages).any(|known| known == wanted) {
            return to(wanted, &[]);
        }
        page::refused("invalid_request", "This client may not send users to that URL.")
    }
}

/// To a page, with these parameters.
fn to(url: &str, parameters: &[(&str, Option<&str>)]) -> Response<Body> {
    let mut location = url.to_owned();
    for (name, value) in parameters {
        if let Some(value) = value {
            location.push(if location.contains('?') { '&' } else { '?' });
            location.push_str(&format!("{name}={}", encoded(value)));
        }
    }
    let mut response = answers::answer(StatusCode::SEE_OTHER, "text/plain", "");
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn given(tokens: &Tokens) -> Response<Body> {
    let mut body = json!({
        "access_token": tokens.access.expose(),
        "expires_in": tokens.seconds,
        "token_type": "Bearer",
    });
    for (name, token) in [("id_token", &tokens.id), ("refresh_token", &tokens.refresh)] {
        if let Some(token) = token {
            body[name] = Value::from(token.expose());
        }
    }
    answers::answer(StatusCode::OK, "application/json", body.to_string())
}

fn bad(error: &str) -> Response<Body> {
    answers::answer(StatusCode::BAD_REQUEST, "application/json", json!({ "error": error }).to_string())
}
