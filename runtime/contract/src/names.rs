//! Names of a tenant's resources, derived from the organisation and the tenant and from nothing else.

/// Longest name that AWS Lambda takes for a function, in characters.
pub const FUNCTION_NAME_MAX: usize = 64;

/// Prefix that Lambda@Edge puts before a function's name where a replica runs outside its home region.
const REPLICA_PREFIX: &str = "us-east-1.";

/// The names of one tenant's resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names of `tenant` within `organisation`.
    #[must_use]
    pub fn new(organisation: &str, tenant: &str) -> Self {
        Self { prefix: format!("{organisation}-{tenant}") }
    }

    /// `{organisation}-{tenant}`: what every other name begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Stack of the tenant's home region: bucket, user pool, identity pool.
    #[must_use]
    pub fn regional_stack(&self) -> String {
        format!("{}-regional", self.prefix)
    }

    /// Stack in us-east-1: keyring, signer, distribution.
    #[must_use]
    pub fn edge_stack(&self) -> String {
        format!("{}-edge", self.prefix)
    }

    /// Lambda@Edge function that issues the cookies.
    #[must_use]
    pub fn signer_function(&self) -> String {
        format!("{}-signer", self.prefix)
    }

    /// Lambda function that owns the signing keys.
    #[must_use]
    pub fn rotator_function(&self) -> String {
        format!("{}-rotator", self.prefix)
    }

    /// Secrets Manager secret that holds the [keyring](crate::keyring::Keyring).
    #[must_use]
    pub fn keyring_secret(&self) -> String {
        format!("{}-keyring", self.prefix)
    }

    /// CloudFront key group whose keys open the tenant's distribution.
    #[must_use]
    pub fn key_group(&self) -> String {
        format!("{}-signing", self.prefix)
    }

    /// CloudFront public key made for one rotation. `token` is the rotation's request token.
    ///
    /// The name ends in twelve characters of the token, so that two rotations never share a name and a
    /// tenant's keys are found by [`Names::owns_public_key`].
    #[must_use]
    pub fn public_key(&self, token: &str) -> String {
        let tail: String = token.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        format!("{}-key-{tail}", self.prefix)
    }

    /// Whether a public key of this name was made by [`Names::public_key`] of the same tenant.
    #[must_use]
    pub fn owns_public_key(&self, name: &str) -> bool {
        name.strip_prefix(&self.prefix)
            .and_then(|rest| rest.strip_prefix("-key-"))
            .is_some_and(|tail| !tail.is_empty() && tail.chars().all(|c| c.is_ascii_alphanumeric()))
    }

    /// Parameter with the tenant's [edge configuration](crate::edge_config::EdgeConfig).
    #[must_use]
    pub fn config_parameter(&self) -> String {
        config_parameter_of(&self.signer_function())
    }

    /// Parameter with the public key id that signs at present; the rotator writes it, people read it.
    #[must_use]
    pub fn key_id_parameter(&self) -> String {
        format!("/{}/key-id", self.signer_function())
    }
}

/// Parameter with the edge configuration of the signer that runs under `function_name`, as Lambda names
/// it in `AWS_LAMBDA_FUNCTION_NAME`: with a leading `us-east-1.` on a replica, without one at home.
#[must_use]
pub fn config_parameter_of(function_name: &str) -> String {
    format!("/{}/config", function_name.strip_prefix(REPLICA_PREFIX).unwrap_or(function_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_and_its_home_function_read_the_same_parameter() {
        let names = Names::new("example", "demo");
        assert_eq!(config_parameter_of("us-east-1.example-demo-signer"), names.config_parameter());
        assert_eq!(config_parameter_of("example-demo-signer"), names.config_parameter());
    }

    #[test]
    fn a_public_key_belongs_to_its_own_tenant_only() {
        let demo = Names::new("example", "demo");
        let key = demo.public_key("2f0c7d6e-8a1b-4c3d-9e5f-001122334455");
        assert_eq!(key, "example-demo-key-2f0c7d6e8a1b");
        assert!(demo.owns_public_key(&key));
        assert!(!Names::new("example", "demo-key").owns_public_key(&key));
        assert!(!demo.owns_public_key(&Names::new("example", "demo-key-x").public_key("abc")));
    }
}
