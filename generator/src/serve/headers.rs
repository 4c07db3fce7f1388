//! A response headers policy: security headers, CORS, headers of the tenant's own.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::distribution::texts;

/// Parts of CORS settings. The bucket says nothing of CORS through the edge, so it does not matter who would win.
const CORS: [&str; 7] = [
    "AccessControlAllowCredentials",
    "AccessControlAllowHeaders",
    "AccessControlAllowMethods",
    "AccessControlAllowOrigins",
    "AccessControlExposeHeaders",
    "AccessControlMaxAgeSec",
    "OriginOverride",
];

/// A header that is set on every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fixed {
    name: HeaderName,
    value: HeaderValue,
    /// Whether it takes the place of what the origin says.
    wins: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cors {
    credentials: bool,
    origins: Vec<String>,
    methods: String,
    headers: String,
    exposed: String,
    /// How long a browser may remember what it may ask, in seconds.
    remembered: Option<u64>,
}

/// A response headers policy.
/// Source: AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadersPolicy {
    fixed: Vec<Fixed>,
    cors: Option<Cors>,
}

impl HeadersPolicy {
    /// Reads a `ResponseHeadersPolicyConfig`; `None` for one with a part that is not understood.
    #[must_use]
    pub(super) fn of(config: &Value) -> Option<Self> {
        let mut fixed = Vec::new();
        let known = ["Name", "Comment", "SecurityHeadersConfig", "CorsConfig", "CustomHeadersConfig"];
        if !config.as_object()?.keys().all(|key| known.contains(&key.as_str())) {
            return None;
        }
        for (part, settings) in config["SecurityHeadersConfig"].as_object().into_iter().flatten() {
            let (name, value) = security_header(part, settings)?;
            fixed.push(Fixed {
                name,
                value: HeaderValue::from_str(&value).ok()?,
                wins: settings["Override"] == true,
            });
        }
        for item in config["CustomHeadersConfig"]["Items"].as_array().into_iter().flatten() {
            fixed.push(Fixed {
                name: item["Header"].as_str()?.parse().ok()?,
                value: item["Value"].as_str()?.parse().ok()?,
                wins: item["Override"] == true,
            });
        }
        if !config["CorsConfig"]
            .as_object()
            .is_none_or(|cors| cors.keys().all(|key| CORS.contains(&key.as_str())))
        {
            return None;
        }
        let cors = config.get("CorsConfig").map(|cors| Cors {
            remembered: cors["AccessControlMaxAgeSec"].as_u64(),
            credentials: cors["AccessControlAllowCredentials"] == true,
            origins: texts(&cors["AccessControlAllowOrigins"]["Items"]),
            methods: texts(&cors["AccessControlAllowMethods"]["Items"]).join(", "),
            headers: texts(&cors["AccessControlAllowHeaders"]["Items"]).join(", "),
            exposed: texts(&cors["AccessControlExposeHeaders"]["Items"]).join(", "),
        });
        Some(Self { fixed, cors })
    }

    /// Whether pages of this origin may read answers.
    #[must_use]
    pub(super) fn allows(&self, origin: &str) -> bool {
        let cors = self.cors.as_ref();
        cors.is_some_and(|cors| cors.origins.iter().any(|known| known == "*" || known == origin))
    }

