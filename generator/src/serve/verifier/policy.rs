//! The text that was signed: a policy of the viewer's, or the canned one that follows from the URL.

use std::net::IpAddr;

use serde::Deserialize;
use signing::Network;

/// What a policy opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    /// URL with wildcards; `None`: every file that the key guards.
    pub(super) resource: Option<String>,
    /// First second at which nothing is opened any more, since the epoch.
    pub(super) before: u64,
    /// Last second at which nothing is opened yet, since the epoch.
    pub(super) after: Option<u64>,
    /// The only network that is opened for.
    pub(super) network: Option<Network>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "Statement")]
    statements: [Statement; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "Resource")]
    resource: Option<String>,
    #[serde(rename = "Condition")]
    condition: Condition,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    #[serde(rename = "DateLessThan")]
    before: Epoch,
    #[serde(rename = "DateGreaterThan")]
    after: Option<Epoch>,
    #[serde(rename = "IpAddress")]
    address: Option<Source>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Epoch {
    #[serde(rename = "AWS:EpochTime")]
    time: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(rename = "AWS:SourceIp")]
    network: String,
}

impl Terms {
    /// Reads a custom policy; `None` for any other text.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(text).ok()?;
        let [statement] = document.statements;
        let network = match statement.condition.address {
            Some(source) => Some(Network::parse(&source.network)?),
            None => None,
        };
        Some(Self {
            resource: statement.resource,
            before: statement.condition.before.time,
            after: statement.condition.after.map(|after| after.time),
            network,
        })
    }

    /// The terms of the canned policy for one URL.
    pub(super) fn canned(url: &str, before: u64) -> Self {
        Self { resource: Some(url.to_owned()), before, after: None, network: None }
    }

    /// Whether they hold for this URL, time and viewer.
    pub(super) fn hold(&self, url: &str, now: u64, viewer: IpAddr) -> bool {
        let covered = self.resource.as_deref().is_none_or(|resource| signing::matches(resource, url));
        let here = match (self.network, viewer) {
            (None, _) => true,
            (Some(network), IpAddr::V4(address)) => network.contains(address),
            (Some(network), IpAddr::V6(address)) => {
                address.to_ipv4_mapped().is_some_and(|address| network.contains(address))
            }
        };
        covered && here && now < self.before && self.after.is_none_or(|after| now > after)
    }
}

/// The text of the canned policy, to the byte as AWS's documentation has it.
pub(super) fn canned_text(url: &str, before: u64) -> String {
    format!(
        r#"{{"Statement":[{{"Resource":"{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{before}}}}}}}]}}"#
    )
}
