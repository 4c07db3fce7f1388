//! Why a request is refused, and what the viewer is told of it.

use serde_json::json;

use crate::response::Response;

/// Seconds after which a viewer may try again where keys could not be had.
const RETRY_AFTER: &str = "5";

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:literal $code:literal $(bearer $error:literal)?;)+) => {
        /// A reason to refuse. Code and status are stable: pages and alarms depend on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal { $($(#[doc = $doc])+ $name,)+ }

        impl Refusal {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Stable code in the body and in the log.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// HTTP status.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// Error code of RFC 6750, where the reason lies in the token.
            fn bearer_error(self) -> Option<&'static str> {
                match self { $(Self::$name => [$($error)?].first().copied(),)+ }
            }
        }
    };
}

refusals! {
    /// Not a viewer request that can be read.
    RequestMalformed = 400 "request_malformed";
    /// More than one `Authorization` header, or not the form of a bearer token.
    AuthorizationMalformed = 400 "authorization_malformed" bearer "invalid_request";
    /// Longer than any token of Cognito.
    TokenTooLarge = 400 "token_too_large" bearer "invalid_request";
    /// No bearer token at all.
    TokenMissing = 401 "token_missing";
    /// Not three parts of base64 with JSON inside, or a header or claim of a wrong type.
    TokenMalformed = 401 "token_malformed" bearer "invalid_token";
    /// A header parameter that would make the token choose its own key or form.
    TokenHeaderRefused = 401 "token_header_refused" bearer "invalid_token";
    /// Another algorithm than RS256.
    TokenAlgorithmRefused = 401 "token_algorithm_refused" bearer "invalid_token";
    /// A key that the user pool does not publish.
    TokenKeyUnknown = 401 "token_key_unknown" bearer "invalid_token";
    /// The signature is not the key's.
    TokenSignatureWrong = 401 "token_signature_wrong" bearer "invalid_token";
    /// From another user pool.
    TokenIssuerWrong = 401 "token_issuer_wrong" bearer "invalid_token";
    /// An ID token: it says who the user is, not that a client may act for them.
    IdTokenRefused = 401 "id_token_refused" bearer "invalid_token";
    /// Neither an access token nor an ID token.
    TokenUseWrong = 401 "token_use_wrong" bearer "invalid_token";
    /// Issued to another app client.
    TokenClientWrong = 401 "token_client_wrong" bearer "invalid_token";
    /// Expired.
    TokenExpired = 401 "token_expired" bearer "invalid_token";
    /// Issued in the future, or not valid yet.
    TokenNotYetValid = 401 "token_not_yet_valid" bearer "invalid_token";
    /// Valid, but without a scope that the tenant demands.
    ScopeMissing = 403 "scope_missing" bearer "insufficient_scope";
    /// Valid, but the user is in no group that the tenant demands.
    GroupMissing = 403 "group_missing";
    /// Cookies are bound to an IPv4 address, and the viewer has none.
    AddressUnsupported = 403 "address_unsupported";
    /// A host that cookies are not issued for.
    HostNotServed = 403 "host_not_served";
    /// A web origin that may not call this endpoint.
    OriginNotAllowed = 403 "origin_not_allowed";
    /// Removal asked for by another site.
    CrossSite = 403 "cross_site";
    /// Neither `/cookie` nor below it.
    NotFound = 404 "not_found";
    /// Neither `GET` nor `OPTIONS`.
    MethodNotAllowed = 405 "method_not_allowed";
    /// Our bug.
    Internal = 500 "internal";
    /// Configuration, signing key or token keys cannot be had at present.
    Unavailable = 503 "unavailable";
}

impl Refusal {
    /// The response, before headers of CORS. `scopes`: what the tenant demands.
    #[must_use]
    pub fn response(self, scopes: &[String]) -> Response {
        let response = Response::json(self.status(), &json!({ "error": { "code": self.code() } }));
        let response = match self {
            Self::MethodNotAllowed => response.header("Allow", "GET, OPTIONS"),
            Self::Unavailable => response.header("Retry-After", RETRY_AFTER),
            _ => response,
        };
        match (self, self.bearer_error()) {
            (Self::TokenMissing, _) => response.header("WWW-Authenticate", "Bearer"),
            (_, None) => response,
            (_, Some(error)) => {
                let mut challenge =
                    format!("Bearer error=\"{error}\", error_description=\"{}\"", self.code());
                let named: Vec<&str> = scopes.iter().map(String::as_str).filter(|s| is_scope(s)).collect();
                if self == Self::ScopeMissing && !named.is_empty() {
                    challenge.push_str(&format!(", scope=\"{}\"", named.join(" ")));
                }
                response.header("WWW-Authenticate", challenge)
            }
        }
    }
}

/// A scope of RFC 6749, which may stand between quotes.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_differ_and_say_nothing_but_themselves() {
        let codes: HashSet<&str> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        let response = Refusal::TokenExpired.response(&[]);
        assert_eq!(response.body(), Some(r#"{"error":{"code":"token_expired"}}"#));
    }

    #[test]
    fn challenges_are_those_of_rfc_6750() {
        let challenge = |refusal: Refusal, scopes: &[String]| {
            refusal.response(scopes).values("WWW-Authenticate").first().cloned()
        };
        assert_eq!(challenge(Refusal::TokenMissing, &[]).as_deref(), Some("Bearer"));
        assert_eq!(
            challenge(Refusal::TokenExpired, &[]).as_deref(),
            Some(r#"Bearer error="invalid_token", error_description="token_expired""#)
        );
        assert_eq!(
            challenge(Refusal::ScopeMissing, &["media/read".into(), "a\"b".into()]).as_deref(),
            Some(
                r#"Bearer error="insufficient_scope", error_description="scope_missing", scope="media/read""#
            )
        );
        assert_eq!(challenge(Refusal::HostNotServed, &[]), None);
        for refusal in Refusal::ALL {
            assert_eq!(refusal.status() == 401, refusal.response(&[]).status() == 401);
            assert!(refusal.status() != 401 || challenge(*refusal, &[]).is_some(), "{refusal:?}");
        }
    }

    #[test]
    fn the_method_and_the_wait_are_named() {
        assert_eq!(Refusal::MethodNotAllowed.response(&[]).values("Allow"), ["GET, OPTIONS"]);
        assert_eq!(Refusal::Unavailable.response(&[]).values("Retry-After"), ["5"]);
    }
}
