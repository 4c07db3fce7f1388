//! AWS, one thin file per service, with only the calls that this tool makes. No rule of ours is here.
//!
//! What deploying needs of a service stands in a trait, so that every way through `deploy` is tested by
//! replaying answers, without a server.

mod budgeted;
pub mod cloudformation;
pub mod cloudfront;
pub mod cognito;
mod error;
mod http;
pub mod lambda;
pub mod logs;
mod rate;
pub mod s3;
pub mod secretsmanager;
mod settings;
pub mod ssm;
pub mod sts;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::{Region, SdkConfig};

pub use error::{AwsError, AwsErrorKind, is_no_changes};
pub use rate::{ApiGroup, RateBudget};
pub use settings::{CloudSettings, ConnectError};

use crate::clock::Clock;
use budgeted::Budgeted;
use cloudformation::{CloudFormation, CloudFormationClient, Poller};
use cloudfront::Edges;
use cognito::{Cognito, UserPools};
use lambda::{Functions, Lambda};
use logs::{FunctionLogs, LogGroups, Logs};
use s3::{Files, ObjectStore, S3};
use secretsmanager::{Secrets, SecretsManager};
use sts::{Identity, Sts};

/// A future that a trait object can hand out.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Least time between two looks at the stacks of a region.
const LOOKS: Duration = Duration::from_secs(1);
const LOCAL_LOOKS: Duration = Duration::from_millis(20);

/// Account of the local cloud. Its access key is the same twelve digits.
pub const LOCAL_ACCOUNT: &str = "000000000000";

/// A connection to one cloud with one identity. Cheap to clone; clones share connections, credentials
/// and the rate budget.
#[derive(Debug, Clone)]
pub struct Cloud {
    base: SdkConfig,
    local: bool,
    budget: Arc<RateBudget>,
    account: Arc<OnceLock<String>>,
    clock: Arc<dyn Clock>,
    /// CloudFormation of each region that was asked for, with its poller.
    regions: Arc<Mutex<HashMap<String, Arc<CloudFormationClient>>>>,
}

impl Cloud {
    /// Prepares everything that all calls share. Makes no call itself: credentials are looked up when
    /// the first one needs them.
    ///
    /// # Errors
    /// Where the certificate bundle cannot be read.
    pub async fn connect(settings: &CloudSettings, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        let base = settings.load().await?;
        let limits = if settings.local { RateBudget::unlimited } else { RateBudget::of_aws };
        let budget = Arc::new(limits(Arc::clone(&clock)).capped(settings.calls_per_second));
        let (account, regions) = (Arc::default(), Arc::default());
        let cloud = Self { base, local: settings.local, budget, account, clock, regions };
        Ok(match &settings.role_arn {
            Some(role) => cloud.assuming(role).await,
            None => cloud,
        })
    }

    /// The same cloud through another role, as a tenant may ask for. The local cloud has one identity.
    pub async fn assuming(&self, role_arn: &str) -> Self {
        if self.local {
            return self.clone();
        }
        let base = settings::assume(&self.base, role_arn).await;
        let account = Arc::new(OnceLock::new());
        if let Some(id) = role_arn.split(':').nth(4) {
            account.get_or_init(|| id.to_owned());
        }
        let (budget, clock) = (Arc::clone(&self.budget), Arc::clone(&self.clock));
        Self { base, local: false, budget, account, clock, regions: Arc::default() }
    }

    /// Whether this is a local cloud, not AWS.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// The SDK's configuration for one region.
    #[must_use]
    pub fn config(&self, region: &str) -> SdkConfig {
        self.base.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// CloudFront, which has one endpoint for the world.
    #[must_use]
    pub fn cloudfront(&self) -> cloudfront::CloudFront {
        cloudfront::CloudFront::new(&self.config("us-east-1"), self.budgeted("us-east-1"))
    }

    /// The user pools of `region`.
    #[must_use]
    pub fn cognito(&self, region: &str) -> Cognito {
        Cognito::new(&self.config(region), self.budgeted(region))
    }

    /// The functions of `region`.
    #[must_use]
    pub fn lambda(&self, region: &str) -> Lambda {
        Lambda::new(&self.config(region), self.budgeted(region))
    }

    /// The buckets of `region`.
    #[must_use]
    pub fn s3(&self, region: &str) -> S3 {
        S3::new(&self.config(region), region)
    }

    /// The secrets of `region`.
    #[must_use]
    pub fn secretsmanager(&self, region: &str) -> SecretsManager {
        SecretsManager::new(&self.config(region), self.budgeted(region))
    }

    /// The logs of `region`.
    #[must_use]
    pub fn logs(&self, region: &str) -> Logs {
        Logs::new(&self.config(region), self.budgeted(region))
    }

    /// Number of calls that have gone out under the rate budget, every attempt counted.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.budget.calls()
    }

