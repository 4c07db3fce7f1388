//! A distribution as its template has it.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::cache_policy::CachePolicy;
use super::error::ServeError;
use super::headers::HeadersPolicy;
use super::pattern::{PathPattern, normal};
use super::template::{Resolver, StackValues};

/// What is done with a request without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ViewerProtocol {
    /// It is answered.
    AllowAll,
    /// It is refused.
    HttpsOnly,
    /// It is sent to the same URL with TLS.
    RedirectToHttps,
}

/// What holds for the paths of one pattern.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    /// Pattern; `None`: the default, for what no pattern covers.
    pub(super) pattern: Option<PathPattern>,
    /// Requests without TLS.
    pub(super) protocol: ViewerProtocol,
    /// Methods that are answered.
    pub(super) methods: Vec<Method>,
    /// Whether answers are compressed for viewers that take it.
    pub(super) compress: bool,
    /// How long answers are kept.
    pub(super) cache: CachePolicy,
    /// Key groups of which one must have signed; empty: everybody may read.
    pub(super) key_groups: Vec<String>,
    /// Headers of every answer.
    pub(super) headers: Option<Arc<HeadersPolicy>>,
    /// Version of the function that sees each request first.
    pub(super) viewer_request: Option<String>,
}

/// What viewers get in place of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    /// Status that it is about.
    pub(super) status: u16,
    /// Path of the page to show, and the status to show it with.
    pub(super) page: Option<(String, u16)>,
    /// How long the error is kept, in seconds.
    pub(super) keep_seconds: u64,
}

/// A bucket as an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BucketOrigin {
    /// Name.
    pub(super) bucket: String,
    /// Region.
    pub(super) region: String,
}

/// A distribution.
#[derive(Debug, Clone)]
pub(super) struct Distribution {
    /// Host names of its own, first the one that viewers use.
    pub(super) aliases: Vec<String>,
    /// In the order in which they are tried; the default comes last.
    pub(super) behaviours: Vec<Behaviour>,
    /// Error responses.
    pub(super) errors: Vec<ErrorResponse>,
    /// Where the files are.
    pub(super) origin: BucketOrigin,
}

/// How long CloudFront keeps an error where nothing is said, in seconds.
pub(super) const ERROR_SECONDS: u64 = 10;

impl Distribution {
    /// Reads the distribution of an edge stack's template (functions in their long form), deployed with `values`.
    ///
    /// # Errors
    /// What of the template the local edge does not understand.
    pub(super) fn read(template: &Value, values: &StackValues) -> Result<Self, ServeError> {
        let resolver = Resolver::new(template, values);
        let properties = resolver.properties("Distribution");
        let config = &properties["DistributionConfig"];
        let mut behaviours = Vec::new();
        for behaviour in config["CacheBehaviors"].as_array().into_iter().flatten() {
            behaviours.push(self::behaviour(behaviour, &resolver)?);
        }
        behaviours.push(self::behaviour(&config["DefaultCacheBehavior"], &resolver)?);
        Ok(Self {
            aliases: texts(&config["Aliases"]),
            behaviours,
            errors: config["CustomErrorResponses"].as_array().into_iter().flatten().map(error).collect(),
            origin: origin(&config["Origins"])?,
        })
    }

    /// The behaviour of a path: the first whose pattern covers it, else the default.
    #[must_use]
    pub(super) fn behaviour(&self, path: &str) -> Option<&Behaviour> {
        let path = normal(path);
        self.behaviours
            .iter()
            .find(|behaviour| behaviour.pattern.as_ref().is_none_or(|pattern| pattern.covers(&path)))
    }

    /// Key groups that guard anything.
    pub(super) fn key_groups(&self) -> impl Iterator<Item = &str> {
        self.behaviours.iter().flat_map(|behaviour| behaviour.key_groups.iter().map(String::as_str))
    }
}

fn not_understood(what: &str, value: &Value) -> ServeError {
    ServeError::Template { what: what.to_owned(), value: value.to_string() }
}

fn behaviour(value: &Value, resolver: &Resolver<'_>) -> Result<Behaviour, ServeError> {
    let protocol = match value["ViewerProtocolPolicy"].as_str() {
        Some("allow-all") => ViewerProtocol::AllowAll,
        Some("https-only") => ViewerProtocol::HttpsOnly,
        Some("redirect-to-https") => ViewerProtocol::RedirectToHttps,
        _ => return Err(not_understood("ViewerProtocolPolicy", &value["ViewerProtocolPolicy"])),
    };
    let methods = match value.get("AllowedMethods") {
        None => vec![Method::GET, Method::HEAD],
        Some(list) => texts(list)
            .iter()
            .map(|name| {
                Method::from_bytes(name.as_bytes()).map_err(|_| not_understood("AllowedMethods", list))
            })
            .collect::<Result<_, _>>()?,
    };
    let mut viewer_request = None;
    for association in value["LambdaFunctionAssociations"].as_array().into_iter().flatten() {
        if association["EventType"] != "viewer-request" {
            return Err(not_understood("LambdaFunctionAssociations", association));
        }
        viewer_request = association["LambdaFunctionARN"].as_str().map(str::to_owned);
    }
    if value.get("FunctionAssociations").is_some() || value.get("TrustedSigners").is_some() {
        return Err(not_understood("a cache behaviour", value));
    }
    let policy = &value["CachePolicyId"];
    let id = policy.as_str().ok_or_else(|| not_understood("CachePolicyId", policy))?;
    let cache = match CachePolicy::managed(id) {
        Some(managed) => managed,
        None => CachePolicy::of(&resolver.properties(id))
            .ok_or_else(|| not_understood("CachePolicyId", policy))?,
    };
    let headers = match value["ResponseHeadersPolicyId"].as_str() {
        None => None,
        Some(id) => {
            let properties = resolver.properties(id);
            let policy = HeadersPolicy::of(&properties["ResponseHeadersPolicyConfig"]);
            Some(Arc::new(policy.ok_or_else(|| not_understood("ResponseHeadersPolicyId", &properties))?))
        }
    };
    Ok(Behaviour {
        pattern: value["PathPattern"].as_str().map(PathPattern::new),
        protocol,
        methods,
        compress: value["Compress"].as_bool().unwrap_or(false),
        cache,
        key_groups: texts(&value["TrustedKeyGroups"]),
        headers,
        viewer_request,
    })
}

