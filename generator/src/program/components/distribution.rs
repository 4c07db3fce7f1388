//! The CloudFront distribution.

use serde::Serialize;

use super::content_bucket::ContentBucketOutputs;
use super::signer::SignerOutputs;
use super::signing_keyring::SigningKeyringOutputs;
use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::decode::Setting;
use crate::tenant::settings::PriceClass;
use crate::tenant::values::{CertificateArn, HostName, WebOrigin};

const DISTRIBUTION: &str = "Distribution";

/// Distribution, origin access control and headers policy.
#[derive(Debug, Serialize)]
pub struct Distribution<'a> {
    name: &'a str,
    tenant: &'a str,
    origin_domain: &'a Output<kind::BucketDomainName>,
    key_group: &'a Output<kind::KeyGroupId>,
    signer_version: &'a Output<kind::FunctionVersionArn>,
    aliases: &'a Setting<Vec<HostName>>,
    certificate_arn: &'a Setting<Option<CertificateArn>>,
    price_class: &'a Setting<PriceClass>,
    origins: &'a Setting<Vec<WebOrigin>>,
}

/// What others need of the distribution.
#[derive(Debug)]
pub struct DistributionOutputs {
    /// Id, from which the ARN is built.
    pub id: Output<kind::DistributionId>,
    /// Host name that CloudFront gave.
    pub domain_name: Output<kind::DistributionDomainName>,
}

impl<'a> Distribution<'a> {
    /// The distribution of a tenant.
    #[must_use]
    pub fn new(
        tenant: &'a Tenant,
        bucket: &'a ContentBucketOutputs,
        keys: &'a SigningKeyringOutputs,
        signer: &'a SignerOutputs,
    ) -> Self {
        let settings = &tenant.settings;
        Self {
            name: tenant.names.prefix(),
            tenant: &tenant.name,
            origin_domain: &bucket.domain_name,
            key_group: &keys.key_group,
            signer_version: &signer.version,
            aliases: &settings.edge.aliases,
            certificate_arn: &settings.edge.certificate_arn,
            price_class: &settings.edge.price_class,
            origins: &settings.cors.origins,
        }
    }

    /// Adds it to a stack.
    ///
    /// # Errors
    /// See [`Stack::add`].
    pub fn add_to(&self, stack: &mut Stack) -> Result<DistributionOutputs, ProgramError> {
        stack.add("distribution", self)?;
        Ok(DistributionOutputs {
            id: Output::reference(stack.id, DISTRIBUTION),
            domain_name: Output::attribute(stack.id, DISTRIBUTION, "DomainName"),
        })
    }
}