    /// The stacks of `region`, compared with their templates.
    #[must_use]
    pub fn drifts(&self, region: &str) -> Arc<dyn cloudformation::Drifts> {
        self.stacks(region)
    }

    /// The stacks of `region`, whoever made them: one client and one poller for all who ask.
    #[must_use]
    pub fn stacks(&self, region: &str) -> Arc<CloudFormationClient> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let client = regions.entry(region.to_owned()).or_insert_with(|| {
            let interval = if self.local { LOCAL_LOOKS } else { LOOKS };
            Arc::new(CloudFormationClient::new(
                &self.config(region),
                self.budgeted(region),
                Arc::new(Poller::new(Arc::clone(&self.clock), interval)),
                // The local cloud gives no property values, and an emulator may refuse to be asked for them.
                !self.local,
            ))
        });
        Arc::clone(client)
    }

    fn budgeted(&self, region: &str) -> Budgeted {
        let (budget, account) = (Arc::clone(&self.budget), Arc::clone(&self.account));
        Budgeted { budget, account, region: region.to_owned() }
    }

    /// The parameters of `region`.
    #[must_use]
    pub fn ssm(&self, region: &str) -> ssm::Ssm {
        ssm::Ssm::new(&self.config(region), self.budgeted(region))
    }
}

/// The services that deploying and destroying call, per region.
pub trait Peers: Send + Sync {
    /// CloudFormation of `region`.
    fn cloudformation(&self, region: &str) -> Arc<dyn CloudFormation>;
    /// Buckets of `region`.
    fn objects(&self, region: &str) -> Arc<dyn ObjectStore>;
    /// Files in buckets of `region`.
    fn files(&self, region: &str) -> Arc<dyn Files>;
    /// Functions of `region`.
    fn functions(&self, region: &str) -> Arc<dyn Functions>;
    /// User pools of `region`.
    fn user_pools(&self, region: &str) -> Arc<dyn UserPools>;
    /// Distributions and public keys.
    fn edges(&self) -> Arc<dyn Edges>;
    /// Log groups of `region`.
    fn log_groups(&self, region: &str) -> Arc<dyn LogGroups>;
    /// Who the caller is.
    fn identity(&self) -> Arc<dyn Identity>;
}

/// The services that rotating a tenant's keys calls, all in one region.
#[derive(Clone)]
pub struct KeyPeers {
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Logs of the functions.
    pub logs: Arc<dyn FunctionLogs>,
}

impl Cloud {
    /// The services that rotating calls, in `region`. They keep their connections: one for all tenants of an
    /// account is enough.
    #[must_use]
    pub fn key_peers(&self, region: &str) -> KeyPeers {
        KeyPeers { secrets: Arc::new(self.secretsmanager(region)), logs: Arc::new(self.logs(region)) }
    }
}

impl Peers for Cloud {
    fn cloudformation(&self, region: &str) -> Arc<dyn CloudFormation> {
        self.stacks(region)
    }

    fn objects(&self, region: &str) -> Arc<dyn ObjectStore> {
        Arc::new(self.s3(region))
    }

    fn files(&self, region: &str) -> Arc<dyn Files> {
        Arc::new(self.s3(region))
    }

    fn functions(&self, region: &str) -> Arc<dyn Functions> {
        Arc::new(self.lambda(region))
    }

    fn user_pools(&self, region: &str) -> Arc<dyn UserPools> {
        Arc::new(self.cognito(region))
    }

    fn edges(&self) -> Arc<dyn Edges> {
        Arc::new(self.cloudfront())
    }

    fn log_groups(&self, region: &str) -> Arc<dyn LogGroups> {
        Arc::new(self.logs(region))
    }

    fn identity(&self) -> Arc<dyn Identity> {
        let (config, budgeted) = (self.config("us-east-1"), self.budgeted("us-east-1"));
        Arc::new(Sts::new(&config, budgeted, Arc::clone(&self.account)))
    }
}
