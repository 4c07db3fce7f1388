//! A world in memory: CloudFront, Secrets Manager and Parameter Store as strict as AWS documents them,
//! stricter where it documents nothing. What drives it decides which call has its effect when.

mod ports;
mod state;

use contract::keyring::KeyAlgorithm;
use contract::names::Names;
use rotator::ports::Fault;
use rotator::tenant::Tenant;

pub(crate) use ports::{Answer, Driver, In};
pub(crate) use state::{Edge, State, fault};

pub(crate) const SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:example-demo-keyring";
pub(crate) const HOST: &str = "d1.example";
pub(crate) const COOKIE_MINUTES: u32 = 60;

pub(crate) fn tenant() -> Tenant {
    Tenant {
        name: "demo".into(),
        names: Names::new("example", "demo"),
        algorithm: KeyAlgorithm::EcdsaP256,
        cookie_minutes: COOKIE_MINUTES,
    }
}

/// What a call answers.
pub(crate) type Answered<T> = Result<T, Fault>;
