//! What CloudFront takes from a viewer-request function, and what it answers 502 instead of.
//! Sources: AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses, edge-function-restrictions-all
//! and cloudfront-limits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// Longest path and longest query of a request that is handed on, in bytes.
const LONGEST: usize = 8_192;
/// Largest generated response, headers and body together, in bytes.
const SIZE: usize = 40 * 1024;
/// Headers that no function may set.
const DISALLOWED: [&str; 7] =
    ["connection", "expect", "keep-alive", "trailer", "upgrade", "x-forwarded-proto", "x-real-ip"];
/// Headers that a viewer-request function may only read.
const READ_ONLY: [&str; 5] = ["cdn-loop", "content-length", "host", "transfer-encoding", "via"];
/// Beginnings of header names that no function may set.
const RESERVED: [&str; 6] = ["proxy-", "x-accel-", "x-amz-cf-", "x-amzn-", "x-cache", "x-edge-"];

/// What a function has decided.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The viewer gets this; the origin is not asked.
    Answer {
        /// Status.
        status: StatusCode,
        /// Headers.
        headers: HeaderMap,
        /// Body.
        body: Vec<u8>,
    },
    /// The request goes on, with this path and query.
    GoOn {
        /// Path.
        uri: String,
        /// Query, without the question mark.
        query: String,
    },
}

/// Whether a header is neither shown to functions nor taken from them.
pub(super) fn is_disallowed(name: &str) -> bool {
    DISALLOWED.contains(&name) || RESERVED.iter().any(|beginning| name.starts_with(beginning))
}

/// Reads what a function has returned for `request`, a request in the form in which functions see it.
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn read(value: &Value, request: &Value) -> Result<Decision, String> {
    let object = value.as_object().ok_or("it returned no object")?;
    if !object.contains_key("status") && object.contains_key("uri") {
        return handed_on(value, request);
    }
    let status = value["status"].as_str().ok_or("the status is no text")?;
    let number = status.parse().ok().filter(|number| (200..=599).contains(number) && status.len() == 3);
    let status =
        number.and_then(|number: u16| StatusCode::from_u16(number).ok()).ok_or("the status is none")?;
    let mut headers = HeaderMap::new();
    let mut size = 0;
    for (name, entries) in value["headers"].as_object().into_iter().flatten() {
        size += set(name, entries, &mut headers)?;
    }
    if value.get("headers").is_some_and(|headers| !headers.is_object()) {
        return Err("the headers are no object".into());
    }
    let body = body(value)?;
    if status == StatusCode::NO_CONTENT && body.is_some() {
        return Err("a response without content has a body".into());
    }
    let body = body.unwrap_or_default();
    if size + body.len() > SIZE {
        return Err(format!("the response has {} bytes, and {SIZE} are allowed", size + body.len()));
    }
    Ok(Decision::Answer { status, headers, body })
}

/// A request that goes on. What is read only in it must be as it was shown.
fn handed_on(value: &Value, request: &Value) -> Result<Decision, String> {
    for name in ["method", "clientIp"] {
        if value.get(name).is_some_and(|own| *own != request[name]) {
            return Err(format!("`{name}` of the request is read only"));
        }
    }
    for (name, entries) in value["headers"].as_object().into_iter().flatten() {
        let lower = name.to_ascii_lowercase();
        if is_disallowed(&lower) {
            return Err(format!("the header `{name}` may not be set"));
        }
        if READ_ONLY.contains(&lower.as_str()) && *entries != request["headers"][&lower] {
            return Err(format!("the header `{name}` is read only"));
        }
        add(name, entries, &mut HeaderMap::new())?;
    }
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let uri = text("uri").filter(|uri| uri.starts_with('/')).ok_or("the uri is no path")?;
    let query = text("querystring").unwrap_or_default();
    if uri.len() > LONGEST || query.len() > LONGEST {
        return Err(format!("path or query has more than {LONGEST} bytes"));
    }
    Ok(Decision::GoOn { uri, query })
}

/// A header of a response.
fn set(name: &str, entries: &Value, headers: &mut HeaderMap) -> Result<usize, String> {
    let lower = name.to_ascii_lowercase();
    if is_disallowed(&lower) || READ_ONLY.contains(&lower.as_str()) {
        return Err(format!("the header `{name}` may not be set"));
    }
    add(name, entries, headers)
}

fn add(name: &str, entries: &Value, headers: &mut HeaderMap) -> Result<usize, String> {
    let parsed: HeaderName =
        name.to_ascii_lowercase().parse().map_err(|_| format!("`{name}` is no header"))?;
    let entries = entries.as_array().filter(|entries| !entries.is_empty());
    let mut size = 0;
    for entry in entries.ok_or_else(|| format!("the header `{name}` has no list of values"))? {
        if entry.get("key").is_some_and(|key| !key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name)))
        {
            return Err(format!("a value of `{name}` is under another name"));
        }
        let value = entry["value"].as_str().ok_or_else(|| format!("a value of `{name}` is no text"))?;
        let value: HeaderValue = value.parse().map_err(|_| format!("a value of `{name}` is none"))?;
        size += name.len() + value.len();
        headers.append(parsed.clone(), value);
    }
    Ok(size)
}