fn error(value: &Value) -> ErrorResponse {
    let number = |name: &str| value[name].as_u64().and_then(|number| u16::try_from(number).ok());
    let status = number("ErrorCode").unwrap_or_default();
    let page = value["ResponsePagePath"].as_str();
    ErrorResponse {
        status,
        page: page.map(|path| (path.to_owned(), number("ResponseCode").unwrap_or(status))),
        keep_seconds: value["ErrorCachingMinTTL"].as_u64().unwrap_or(ERROR_SECONDS),
    }
}

/// The only origin: a bucket, by its regional domain name.
fn origin(origins: &Value) -> Result<BucketOrigin, ServeError> {
    let [origin] = origins.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(not_understood("Origins", origins));
    };
    let domain = &origin["DomainName"];
    let found = domain.as_str().and_then(|domain| {
        let (bucket, region) = domain.strip_suffix(".amazonaws.com")?.rsplit_once(".s3.")?;
        Some(BucketOrigin { bucket: bucket.to_owned(), region: region.to_owned() })
    });
    found.ok_or_else(|| not_understood("DomainName", domain))
}

pub(super) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template() -> Value {
        let behaviour = |pattern: Option<&str>, keys: bool| {
            let mut behaviour = json!({
                "TargetOriginId": "content",
                "ViewerProtocolPolicy": "redirect-to-https",
                "AllowedMethods": ["GET", "HEAD"],
                "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            });
            if let Some(pattern) = pattern {
                behaviour["PathPattern"] = pattern.into();
            }
            if keys {
                behaviour["TrustedKeyGroups"] = json!([{ "Fn::GetAtt": ["Keyring", "KeyGroupId"] }]);
            }
            behaviour
        };
        json!({
            "Resources": { "Distribution": { "Properties": { "DistributionConfig": {
                "CacheBehaviors": [behaviour(Some("/a/inner/*"), true), behaviour(Some("/a/*"), false)],
                "DefaultCacheBehavior": behaviour(None, true),
                "CustomErrorResponses": [
                    { "ErrorCode": 403, "ResponsePagePath": "/e.html", "ResponseCode": 404, "ErrorCachingMinTTL": 0 },
                    { "ErrorCode": 404 },
                ],
                "Origins": [{ "Id": "content", "DomainName": { "Ref": "Bucket" } }],
            } } } },
            "Outputs": { "KeyGroupId": { "Value": { "Fn::GetAtt": ["Keyring", "KeyGroupId"] } } },
        })
    }

    fn values() -> StackValues {
        let one = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
        StackValues {
            parameters: one("Bucket", "my.s3.bucket.s3.eu-north-1.amazonaws.com"),
            outputs: one("KeyGroupId", "G1"),
        }
    }

    #[test]
    fn the_first_pattern_counts_and_the_default_comes_last() {
        let distribution = Distribution::read(&template(), &values()).expect("a distribution");
        let guarded =
            |path: &str| distribution.behaviour(path).is_some_and(|found| found.key_groups == ["G1"]);
        assert!(guarded("/a/inner/x") && !guarded("/a/x") && guarded("/b") && guarded("/"));
        assert!(guarded("/a/%2E./b"), "a way round the pattern");
        let origin = &distribution.origin;
        assert_eq!((origin.bucket.as_str(), origin.region.as_str()), ("my.s3.bucket", "eu-north-1"));
        let pages: Vec<_> =
            distribution.errors.iter().map(|error| (error.page.clone(), error.keep_seconds)).collect();
        assert_eq!(pages, [(Some(("/e.html".to_owned(), 404)), 0), (None, ERROR_SECONDS)]);
    }

    #[test]
    fn what_would_have_to_be_guessed_is_refused() {
        let changed = |at: &str, value: Value| {
            let mut template = template();
            template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]
                [at] = value;
            Distribution::read(&template, &values()).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(changed("Compress", json!(true)), Ok(()));
        for (at, value) in [
            ("ViewerProtocolPolicy", json!("sometimes")),
            ("CachePolicyId", json!("unknown")),
            ("ResponseHeadersPolicyId", json!("unknown")),
            ("TrustedSigners", json!(["self"])),
            ("FunctionAssociations", json!([])),
            ("LambdaFunctionAssociations", json!([{ "EventType": "origin-request" }])),
        ] {
            assert!(changed(at, value).is_err(), "{at}");
        }
    }
}
