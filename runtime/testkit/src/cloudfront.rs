//! Which responses CloudFront takes from a viewer-request function; it answers 502 in place of any other.
//! Sources: AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses,
//! edge-function-restrictions-all (headers) and cloudfront-limits (size).

use serde_json::{Map, Value};

/// Largest generated response, in bytes, body and headers together.
pub const RESPONSE_MAX: usize = 40 * 1024;

/// Headers that a function may not set, as whole names.
const FORBIDDEN: [&str; 12] = [
    "connection",
    "expect",
    "keep-alive",
    "trailer",
    "upgrade",
    "x-forwarded-proto",
    "x-real-ip",
    // Read only in a viewer request.
    "cdn-loop",
    "content-length",
    "host",
    "transfer-encoding",
    "via",
];
/// Headers that a function may not set, by their beginning.
const FORBIDDEN_PREFIXES: [&str; 6] = ["proxy-", "x-accel-", "x-amz-cf-", "x-amzn-", "x-cache", "x-edge-"];

/// A response that CloudFront takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// Status.
    pub status: u16,
    /// The body; absent and empty are the same to CloudFront, but not to a test.
    pub body: Option<String>,
    headers: Map<String, Value>,
}

impl Accepted {
    /// Values of a header, by its name in lower case.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let list = self.headers.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|entry| entry["value"].as_str()).collect()
    }

    /// Names of all headers, in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.keys().map(String::as_str)
    }

    /// The stable code of a refusal; empty where the body names none.
    #[must_use]
    pub fn code(&self) -> String {
        let body: Value = self.json();
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The body as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(self.body.as_deref().unwrap_or_default()).unwrap_or_default()
    }
}

/// Reads a response as CloudFront would.
///
/// # Errors
/// The rule that it breaks.
pub fn accept(json: &str) -> Result<Accepted, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"))?;
    let object = value.as_object().ok_or("not an object")?;
    let known = ["status", "statusDescription", "headers", "body", "bodyEncoding"];
    if let Some(other) = object.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("the field `{other}` is not documented"));
    }
    let status = status(object.get("status"))?;
    if let Some(description) = object.get("statusDescription") {
        let text = description.as_str().ok_or("the status description is no text")?;
        printable(text).map_err(|error| format!("status description: {error}"))?;
    }
    let headers = match object.get("headers") {
        None => Map::new(),
        Some(headers) => headers.as_object().ok_or("the headers are no object")?.clone(),
    };
    let mut size = 0;
    for (name, entries) in &headers {
        size += header(name, entries)?;
    }
    let body = body(object)?;
    if status == 204 && body.is_some() {
        return Err("status 204 with a body".into());
    }
    size += body.as_ref().map_or(0, String::len);
    if size > RESPONSE_MAX {
        return Err(format!("{size} bytes"));
    }
    Ok(Accepted { status, body, headers })
}

fn status(value: Option<&Value>) -> Result<u16, String> {
    let text = value.and_then(Value::as_str).ok_or("the status is no text")?;
    let number = text.parse().ok().filter(|number: &u16| number.to_string() == text);
    number.filter(|number| (200..600).contains(number)).ok_or_else(|| format!("the status `{text}`"))
}

/// Checks one header and returns its size.
fn header(name: &str, entries: &Value) -> Result<usize, String> {
    let is_name =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(format!("the header name `{name}`"));
    }
    if FORBIDDEN.contains(&name) || FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Err(format!("the header `{name}` may not be set"));
    }
    let entries = entries.as_array().filter(|list| !list.is_empty());
    let mut size = 0;
    for entry in entries.ok_or_else(|| format!("the header `{name}` is no list of values"))? {
        let fields = entry.as_object().ok_or_else(|| format!("a value of `{name}` is no object"))?;
        if let Some(key) = fields.get("key")
            && !key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name))
        {
            return Err(format!("a value of `{name}` names the header {key}"));
        }
        let value = fields.get("value").and_then(Value::as_str);
        let value = value.ok_or_else(|| format!("a value of `{name}` is no text"))?;
        printable(value).map_err(|error| format!("a value of `{name}`: {error}"))?;
        size += name.len() + value.len();
    }
    Ok(size)
}

fn body(object: &Map<String, Value>) -> Result<Option<String>, String> {
    let encoding = match object.get("bodyEncoding") {
        None => "text",
        Some(encoding) => encoding.as_str().ok_or("the encoding is no text")?,
    };
    if encoding != "text" {
        return Err(format!("the body's encoding `{encoding}`, which this function never needs"));
    }
    match object.get("body") {
        None => Ok(None),
        Some(body) => Ok(Some(body.as_str().ok_or("the body is no text")?.to_owned())),
    }
}

/// Text of one line that every HTTP library takes as a header's value.
fn printable(text: &str) -> Result<(), String> {
    match text.bytes().find(|byte| !(b' '..=b'~').contains(byte)) {
        Some(byte) => Err(format!("the byte {byte:#04x} in {text:?}")),
        None if text.starts_with(' ') || text.ends_with(' ') => Err(format!("blanks around {text:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_response_is_read() {
        let accepted = accept(
            r#"{"status":"200","statusDescription":"OK","bodyEncoding":"text","body":"{\"a\":1}",
            "headers":{"set-cookie":[{"key":"Set-Cookie","value":"a=1"},{"value":"b=2"}]}}"#,
        )
        .expect("a good response");
        assert_eq!((accepted.status, accepted.values("set-cookie")), (200, vec!["a=1", "b=2"]));
        assert_eq!(accepted.json()["a"], 1);
        assert!(accept(r#"{"status":"204"}"#).is_ok());
    }

    #[test]
    fn what_cloudfront_refuses_is_refused() {
        for response in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"status":200}"#,
            r#"{"status":"100"}"#,
            r#"{"status":"600"}"#,
            r#"{"status":"0200"}"#,
            r#"{"status":"204","body":""}"#,
            r#"{"status":"200","cookies":[]}"#,
            r#"{"status":"200","body":1}"#,
            r#"{"status":"200","body":"YQ","bodyEncoding":"hex"}"#,
            r#"{"status":"200","statusDescription":"O\r\nK"}"#,
            r#"{"status":"200","headers":{"Allow":[{"value":"GET"}]}}"#,
            r#"{"status":"200","headers":{"a b":[{"value":"GET"}]}}"#,
            r#"{"status":"200","headers":{"allow":"GET"}}"#,
            r#"{"status":"200","headers":{"allow":[]}}"#,
            r#"{"status":"200","headers":{"allow":[{"key":"Vary","value":"GET"}]}}"#,
            r#"{"status":"200","headers":{"allow":[{"value":"G\u00e4T"}]}}"#,
            r#"{"status":"200","headers":{"allow":[{"value":"G\r\nET"}]}}"#,
            r#"{"status":"200","headers":{"via":[{"value":"a"}]}}"#,
            r#"{"status":"200","headers":{"x-edge-a":[{"value":"a"}]}}"#,
            r#"{"status":"200","headers":{"x-amz-cf-id":[{"value":"a"}]}}"#,
        ] {
            assert!(accept(response).is_err(), "{response}");
        }
        let body = "a".repeat(RESPONSE_MAX + 1);
        assert!(accept(&serde_json::json!({ "status": "200", "body": body }).to_string()).is_err());
    }
}
