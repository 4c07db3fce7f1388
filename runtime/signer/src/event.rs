//! The viewer-request event of CloudFront, as far as it is looked at.
//!
//! It comes as JSON, or as lines. To write a whole event as JSON in Node and to read it here takes a third of
//! the time of a token's signature check; so `index.mjs` hands over the few fields that are looked at as one
//! text of lines, where an event has each of them at most once, and the JSON of the whole event else.
//! Source: AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.

use serde::Deserialize;

/// Longest event that is read, in bytes: CloudFront takes requests of about 20 KB, and the JSON around
/// them adds to that.
const MAX: usize = 256 * 1024;

/// What the handler looks at in a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Method, as sent.
    pub method: String,
    /// Path, as sent, without the query.
    pub path: String,
    /// Address of the viewer.
    pub client_ip: String,
    /// CloudFront's id of the request, for the log.
    pub id: String,
    /// Values of `Host`.
    pub host: Vec<String>,
    /// Values of `Authorization`.
    pub authorization: Vec<String>,
    /// Values of `Origin`.
    pub origin: Vec<String>,
    /// Values of `Sec-Fetch-Site`.
    pub fetch_site: Vec<String>,
}

impl Request {
    /// Reads an event, from JSON or, where the text begins with a line break, from lines; `None` where it is
    /// not exactly one viewer request.
    #[must_use]
    pub fn parse(event: &str) -> Option<Self> {
        if event.len() > MAX {
            return None;
        }
        if let Some(lines) = event.strip_prefix('\n') {
            return Self::of_lines(lines);
        }
        let event: Event = serde_json::from_str(event).ok()?;
        let [record] = <[Record; 1]>::try_from(event.records).ok()?;
        let (config, request) = (record.cf.config, record.cf.request);
        if config.event_type != "viewer-request" {
            return None;
        }
        let values = |headers: Vec<Header>| headers.into_iter().map(|header| header.value).collect();
        Some(Self {
            method: request.method,
            path: request.uri,
            client_ip: request.client_ip,
            id: config.request_id,
            host: values(request.headers.host),
            authorization: values(request.headers.authorization),
            origin: values(request.headers.origin),
            fetch_site: values(request.headers.fetch_site),
        })
    }
}

impl Request {
    /// Reads the lines of `index.mjs`. A value that has a line break itself, which no header can have, makes
    /// the number of lines wrong.
    fn of_lines(lines: &str) -> Option<Self> {
        let mut lines = lines.split('\n');
        let [method, path, client_ip, id] = [lines.next()?, lines.next()?, lines.next()?, lines.next()?];
        // A header that is there has a mark before its value: it may be there and empty.
        let mut header = || match lines.next()? {
            "" => Some(vec![]),
            marked => Some(vec![marked.strip_prefix('+')?.to_owned()]),
        };
        let [host, authorization, origin, fetch_site] = [header()?, header()?, header()?, header()?];
        lines.next().is_none().then(|| Self {
            method: method.to_owned(),
            path: path.to_owned(),
            client_ip: client_ip.to_owned(),
            id: id.to_owned(),
            host,
            authorization,
            origin,
            fetch_site,
        })
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    cf: CloudFront,
}

#[derive(Deserialize)]
struct CloudFront {
    config: Config,
    request: Incoming,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    event_type: String,
    #[serde(default)]
    request_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    #[serde(default)]
    client_ip: String,
    headers: Headers,
    method: String,
    uri: String,
}

/// Names are lower case in events, whatever the viewer sent.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Headers {
    #[serde(default)]
    host: Vec<Header>,
    #[serde(default)]
    authorization: Vec<Header>,
    #[serde(default)]
    origin: Vec<Header>,
    #[serde(default, rename = "sec-fetch-site")]
    fetch_site: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let event = r#"{"Records":[{"cf":{
            "config":{"distributionDomainName":"d.cloudfront.net","eventType":"viewer-request","requestId":"r1"},
            "request":{"clientIp":"192.0.2.7","method":"GET","querystring":"","uri":"/cookie","headers":{
                "host":[{"key":"Host","value":"media.example.com"}],
                "accept":[{"key":"Accept","value":"*/*"}],
                "authorization":[{"key":"Authorization","value":"Bearer a"},{"key":"Authorization","value":"b"}]
            }}}}]}"#;
        assert_eq!(
            Request::parse(event),
            Some(Request {
                method: "GET".into(),
                path: "/cookie".into(),
                client_ip: "192.0.2.7".into(),
                id: "r1".into(),
                host: vec!["media.example.com".into()],
                authorization: vec!["Bearer a".into(), "b".into()],
                ..Request::default()
            })
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let record = r#"{"cf":{"config":{"eventType":"viewer-request"},
            "request":{"method":"GET","uri":"/","headers":{}}}}"#;
        assert!(Request::parse(&format!(r#"{{"Records":[{record}]}}"#)).is_some());
        for event in [
            String::new(),
            "null".into(),
            "[]".into(),
            r#"{"Records":[]}"#.into(),
            format!(r#"{{"Records":[{record},{record}]}}"#),
            format!(r#"{{"Records":[{}]}}"#, record.replace("viewer-request", "origin-request")),
            format!(r#"{{"Records":[{}]}}"#, record.replace("{}", r#"{"host":"media.example.com"}"#)),
            format!(r#"{{"Records":[{}]}}"#, record.replace(r#""GET""#, "1")),
            format!(r#"{{"Records":[{}]}}"#, record.replace(r#""GET""#, r#""\ud800""#)),
            "[".repeat(10_000),
            " ".repeat(MAX + 1),
        ] {
            assert_eq!(Request::parse(&event), None, "{event:.80}");
        }
    }

    #[test]
    fn lines_say_the_same() {
        let lines = "\nGET\n/cookie\n192.0.2.7\nr1\n+media.example.com\n+Bearer a\n\n+";
        assert_eq!(
            Request::parse(lines),
            Some(Request {
                method: "GET".into(),
                path: "/cookie".into(),
                client_ip: "192.0.2.7".into(),
                id: "r1".into(),
                host: vec!["media.example.com".into()],
                authorization: vec!["Bearer a".into()],
                origin: vec![],
                fetch_site: vec![String::new()],
            })
        );
        for wrong in ["\n", "\nGET", &lines.replace("+Bearer", "Bearer"), &format!("{lines}\n"), &lines[..40]]
        {
            assert_eq!(Request::parse(wrong), None, "{wrong}");
        }
    }
}
