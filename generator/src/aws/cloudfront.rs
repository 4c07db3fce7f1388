//! CloudFront as it stands: what a distribution trusts, which keys a group holds.

use aws_config::SdkConfig;
use aws_sdk_cloudfront::types::{
    DefaultCacheBehavior, DistributionConfig, FunctionAssociations, LambdaFunctionAssociations,
};

use super::budgeted::Budgeted;
use super::{ApiGroup, AwsError, AwsErrorKind, Boxed};

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

/// What destroying needs of CloudFront.
pub trait Edges: Send + Sync {
    /// Takes the functions off every behaviour of a distribution; whether there were any. A distribution that is
    /// not there has none.
    fn detach_functions<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<bool, AwsError>>;
    /// The status of a distribution, `Deployed` once every edge has its present configuration; `None` where there
    /// is none.
    fn status<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>>;
    /// Ids and names of all public keys of the account.
    fn public_keys(&self) -> Boxed<'_, Result<Vec<(String, String)>, AwsError>>;
    /// Deletes a public key; one that is gone is no failure, one that a key group holds is a conflict.
    fn delete_public_key<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>>;
}

/// CloudFront.
#[derive(Debug, Clone)]
pub struct CloudFront {
    client: aws_sdk_cloudfront::Client,
    budgeted: Budgeted,
}

impl CloudFront {
    pub(super) fn new(config: &SdkConfig, budgeted: Budgeted) -> Self {
        Self { client: aws_sdk_cloudfront::Client::new(&Budgeted::single_attempts(config)), budgeted }
    }

    async fn read<T, F>(&self, attempt: impl FnMut() -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        self.budgeted.call(ApiGroup::CloudFrontReads, attempt).await
    }

    /// A distribution by its id, or `None` where there is none.
    ///
    /// # Errors
    /// Where the call fails or answers with less than is documented.
    pub async fn distribution(&self, id: &str) -> Result<Option<Distribution>, AwsError> {
        let answer = self.read(|| async {
            let answer = self.client.get_distribution().id(id).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "GetDistribution", &error))
        });
        let Some(answer) = found(answer.await)? else { return Ok(None) };
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
        let answer = self.read(|| async {
            let answer = self.client.get_key_group().id(id).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "GetKeyGroup", &error))
        });
        let Some(answer) = found(answer.await)? else { return Ok(None) };
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
        let (mut groups, mut marker) = (0, None::<String>);
        loop {
            let page = self.read(|| async {
                let page = self.client.list_key_groups().set_marker(marker.clone()).send().await;
                page.map_err(|error| AwsError::of(SERVICE, "ListKeyGroups", &error))
            });
            let page = page.await?;
            let Some(list) = page.key_group_list() else { break };
            groups += list.items().len();
            marker = further(list.next_marker());
            if marker.is_none() {
                break;
            }
        }
        Ok(KeyCounts { groups, keys: self.public_keys().await?.len() })
    }

    /// A public key by its id, or `None` where there is none.
    ///
    /// # Errors
    /// Where the call fails or answers with less than is documented.
    pub async fn public_key(&self, id: &str) -> Result<Option<PublicKey>, AwsError> {
        let answer = self.read(|| async {
            let answer = self.client.get_public_key().id(id).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "GetPublicKey", &error))
        });
        let Some(answer) = found(answer.await)? else { return Ok(None) };
        let key =
            answer.public_key().ok_or_else(|| AwsError::incomplete(SERVICE, "GetPublicKey", "PublicKey"))?;
        let config = key
            .public_key_config()
            .ok_or_else(|| AwsError::incomplete(SERVICE, "GetPublicKey", "PublicKeyConfig"))?;
        let (name, pem) = (config.name().to_owned(), config.encoded_key().to_owned());
        Ok(Some(PublicKey { id: id.to_owned(), name, pem, created: key.created_time().secs() }))
    }
}

