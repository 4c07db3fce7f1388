//! The policy: what a cookie opens, until when and for whom.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a cookie opens.
///
/// A resource is always stated: a policy without one opens every file of every distribution that trusts
/// the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// URL with the wildcards `*` and `?`, beginning with `http://` or `https://`.
    pub resource: String,
    /// First second at which the cookie opens nothing any more, in seconds since the epoch.
    pub expires: u64,
    /// The cookie opens only after this second, in seconds since the epoch.
    pub not_before: Option<u64>,
    /// The cookie opens only for this IPv4 network.
    pub network: Option<Network>,
}

/// An IPv4 network: an address and the number of leading bits that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: Ipv4Addr,
    bits: u8,
}

/// Why a text is no policy that may be issued or trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not the shape that CloudFront reads, or more than it.
    #[error("the policy is not a document of one statement: {0}")]
    Shape(String),
    /// The number of statements is not one.
    #[error("the policy has {0} statements, not one")]
    Statements(usize),
    /// The resource is not a URL.
    #[error("the resource `{0}` does not begin with `http://` or `https://`")]
    Resource(String),
    /// The address condition is not an IPv4 network.
    #[error("the address `{0}` is not an IPv4 address or network")]
    Address(String),
}

impl Policy {
    /// Everything under `https://{host}/` until `expires`, in seconds since the epoch.
    #[must_use]
    pub fn of_host(host: &str, expires: u64) -> Self {
        Self { resource: format!("https://{host}/*"), expires, not_before: None, network: None }
    }

    /// The same, for one address only.
    #[must_use]
    pub fn bound_to(mut self, address: Ipv4Addr) -> Self {
        self.network = Some(Network { address, bits: 32 });
        self
    }

    /// The text that is signed: JSON without white space, fields in the order of AWS's documentation.
    #[must_use]
    pub fn text(&self) -> String {
        let statement = Statement {
            resource: self.resource.clone(),
            condition: Condition {
                before: Epoch { time: self.expires },
                after: self.not_before.map(|time| Epoch { time }),
                address: self.network.map(|network| Source { network: network.to_string() }),
            },
        };
        // Strings and integers only, so writing cannot fail; an empty text would open nothing.
        serde_json::to_string(&Document { statements: vec![statement] }).unwrap_or_default()
    }

    /// Reads a policy's text.
    ///
    /// # Errors
    /// Where the text has not exactly one statement with a resource that is a URL and with an expiry, or
    /// says anything that is not understood here.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| PolicyError::Shape(error.to_string()))?;
        let count = document.statements.len();
        let Ok([statement]) = <[Statement; 1]>::try_from(document.statements) else {
            return Err(PolicyError::Statements(count));
        };
        let resource = statement.resource;
        if !["http://", "https://"].iter().any(|scheme| resource.starts_with(scheme)) {
            return Err(PolicyError::Resource(resource));
        }
        let network = match statement.condition.address {
            Some(source) => {
                Some(Network::parse(&source.network).ok_or(PolicyError::Address(source.network))?)
            }
            None => None,
        };
        Ok(Self {
            resource,
            expires: statement.condition.before.time,
            not_before: statement.condition.after.map(|epoch| epoch.time),
            network,
        })
    }
}

impl Network {
    /// Reads `192.0.2.0/24` or `192.0.2.7`; `None` for anything else, IPv6 included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, bits.parse().ok().filter(|bits| *bits <= 32)?),
            None => (text, 32),
        };
        Some(Self { address: address.parse().ok()?, bits })
    }

    /// Whether `address` lies in the network.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        let differing = self.address.to_bits() ^ address.to_bits();
        // A shift by all 32 bits is the network of every address.
        differing.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "Statement")]
    statements: Vec<Statement>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "Resource")]
    resource: String,
    #[serde(rename = "Condition")]
    condition: Condition,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    #[serde(rename = "DateLessThan")]
    before: Epoch,
    #[serde(rename = "DateGreaterThan", default, skip_serializing_if = "Option::is_none")]
    after: Option<Epoch>,
    #[serde(rename = "IpAddress", default, skip_serializing_if = "Option::is_none")]
    address: Option<Source>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Epoch {
    #[serde(rename = "AWS:EpochTime")]
    time: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(rename = "AWS:SourceIp")]
    network: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_no_white_space() {
        assert_eq!(
            Policy::of_host("media.example.com", 1_767_225_600).text(),
            r#"{"Statement":[{"Resource":"https://media.example.com/*","Condition":{"DateLessThan":{"AWS:EpochTime":1767225600}}}]}"#
        );
    }

    #[test]
    fn every_condition_is_written_and_read_back() {
        let mut policy = Policy::of_host("media.example.com", 20).bound_to(Ipv4Addr::new(192, 0, 2, 7));
        policy.not_before = Some(10);
        assert_eq!(
            policy.text(),
            r#"{"Statement":[{"Resource":"https://media.example.com/*","Condition":{"DateLessThan":{"AWS:EpochTime":20},"DateGreaterThan":{"AWS:EpochTime":10},"IpAddress":{"AWS:SourceIp":"192.0.2.7/32"}}}]}"#
        );
        assert_eq!(Policy::parse(&policy.text()), Ok(policy));
    }

    #[test]
    fn a_policy_without_a_resource_an_expiry_or_a_url_is_refused() {
        let refused = [
            r#"{"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":20}}}]}"#,
            r#"{"Statement":[{"Resource":"https://h/*","Condition":{}}]}"#,
            r#"{"Statement":[{"Resource":"https://h/*","Condition":{"DateLessThan":{"AWS:EpochTime":"20"}}}]}"#,
            r#"{"Statement":[{"Resource":"*","Condition":{"DateLessThan":{"AWS:EpochTime":20}}}]}"#,
            r#"{"Statement":[{"Resource":"https://h/*","Effect":"Allow","Condition":{"DateLessThan":{"AWS:EpochTime":20}}}]}"#,
            r#"{"Statement":[{"Resource":"https://h/*","Condition":{"DateLessThan":{"AWS:EpochTime":20},"IpAddress":{"AWS:SourceIp":"::1/128"}}}]}"#,
            r#"{"Statement":[]}"#,
            "",
        ];
        for text in refused {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
        let one = r#"{"Resource":"https://h/*","Condition":{"DateLessThan":{"AWS:EpochTime":20}}}"#;
        assert_eq!(
            Policy::parse(&format!(r#"{{"Statement":[{one},{one}]}}"#)),
            Err(PolicyError::Statements(2))
        );
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let network = Network::parse("192.0.2.128/25").expect("a network");
        assert!(network.contains(Ipv4Addr::new(192, 0, 2, 200)));
        assert!(!network.contains(Ipv4Addr::new(192, 0, 2, 100)));
        assert!(Network::parse("0.0.0.0/0").expect("all").contains(Ipv4Addr::new(8, 8, 8, 8)));
        assert!(!Network::parse("192.0.2.7").expect("one").contains(Ipv4Addr::new(192, 0, 2, 6)));
        assert_eq!(Network::parse("192.0.2.0/33"), None);
    }
}
