//! What the rotator knows of its tenant.

use contract::keyring::KeyAlgorithm;
use contract::keyring_resource::{KeyringProperties, environment};
use contract::names::Names;

/// The tenant whose keys are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// Names of its resources.
    pub names: Names,
    /// Kind of the next key.
    pub algorithm: KeyAlgorithm,
    /// Longest life of a cookie, in minutes.
    pub cookie_minutes: u32,
}

/// A variable of the function's environment that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// Not set.
    #[error("environment variable `{0}` is not set")]
    Missing(&'static str),
    /// Set to something else than the function can read.
    #[error("environment variable `{name}` has the value `{value}`, expected {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
}

impl Tenant {
    /// The tenant of a custom resource.
    #[must_use]
    pub fn of_properties(properties: &KeyringProperties) -> Self {
        Self {
            name: properties.tenant.clone(),
            names: Names::new(&properties.organisation, &properties.tenant),
            algorithm: properties.algorithm,
            cookie_minutes: properties.cookie_minutes,
        }
    }

    /// The tenant of this function, from its environment as `variable` reads it.
    ///
    /// # Errors
    /// A variable is missing or cannot be read.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let read = |name| variable(name).filter(|v| !v.is_empty()).ok_or(EnvironmentError::Missing(name));
        let algorithm = match read(environment::ALGORITHM)? {
            text if text == KeyAlgorithm::Rsa2048.as_str() => KeyAlgorithm::Rsa2048,
            text if text == KeyAlgorithm::EcdsaP256.as_str() => KeyAlgorithm::EcdsaP256,
            value => {
                let expected = "`rsa-2048` or `ecdsa-p256`";
                return Err(EnvironmentError::Invalid { name: environment::ALGORITHM, value, expected });
            }
        };
        let minutes = read(environment::COOKIE_MINUTES)?;
        let cookie_minutes = minutes.parse().map_err(|_| EnvironmentError::Invalid {
            name: environment::COOKIE_MINUTES,
            value: minutes,
            expected: "a whole number of minutes",
        })?;
        let name = read(environment::TENANT)?;
        let names = Names::new(&read(environment::ORGANISATION)?, &name);
        Ok(Self { name, names, algorithm, cookie_minutes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(algorithm: &str, minutes: &str) -> Result<Tenant, EnvironmentError> {
        Tenant::of_environment(|name| {
            Some(match name {
                environment::ALGORITHM => algorithm.to_owned(),
                environment::COOKIE_MINUTES => minutes.to_owned(),
                environment::TENANT => "demo".to_owned(),
                _ => "example".to_owned(),
            })
        })
    }

    #[test]
    fn the_environment_gives_names_algorithm_and_cookie_life() {
        let tenant = read("ecdsa-p256", "90").expect("a complete environment");
        assert_eq!(tenant.names.key_group(), "example-demo-signing");
        assert_eq!((tenant.algorithm, tenant.cookie_minutes), (KeyAlgorithm::EcdsaP256, 90));
    }

    #[test]
    fn a_wrong_or_missing_variable_is_named() {
        let wrong = read("rsa-1024", "90").expect_err("an algorithm that CloudFront does not take");
        assert!(wrong.to_string().contains("`ALGORITHM` has the value `rsa-1024`"), "{wrong}");
        let missing = Tenant::of_environment(|_| None).expect_err("an empty environment");
        assert_eq!(missing, EnvironmentError::Missing(environment::ALGORITHM));
    }
}
