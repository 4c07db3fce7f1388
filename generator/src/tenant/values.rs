//! Types of single settings: each knows its unit, its bounds and how it is refused.

use std::fmt;

use serde::Serialize;

use super::decode::{Decoder, Scalar};
use super::node::{Node, Value};
use super::problem::Problem;

/// Declares a whole number with a unit and bounds that are part of the type.
macro_rules! quantity {
    ($(#[$meta:meta])* $name:ident, $unit:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name<const MIN: u32, const MAX: u32>(u32);

        impl<const MIN: u32, const MAX: u32> $name<MIN, MAX> {
            /// The bare number.
            #[must_use]
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl<const MIN: u32, const MAX: u32> Scalar for $name<MIN, MAX> {
            fn scalar(node: &Node, decoder: &mut Decoder) -> Option<Self> {
                let wanted = format!("a whole number of {} from {MIN} to {MAX}", $unit);
                let Value::Int(value) = node.value else {
                    decoder.wrong_kind(node, &wanted);
                    return None;
                };
                match u32::try_from(value) {
                    Ok(number) if (MIN..=MAX).contains(&number) => Some(Self(number)),
                    _ => {
                        let message = format!("`{}` must be {wanted}, not `{value}`", decoder.path());
                        decoder.refuse(Problem::new(node.place, message));
                        None
                    }
                }
            }
        }
    };
}

quantity!(/// A span of time in minutes.
    Minutes, "minutes");
quantity!(/// A span of time in days.
    Days, "days");
quantity!(/// A span of time in seconds.
    Seconds, "seconds");
quantity!(/// A number of characters.
    Characters, "characters");

/// Declares a text that is checked when it is read.
macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $wanted:literal, $check:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Scalar for $name {
            fn scalar(node: &Node, decoder: &mut Decoder) -> Option<Self> {
                let check: fn(&str) -> bool = $check;
                match &node.value {
                    Value::Text(text) if check(text) => Some(Self(text.clone())),
                    _ => {
                        decoder.wrong_kind(node, $wanted);
                        None
                    }
                }
            }
        }
    };
}

text!(/// A free text of one line.
    Line, "a text of one line, of at most 200 characters",
    |text| !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control));

text!(/// Code of an AWS region.
Region, "the code of an AWS region such as `eu-north-1`",
|text| {
    let parts: Vec<_> = text.split('-').collect();
    parts.len() >= 3
        && parts[0].len() == 2
        && parts.iter().take(parts.len() - 1).all(|p| lower(p))
        && parts[parts.len() - 1].len() == 1
        && parts[parts.len() - 1].bytes().all(|b| b.is_ascii_digit())
});

text!(/// Number of an AWS account. A text, as a number would lose leading zeros.
    AccountId, "an AWS account id: twelve digits in quotes",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()));

text!(/// ARN of an IAM role.
RoleArn, "the ARN of an IAM role such as `arn:aws:iam::123456789012:role/deploy`",
|text| {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    parts.len() == 6 && parts[0] == "arn" && parts[2] == "iam" && parts[3].is_empty()
        && parts[5].strip_prefix("role/").is_some_and(|name| !name.is_empty())
        && text.chars().all(|c| c.is_ascii_graphic())
});

text!(/// ARN of a certificate in AWS Certificate Manager.
CertificateArn, "the ARN of an ACM certificate such as `arn:aws:acm:us-east-1:123456789012:certificate/…`",
|text| {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    parts.len() == 6 && parts[0] == "arn" && parts[2] == "acm"
        && parts[5].strip_prefix("certificate/").is_some_and(|id| !id.is_empty())
        && text.chars().all(|c| c.is_ascii_graphic())
});

impl CertificateArn {
    /// Region that the certificate stands in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

text!(/// A web origin as browsers send it: scheme, host and perhaps a port, without a path.
    WebOrigin, "a web origin such as `https://app.example.com`, without a path",
    |text| web_url(text).is_some_and(|rest| !rest.contains('/')));

text!(/// A URL that a browser is sent to after signing in or out.
    ReturnUrl, "a URL with `https`, or with `http` for localhost",
    |text| web_url(text).is_some());

text!(/// A host name, lower case, without a wildcard.
    HostName, "a host name in lower case such as `media.example.com`",
    |text| text.contains('.') && host(text));

text!(/// A prefix of the sign-in domain.
DomainPrefix, "1 to 63 lower-case letters, digits and inner hyphens, without `aws`, `amazon` or `cognito`",
|text| {
    host_label(text) && !["aws", "amazon", "cognito"].iter().any(|word| text.contains(word))
});

text!(/// A label's key or value.
Label, "a text of 1 to 63 letters, digits and `-_.`",
|text| {
    (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
});

fn lower(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase())
}

fn host_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn host(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(host_label)
}

/// What follows the scheme of an acceptable web URL.
fn web_url(text: &str) -> Option<&str> {
    if text.len() > 1024 || !text.chars().all(|c| c.is_ascii_graphic()) {
        return None;
    }
    let (rest, local_only) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let (name, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let good = host(name) && port.parse::<u16>().is_ok_and(|port| port > 0);
    let local = name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1";
    (good && (!local_only || local) && !text.contains('#')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_pages_may_do_without_tls() {
        assert!(web_url("https://app.example.com/callback").is_some());
        assert!(web_url("http://localhost:8080/").is_some());
        for refused in
            ["http://app.example.com/", "ftp://x.y/", "https://", "https://a b.c/", "https://x.y:0/"]
        {
            assert!(web_url(refused).is_none(), "{refused}");
        }
    }
}
