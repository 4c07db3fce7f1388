//! The response object that CloudFront takes from a viewer-request function.
//! Source: AmazonCloudFront/latest/DeveloperGuide/lambda-generating-http-responses.

use std::sync::OnceLock;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// A generated response. CloudFront wants the status as text, header names in lower case as keys, a list
/// of values under each, and no body at all beside status 204.
#[derive(Debug, Clone)]
pub struct Response {
    status: u16,
    headers: Vec<(&'static str, Vec<String>)>,
    body: Option<String>,
    /// The whole as text, from the first time that it was asked for: one response goes to many viewers.
    json: OnceLock<String>,
}

impl Response {
    /// A response without a body, never to be cached.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![], body: None, json: OnceLock::new() }
            .header("Cache-Control", "no-store")
            .header("Vary", "Origin")
            .header("X-Content-Type-Options", "nosniff")
    }

    /// A response with a JSON body, never to be cached.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let mut response = Self::empty(status).header("Content-Type", "application/json");
        response.body = Some(body.to_string());
        response
    }

    /// Adds a header, or a value to one that is there.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.json = OnceLock::new();
        match self.headers.iter_mut().find(|(present, _)| *present == name) {
            Some((_, values)) => values.push(value.into()),
            None => self.headers.push((name, vec![value.into()])),
        }
        self
    }

    /// Status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Values of a header, by the name it was added under.
    #[must_use]
    pub fn values(&self, name: &str) -> &[String] {
        self.headers.iter().find(|(present, _)| *present == name).map_or(&[], |(_, values)| values)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// The response as the JSON text that CloudFront reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings only, so writing cannot fail; should it, this is the smallest response there is.
        let written =
            || serde_json::to_string(self).unwrap_or_else(|_| r#"{"status":"500","headers":{}}"#.into());
        self.json.get_or_init(written).clone()
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Response", 5)?;
        object.serialize_field("status", &self.status.to_string())?;
        object.serialize_field("statusDescription", reason(self.status))?;
        object.serialize_field("headers", &Headers(&self.headers))?;
        match &self.body {
            Some(body) => {
                object.serialize_field("bodyEncoding", "text")?;
                object.serialize_field("body", body)?;
            }
            None => {
                object.skip_field("bodyEncoding")?;
                object.skip_field("body")?;
            }
        }
        object.end()
    }
}

struct Headers<'a>(&'a [(&'static str, Vec<String>)]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, values) in self.0 {
            let entries: Vec<_> = values.iter().map(|value| Entry { key: name, value }).collect();
            map.serialize_entry(&name.to_ascii_lowercase(), &entries)?;
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Entry<'a> {
    key: &'a str,
    value: &'a str,
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_cookies_stand_in_one_list() {
        let response = Response::empty(204).header("Set-Cookie", "a=1").header("Set-Cookie", "b=2");
        let json: serde_json::Value = serde_json::from_str(&response.to_json()).expect("JSON");
        assert_eq!(json["status"], "204");
        assert_eq!(
            json["headers"]["set-cookie"],
            serde_json::json!([{"key": "Set-Cookie", "value": "a=1"}, {"key": "Set-Cookie", "value": "b=2"}])
        );
        assert!(json.get("body").is_none() && json.get("bodyEncoding").is_none());
    }

    #[test]
    fn a_body_is_text() {
        let response = Response::json(200, &serde_json::json!({"a": 1}));
        let json: serde_json::Value = serde_json::from_str(&response.to_json()).expect("JSON");
        assert_eq!((&json["body"], &json["bodyEncoding"]), (&r#"{"a":1}"#.into(), &"text".into()));
        assert_eq!(json["headers"]["cache-control"][0]["value"], "no-store");
    }
}