    /// Sets the headers of an answer to a request from `origin`; `preflight`: it asks what it may ask.
    pub(super) fn apply(&self, answer: &mut HeaderMap, origin: Option<&str>, preflight: bool) {
        for header in &self.fixed {
            if header.wins || !answer.contains_key(&header.name) {
                answer.insert(header.name.clone(), header.value.clone());
            }
        }
        let (Some(cors), Some(origin)) = (&self.cors, origin) else { return };
        if !self.allows(origin) {
            return;
        }
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                answer.insert(name, value);
            }
        };
        // With credentials a browser takes no `*`.
        let whole = !cors.credentials && cors.origins.iter().any(|known| known == "*");
        set(ACCESS_CONTROL_ALLOW_ORIGIN, if whole { "*" } else { origin });
        if cors.credentials {
            set(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        if preflight {
            set(ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
            set(ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
            if let Some(seconds) = cors.remembered {
                set(ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
            }
        } else if !cors.exposed.is_empty() {
            set(ACCESS_CONTROL_EXPOSE_HEADERS, &cors.exposed);
        }
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }
}

fn security_header(part: &str, settings: &Value) -> Option<(HeaderName, String)> {
    let text = |name: &str| settings[name].as_str().map(str::to_owned);
    Some(match part {
        "ContentSecurityPolicy" => (CONTENT_SECURITY_POLICY, text(part)?),
        "ContentTypeOptions" => (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        "FrameOptions" => (X_FRAME_OPTIONS, text("FrameOption")?),
        "ReferrerPolicy" => (REFERRER_POLICY, text(part)?),
        "StrictTransportSecurity" => {
            let mut value = format!("max-age={}", settings["AccessControlMaxAgeSec"].as_u64()?);
            if settings["IncludeSubdomains"] == true {
                value.push_str("; includeSubDomains");
            }
            if settings["Preload"] == true {
                value.push_str("; preload");
            }
            (STRICT_TRANSPORT_SECURITY, value)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy() -> HeadersPolicy {
        HeadersPolicy::of(&json!({
            "Name": "n",
            "SecurityHeadersConfig": {
                "ContentTypeOptions": { "Override": true },
                "FrameOptions": { "FrameOption": "DENY", "Override": false },
                "StrictTransportSecurity": {
                    "AccessControlMaxAgeSec": 60, "IncludeSubdomains": true, "Override": true,
                },
            },
            "CustomHeadersConfig": { "Items": [{ "Header": "x-robots-tag", "Value": "noindex", "Override": true }] },
            "CorsConfig": {
                "AccessControlAllowCredentials": true,
                "AccessControlAllowHeaders": { "Items": ["Range"] },
                "AccessControlAllowMethods": { "Items": ["GET", "HEAD"] },
                "AccessControlAllowOrigins": { "Items": ["https://app.example"] },
                "AccessControlExposeHeaders": { "Items": ["ETag"] },
                "AccessControlMaxAgeSec": 600,
                "OriginOverride": true,
            },
        }))
        .expect("a policy")
    }

    #[test]
    fn what_may_not_win_gives_way_to_the_origin() {
        let mut answer = HeaderMap::new();
        answer.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        policy().apply(&mut answer, None, false);
        assert_eq!(answer[X_FRAME_OPTIONS], "SAMEORIGIN");
        assert_eq!(answer[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer[STRICT_TRANSPORT_SECURITY], "max-age=60; includeSubDomains");
        assert_eq!(answer["x-robots-tag"], "noindex");
        assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[test]
    fn only_a_listed_origin_may_read() {
        let mut answer = HeaderMap::new();
        policy().apply(&mut answer, Some("https://evil.example"), false);
        assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        policy().apply(&mut answer, Some("https://app.example"), true);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD");
        assert_eq!(answer[ACCESS_CONTROL_MAX_AGE], "600");
        assert!(!answer.contains_key(ACCESS_CONTROL_EXPOSE_HEADERS));
        let mut answer = HeaderMap::new();
        policy().apply(&mut answer, Some("https://app.example"), false);
        assert_eq!(answer[ACCESS_CONTROL_EXPOSE_HEADERS], "ETag");
        assert!(!answer.contains_key(ACCESS_CONTROL_MAX_AGE));
    }

    #[test]
    fn whoever_needs_no_credentials_may_be_anybody() {
        let open = HeadersPolicy::of(&json!({ "CorsConfig": {
            "AccessControlAllowCredentials": false,
            "AccessControlAllowOrigins": { "Items": ["*"] },
        } }));
        let mut answer = HeaderMap::new();
        open.expect("a policy").apply(&mut answer, Some("https://any.example"), false);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    }

    #[test]
    fn an_unknown_part_is_not_passed_over() {
        assert_eq!(HeadersPolicy::of(&json!({ "RemoveHeadersConfig": {} })), None);
        assert_eq!(HeadersPolicy::of(&json!({ "CorsConfig": { "Unknown": 1 } })), None);
        assert_eq!(HeadersPolicy::of(&Value::Null), None);
    }
}
