//! What is served of one tenant, put together from its template and from what stands in the local cloud.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};

use serde_json::Value;

use super::Options;
use super::cache::Cache;
use super::cdn::{Cdn, Hosts, Served};
use super::distribution::Distribution;
use super::error::ServeError;
use super::function::{Function, Workshop};
use super::keys::KeyGroup;
use super::origin::Origin;
use super::page::Page;
use super::server::Site;
use super::services::Services;
use super::sign_in::SignIn;
use super::template::{Resolver, StackValues};
use super::verifier::Verified;
use crate::aws::s3::ObjectStore as _;
use crate::render::PageServices;
use crate::verify::{Unready, output};

/// One tenant: its rendered template, and what its deployed stacks say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSite {
    /// Name.
    pub tenant: String,
    /// Home region.
    pub region: String,
    /// The edge stack's template, functions in their long form.
    pub template: Value,
    /// Parameters of the edge stack, and the outputs of both stacks.
    pub values: StackValues,
    /// A group that users must be in, where one is demanded.
    pub group: Option<String>,
}

impl TenantSite {
    /// Path of the page that lies in the tenant's bucket, where it has one.
    #[must_use]
    pub fn own_page(&self) -> Option<&str> {
        self.values.outputs.get("PagePath").map(String::as_str)
    }

    /// Name of the tenant's host on this machine.
    #[must_use]
    pub fn local_host(&self) -> String {
        format!("{}.localhost", self.tenant)
    }

    fn output(&self, name: &'static str) -> Result<&str, Unready> {
        output(&self.tenant, &self.values.outputs, name)
    }
}

/// What one tenant is reached under.
pub(super) async fn sites(
    options: &Options,
    tenant: &TenantSite,
    workshop: &Workshop,
    port: u16,
    known: &BTreeMap<String, Arc<Function>>,
) -> Result<(Vec<(String, Site)>, BTreeMap<String, Arc<Function>>), ServeError> {
    let local = tenant.local_host();
    let hosts = Hosts {
        id: tenant.output("DistributionId")?.to_owned(),
        domain: tenant.output("DistributionDomainName")?.to_owned(),
        public: tenant.output("Host")?.to_owned(),
        local: local.clone(),
    };
    let distribution = Distribution::read(&tenant.template, &tenant.values)?;
    let functions = functions(options, tenant, &distribution, workshop, known).await?;
    let account = tenant.output("SignerVersionArn")?.split(':').nth(4).unwrap_or_default();
    let arn = format!("arn:aws:cloudfront::{account}:distribution/{}", hosts.id);
    let groups = distribution.key_groups().map(|id| {
        let group = KeyGroup::new(id.to_owned(), options.cloud.cloudfront(), Arc::clone(&options.clock));
        (id.to_owned(), Arc::new(group))
    });
    let names: Vec<String> = [&hosts.local, &hosts.domain, &hosts.public]
        .into_iter()
        .chain(&distribution.aliases)
        .cloned()
        .collect();
    let origin = &distribution.origin;
    let origins = allowed_origins(&tenant.template, &tenant.values);
    let cdn = Arc::new(Cdn {
        groups: RwLock::new(groups.collect()),
        origin: Origin::new(
            options.cloud.s3(&origin.region),
            origin.bucket.clone(),
            arn,
            Arc::clone(&options.clock),
        ),
        hosts,
        cache: Cache::default(),
        clock: Arc::clone(&options.clock),
        verified: Verified::default(),
        requests: AtomicU64::new(0),
        served: RwLock::new(Arc::new(Served {
            distribution: distribution.clone(),
            functions: functions.clone(),
        })),
    });
    let own_origin = format!("https://{local}:{port}");
    let (sign_in, services) = (format!("sign-in.{local}"), format!("services.{local}"));
    let cognito = options.cloud.cognito(&tenant.region);
    let client = cognito.app_client(tenant.output("UserPoolId")?, tenant.output("UserPoolClientId")?).await;
    let client = client.map_err(Unready::aws(format!("reading the app client of {}", tenant.tenant)));
    let scopes = client.map_err(ServeError::from)?.map(|client| client.scopes).unwrap_or_default();
    let here = PageServices {
        sign_in: format!("https://{sign_in}:{port}"),
        identity: format!("https://{services}:{port}"),
        bucket: format!("https://{services}:{port}/{}", distribution.origin.bucket),
    };
    let page = options.page_over(tenant).map(|(path, folder)| {
        let config = here.config(&tenant.tenant, &tenant.region, &scopes, &tenant.values.outputs);
        Arc::new(Page {
            path: path.to_owned(),
            folder: folder.cloned(),
            config: config.unwrap_or_default(),
            security: format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; \
                 media-src 'self'; connect-src 'self' {} {}; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'",
                here.sign_in, here.identity
            ),
        })
    });
    let own_pages = page.iter().map(|page| format!("{own_origin}{}", page.path)).collect();
    let stand_in = SignIn::new(
        &tenant.tenant,
        tenant.output("UserPoolId")?,
        cognito,
        &workshop.endpoint,
        own_pages,
        Arc::clone(&options.clock),
    );
    let mut origins = origins;
    origins.extend(page.is_some().then_some(own_origin));
    let mut sites: Vec<(String, Site)> =
        names.into_iter().map(|name| (name, Site::Edge(Arc::clone(&cdn), page.clone()))).collect();
    sites.push((sign_in, Site::SignIn(Arc::new(stand_in))));
    sites.push((
        services,
        Site::Services(Arc::new(Services::new(&workshop.endpoint, &tenant.region, origins))),
    ));
    Ok((sites, functions))
}

async fn functions(
    options: &Options,
    tenant: &TenantSite,
    distribution: &Distribution,
    workshop: &Workshop,
    known: &BTreeMap<String, Arc<Function>>,
) -> Result<BTreeMap<String, Arc<Function>>, ServeError> {
    let mut functions = BTreeMap::new();
    for arn in distribution.behaviours.iter().filter_map(|behaviour| behaviour.viewer_request.as_ref()) {
        if functions.contains_key(arn) {
            continue;
        }
        if let Some(function) = known.get(arn) {
            functions.insert(arn.clone(), Arc::clone(function));
            continue;
        }
        let code = Resolver::new(&tenant.template, &tenant.values).properties("Signer")["Code"].clone();
        let text = |name: &str| code[name].as_str().unwrap_or_default().to_owned();
        let (bucket, key) = (text("S3Bucket"), text("S3Key"));
        let doing = format!("reading the deployed zip `{key}` of `{bucket}`");
        let zip = options.cloud.s3(contract::EDGE_REGION).get(&bucket, None, &key).await;
        let zip = zip.map_err(|error| ServeError::from(Unready::aws(doing)(error)))?;
        functions.insert(arn.clone(), Arc::new(Function::new(workshop, arn, &key, zip)?));
    }
    Ok(functions)
}

fn allowed_origins(template: &Value, values: &StackValues) -> Vec<String> {
    let headers = Resolver::new(template, values).properties("ResponseHeaders");
    super::distribution::texts(
        &headers["ResponseHeadersPolicyConfig"]["CorsConfig"]["AccessControlAllowOrigins"]["Items"],
    )
}