fn body(value: &Value) -> Result<Option<Vec<u8>>, String> {
    let Some(body) = value.get("body") else { return Ok(None) };
    let text = body.as_str().ok_or("the body is no text")?;
    match value.get("bodyEncoding").map_or(Some("text"), Value::as_str) {
        Some("text") => Ok(Some(text.as_bytes().to_vec())),
        Some("base64") => STANDARD.decode(text).map(Some).map_err(|_| "the body is not base64".into()),
        _ => Err("the encoding of the body is unknown".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_generated_response_keeps_all_its_cookies() {
        let value = json!({ "status": "200", "body": "aGk=", "bodyEncoding": "base64", "headers": {
            "set-cookie": [{ "key": "Set-Cookie", "value": "a=1" }, { "value": "b=2" }],
        } });
        let Ok(Decision::Answer { status, headers, body }) = read(&value, &asked()) else {
            panic!("a response")
        };
        assert_eq!((status.as_u16(), body.as_slice()), (200, b"hi".as_slice()));
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        assert!(testkit::cloudfront::accept(&json!({ "status": "204" }).to_string()).is_ok());
        assert!(read(&json!({ "status": "204" }), &asked()).is_ok());
    }

    #[test]
    fn a_request_goes_on() {
        let value = json!({ "uri": "/b", "querystring": "c=1", "method": "GET", "headers": {} });
        assert_eq!(read(&value, &asked()), Ok(Decision::GoOn { uri: "/b".into(), query: "c=1".into() }));
        let whole = Ok(Decision::GoOn { uri: "/a".into(), query: String::new() });
        assert_eq!(read(&asked(), &asked()), whole);
        let mut added = asked();
        added["headers"]["X-Own"] = json!([{ "key": "X-Own", "value": "1" }]);
        assert_eq!(read(&added, &asked()), whole);
    }

    #[test]
    fn what_is_read_only_in_a_request_stays_as_it_is() {
        let one = |value: &str| json!([{ "value": value }]);
        for (at, value) in [
            ("/method", json!("POST")),
            ("/clientIp", json!("192.0.2.8")),
            ("/uri", json!("b")),
            ("/uri", json!(format!("/{}", "a".repeat(LONGEST)))),
            ("/querystring", json!("a".repeat(LONGEST + 1))),
            ("/headers/host", one("other.example")),
            ("/headers/via", one("1.1 a")),
            ("/headers/content-length", one("1")),
            ("/headers/x-edge-location", one("a")),
            ("/headers/x-real-ip", one("192.0.2.8")),
            ("/headers/accept", json!("text/html")),
        ] {
            let mut changed = asked();
            let (parent, name) = at.rsplit_once('/').expect("a place");
            changed.pointer_mut(parent).expect("a parent")[name] = value;
            assert!(read(&changed, &asked()).is_err(), "{at}");
        }
    }

    /// A request as functions see it.
    fn asked() -> Value {
        json!({
            "clientIp": "192.0.2.7", "method": "GET", "uri": "/a", "querystring": "",
            "headers": {
                "host": [{ "key": "Host", "value": "media.example" }],
                "accept": [{ "key": "accept", "value": "*/*" }],
            },
        })
    }

    /// The rules were written twice, here and for the tests of the signer: they must agree.
    #[test]
    fn what_breaks_a_rule_is_refused_by_both_readings_of_the_rules() {
        let large = "a".repeat(SIZE + 1);
        for value in [
            json!(null),
            json!({}),
            json!({ "status": 200 }),
            json!({ "status": "100" }),
            json!({ "status": "0200" }),
            json!({ "status": "204", "body": "" }),
            json!({ "status": "200", "body": 1 }),
            json!({ "status": "200", "body": "YQ", "bodyEncoding": "hex" }),
            json!({ "status": "200", "body": large }),
            json!({ "status": "200", "headers": [] }),
            json!({ "status": "200", "headers": { "allow": "GET" } }),
            json!({ "status": "200", "headers": { "allow": [] } }),
            json!({ "status": "200", "headers": { "allow": [{ "key": "Vary", "value": "GET" }] } }),
            json!({ "status": "200", "headers": { "allow": [{ "value": "G\r\nET" }] } }),
            json!({ "status": "200", "headers": { "a b": [{ "value": "GET" }] } }),
            json!({ "status": "200", "headers": { "host": [{ "value": "a" }] } }),
            json!({ "status": "200", "headers": { "x-edge-a": [{ "value": "a" }] } }),
            json!({ "status": "200", "headers": { "x-amz-cf-id": [{ "value": "a" }] } }),
        ] {
            assert!(read(&value, &asked()).is_err(), "{value:.200}");
            assert!(testkit::cloudfront::accept(&value.to_string()).is_err(), "{value:.200}");
        }
    }
}
