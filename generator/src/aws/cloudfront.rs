//! CloudFront as it stands: what a distribution trusts, which keys a group holds.

use aws_config::SdkConfig;

use super::{AwsError, AwsErrorKind};

/// A distribution, with what access to it hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Id.
    pub id: String,
    /// ARN, which bucket policies name.
    pub arn: String,
    /// Its host under `cloudfront.net`.
    pub domain: String,
    /// `Deployed` once every edge has the present configuration.
    pub status: String,
    /// Key groups that open its default behaviour.
    pub key_groups: Vec<String>,
}

/// Keys that open a distribution together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGroup {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Ids of the public keys.
    pub keys: Vec<String>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Id, which cookies name.
    pub id: String,
    /// Name.
    pub name: String,
    /// The key in PEM.
    pub pem: String,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
}

/// How much of what CloudFront limits an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCounts {
    /// Key groups.
    pub groups: usize,
    /// Public keys.
    pub keys: usize,
}

/// CloudFront.
#[derive(Debug, Clone)]
pub struct CloudFront {
    client: aws_sdk_cloudfront::Client,
}

impl CloudFront {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self { client: aws_sdk_cloudfront::Client::new(config) }
    }

    /// A distribution by its id, or `None` where there is none.
    ///
    /// # Errors
    /// Where the call fails or answers with less than is documented.
    pub async fn distribution(&self, id: &str) -> Result<Option<Distribution>, AwsError> {
        let answer = self.client.get_distribution().id(id).send().await;
        let Some(answer) = found(answer.map_err(|error| AwsError::of(SERVICE, "GetDistribution", &error)))?
        else {
            return Ok(None);
        };
        let found = answer
            .distribution()
            .ok_or_else(|| AwsError::incomplete(SERVICE, "GetDistribution", "Distribution"))?;
        let key_groups = found
            .distribution_config()
            .and_then(|config| config.default_cache_behavior())
            .and_then(|behaviour| behaviour.trusted_key_groups())
            .map(|groups| groups.items().to_vec())
            .unwrap_or_default();
        Ok(Some(Distribution {
            id: found.id().to_owned(),
            arn: found.arn().to_owned(),
            domain: found.domain_name().to_owned(),
            status: found.status().to_owned(),
            key_groups,
        }))
    }

    /// A key group by its id, or `None` where there is none.
    ///
    /// # Errors
    /// Where the call fails or answers with less than is documented.
    pub async fn key_group(&self, id: &str) -> Result<Option<KeyGroup>, AwsError> {
        let answer = self.client.get_key_group().id(id).send().await;
        let Some(answer) = found(answer.map_err(|error| AwsError::of(SERVICE, "GetKeyGroup", &error)))?
        else {
            return Ok(None);
        };
        let config = answer
            .key_group()
            .and_then(|group| group.key_group_config())
            .ok_or_else(|| AwsError::incomplete(SERVICE, "GetKeyGroup", "KeyGroupConfig"))?;
        let keys = config.items().to_vec();
        Ok(Some(KeyGroup { id: id.to_owned(), name: config.name().to_owned(), keys }))
    }

    /// How many key groups and public keys the account has.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn key_counts(&self) -> Result<KeyCounts, AwsError> {
        let mut counts = KeyCounts { groups: 0, keys: 0 };
        let mut marker = None;
        loop {
            let page = self.client.list_key_groups().set_marker(marker).send().await;
            let page = page.map_err(|error| AwsError::of(SERVICE, "ListKeyGroups", &error))?;
            let Some(list) = page.key_group_list() else { break };
            counts.groups += list.items().len();
            marker = list.next_marker().filter(|next| !next.is_empty()).map(str::to_owned);
            if marker.is_none() {
                break;
            }
        }
        let mut marker = None;
        loop {
            let page = self.client.list_public_keys().set_marker(marker).send().await;
            let page = page.map_err(|error| AwsError::of(SERVICE, "ListPublicKeys", &error))?;
            let Some(list) = page.public_key_list() else { break };
            counts.keys += list.items().len();
            marker = list.next_marker().filter(|next| !next.is_empty()).map(str::to_owned);
            if marker.is_none() {
                break;
            }
        }
        Ok(counts)
    }

    /// A public key by its id, or `None` where there is none.
    ///
    /// # Errors
    /// Where the call fails or answers with less than is documented.
    pub async fn public_key(&self, id: &str) -> Result<Option<PublicKey>, AwsError> {
        let answer = self.client.get_public_key().id(id).send().await;
        let Some(answer) = found(answer.map_err(|error| AwsError::of(SERVICE, "GetPublicKey", &error)))?
        else {
            return Ok(None);
        };
        let key =
            answer.public_key().ok_or_else(|| AwsError::incomplete(SERVICE, "GetPublicKey", "PublicKey"))?;
        let config = key
            .public_key_config()
            .ok_or_else(|| AwsError::incomplete(SERVICE, "GetPublicKey", "PublicKeyConfig"))?;
        let (name, pem) = (config.name().to_owned(), config.encoded_key().to_owned());
        Ok(Some(PublicKey { id: id.to_owned(), name, pem, created: key.created_time().secs() }))
    }
}

const SERVICE: &str = "cloudfront";

fn found<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