impl Edges for CloudFront {
    fn detach_functions<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        Box::pin(async move {
            let answer = self.read(|| async {
                let answer = self.client.get_distribution_config().id(distribution).send().await;
                answer.map_err(|error| AwsError::of(SERVICE, "GetDistributionConfig", &error))
            });
            let Some(answer) = found(answer.await)? else { return Ok(false) };
            let missing = |field| AwsError::incomplete(SERVICE, "GetDistributionConfig", field);
            let etag = answer.e_tag().ok_or_else(|| missing("ETag"))?.to_owned();
            let mut config = answer.distribution_config.ok_or_else(|| missing("DistributionConfig"))?;
            if !take_off(&mut config) {
                return Ok(false);
            }
            let updated = self.budgeted.write(ApiGroup::CloudFrontUpdates, || async {
                let call = self.client.update_distribution().id(distribution).if_match(&etag);
                let answer = call.distribution_config(config.clone()).send().await;
                answer.map_err(|error| AwsError::of(SERVICE, "UpdateDistribution", &error))
            });
            updated.await.map(|_| true)
        })
    }

    fn status<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>> {
        Box::pin(async move { Ok(self.distribution(distribution).await?.map(|found| found.status)) })
    }

    fn public_keys(&self) -> Boxed<'_, Result<Vec<(String, String)>, AwsError>> {
        Box::pin(async move {
            let (mut keys, mut marker) = (Vec::new(), None::<String>);
            loop {
                let page = self.read(|| async {
                    let page = self.client.list_public_keys().set_marker(marker.clone()).send().await;
                    page.map_err(|error| AwsError::of(SERVICE, "ListPublicKeys", &error))
                });
                let page = page.await?;
                let Some(list) = page.public_key_list() else { return Ok(keys) };
                keys.extend(list.items().iter().map(|key| (key.id().to_owned(), key.name().to_owned())));
                marker = further(list.next_marker());
                if marker.is_none() {
                    return Ok(keys);
                }
            }
        })
    }

    fn delete_public_key<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let answer = self.read(|| async {
                let answer = self.client.get_public_key().id(id).send().await;
                answer.map_err(|error| AwsError::of(SERVICE, "GetPublicKey", &error))
            });
            let Some(answer) = found(answer.await)? else { return Ok(()) };
            let etag = answer.e_tag;
            let deleted = self.read(|| async {
                let call = self.client.delete_public_key().id(id).set_if_match(etag.clone());
                call.send().await.map_err(|error| AwsError::of(SERVICE, "DeletePublicKey", &error))
            });
            found(deleted.await).map(|_| ())
        })
    }
}

/// Removes every function from a configuration; whether there were any.
fn take_off(config: &mut DistributionConfig) -> bool {
    let mut had = false;
    if let Some(behaviour) = &mut config.default_cache_behavior {
        let DefaultCacheBehavior { lambda_function_associations: lambda, function_associations: own, .. } =
            behaviour;
        had |= clear(lambda, own);
    }
    for behaviour in config.cache_behaviors.iter_mut().flat_map(|all| all.items.iter_mut().flatten()) {
        had |= clear(&mut behaviour.lambda_function_associations, &mut behaviour.function_associations);
    }
    had
}

fn clear(lambda: &mut Option<LambdaFunctionAssociations>, own: &mut Option<FunctionAssociations>) -> bool {
    let mut had = false;
    if let Some(all) = lambda.as_mut().filter(|all| all.quantity > 0) {
        (all.quantity, all.items, had) = (0, None, true);
    }
    if let Some(all) = own.as_mut().filter(|all| all.quantity > 0) {
        (all.quantity, all.items, had) = (0, None, true);
    }
    had
}

const SERVICE: &str = "cloudfront";

/// Where the next page begins; the last page may say so by an empty marker.
fn further(marker: Option<&str>) -> Option<String> {
    marker.filter(|next| !next.is_empty()).map(str::to_owned)
}

fn found<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
