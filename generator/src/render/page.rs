//! What a tenant's page must know of the tenant, from the stacks' outputs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::RenderedPage;

/// The settings of a page: `config.json` beside its files. `None` while an output is missing that it needs.
#[must_use]
pub fn page_config(tenant: &str, page: &RenderedPage, outputs: &BTreeMap<String, String>) -> Option<Value> {
    let region = &page.region;
    let services = PageServices {
        sign_in: format!("https://{}", outputs.get("SignInDomain")?),
        identity: format!("https://cognito-identity.{region}.amazonaws.com"),
        bucket: format!("https://{}.s3.{region}.amazonaws.com", outputs.get("ContentBucketName")?),
    };
    services.config(tenant, region, &page.scopes, outputs)
}

/// Where a page finds what it speaks with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageServices {
    /// The sign-in page.
    pub sign_in: String,
    /// Identity pools.
    pub identity: String,
    /// The tenant's bucket.
    pub bucket: String,
}

impl PageServices {
    /// The settings of a page that finds its services here; `None` while an output is missing that it needs.
    #[must_use]
    pub fn config(
        &self,
        tenant: &str,
        region: &str,
        scopes: &[String],
        outputs: &BTreeMap<String, String>,
    ) -> Option<Value> {
        let mut config = json!({
            "tenant": tenant,
            "host": outputs.get("Host")?,
            "signIn": self.sign_in,
            "userPool": outputs.get("UserPoolId")?,
            "client": outputs.get("UserPoolClientId")?,
            "scopes": scopes,
        });
        // Without uploads there is no identity pool.
        if let Some(pool) = outputs.get("IdentityPoolId") {
            config["uploads"] = json!({
                "identityPool": pool,
                "userPool": outputs.get("UserPoolProviderName")?,
                "region": region,
                "bucket": outputs.get("ContentBucketName")?,
                "identityEndpoint": self.identity,
                "bucketEndpoint": self.bucket,
            });
        }
        Some(config)
    }
}
