//! The CloudFront distribution.

use serde::Serialize;

use super::content_bucket::ContentBucketOutputs;
use super::given::Given;
use super::page::PageArguments;
use super::signer::SignerOutputs;
use super::signing_keyring::SigningKeyringOutputs;
use super::user_pool::UserPoolOutputs;
use crate::program::output::{Output, kind};
use crate::program::stack::{ProgramError, Stack};
use crate::tenant::Tenant;
use crate::tenant::collections::List;
use crate::tenant::decode::Setting;
use crate::tenant::settings::{Cache, Cors, Edge, ErrorPage, Geo, GeoMode, UploadMode};
use crate::tenant::values::{CountryCode, HeaderValue, PagePath, Seconds};

const DISTRIBUTION: &str = "Distribution";
const SECONDS_OF_A_DAY: u32 = 86_400;
/// What CloudFront's own policy for static content does, in seconds; taken where a tenant sets only a part.
const CACHE_SECONDS: (u32, u32, u32) = (1, 86_400, 31_536_000);

/// Distribution, origin access control, headers policies, and a cache policy where the tenant sets times.
#[derive(Debug, Serialize)]
pub struct Distribution<'a> {
    name: &'a str,
    tenant: &'a str,
    origin_domain: &'a Given<kind::BucketDomainName>,
    key_group: &'a Output<kind::KeyGroupId>,
    signer_version: &'a Output<kind::FunctionVersionArn>,
    edge: &'a Edge,
    cors: &'a Cors,
    hsts_seconds: Setting<u32>,
    custom_headers: Vec<Header<'a>>,
    cache: Option<CacheTimes>,
    geo: Option<GeoRestriction<'a>>,
    error_pages: Vec<ErrorResponse<'a>>,
    page: PageArguments<'a>,
    /// First part of the sign-in page's host name; `None` for a user pool that was there before.
    sign_in_domain: &'a Option<Output<kind::SignInDomain>>,
    /// Home region of the tenant, where the page's browsers find its services.
    home: String,
    uploads: Setting<bool>,
}

#[derive(Debug, Serialize)]
struct Header<'a> {
    name: &'a Setting<String>,
    value: &'a Setting<HeaderValue>,
}

/// Times in seconds.
#[derive(Debug, Serialize)]
struct CacheTimes {
    minimum: Setting<u32>,
    default: Setting<u32>,
    maximum: Setting<u32>,
}

#[derive(Debug, Serialize)]
struct GeoRestriction<'a> {
    kind: Setting<&'static str>,
    countries: &'a Setting<List<CountryCode, 0, 250>>,
}

#[derive(Debug, Serialize)]
struct ErrorResponse<'a> {
    status: Setting<u16>,
    page: &'a Setting<Option<PagePath>>,
    answer: Setting<u16>,
    /// Apart from the time, which may be nought.
    has_cache_seconds: bool,
    cache_seconds: &'a Setting<Option<Seconds<0, 31_536_000>>>,
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
        pool: &'a UserPoolOutputs,
        bucket: &'a ContentBucketOutputs,
        keys: &'a SigningKeyringOutputs,
        signer: &'a SignerOutputs,
    ) -> Self {
        let settings = &tenant.settings;
        let edge = &settings.edge;
        Self {
            name: tenant.names.prefix(),
            tenant: &tenant.name,
            origin_domain: &bucket.domain_name,
            key_group: &keys.key_group,
            signer_version: &signer.version,
            edge,
            cors: &settings.cors,
            hsts_seconds: edge.headers.hsts_days.derive(|days| days.get() * SECONDS_OF_A_DAY),
            custom_headers: edge.headers.custom.named().map(|(name, value)| Header { name, value }).collect(),
            cache: CacheTimes::new(&edge.cache),
            geo: GeoRestriction::new(&edge.geo),
            error_pages: edge.error_pages.iter().map(ErrorResponse::new).collect(),
            page: PageArguments::new(&settings.page),
            sign_in_domain: &pool.sign_in_domain,
            home: settings.region.to_string(),
            uploads: settings.uploads.mode.derive(|mode| *mode != UploadMode::Off),
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

impl CacheTimes {
    /// The times of a policy of the tenant's own, or nothing where the managed one will do.
    fn new(cache: &Cache) -> Option<Self> {
        let (minimum, default, maximum) =
            (&cache.minimum_seconds, &cache.default_seconds, &cache.maximum_seconds);
        if minimum.is_none() && default.is_none() && maximum.is_none() {
            return None;
        }
        let (least, usual, most) = CACHE_SECONDS;
        let seconds = |time: &Setting<Option<Seconds<0, 31_536_000>>>| time.as_ref().map(|time| time.get());
        // A time that is left out gives way to those that are set.
        let low = seconds(minimum).unwrap_or_else(|| {
            least.min(seconds(default).unwrap_or(least)).min(seconds(maximum).unwrap_or(least))
        });
        let high = seconds(maximum).unwrap_or_else(|| most.max(seconds(default).unwrap_or(most)).max(low));
        let middle = seconds(default).unwrap_or_else(|| usual.clamp(low, high));
        Some(Self {
            minimum: minimum.derive(|_| low),
            default: default.derive(|_| middle),
            maximum: maximum.derive(|_| high),
        })
    }
}

impl<'a> GeoRestriction<'a> {
    fn new(geo: &'a Geo) -> Option<Self> {
        let kind = match *geo.mode {
            GeoMode::Off => return None,
            GeoMode::Allow => "whitelist",
            GeoMode::Deny => "blacklist",
        };
        Some(Self { kind: geo.mode.derive(|_| kind), countries: &geo.countries })
    }
}

impl<'a> ErrorResponse<'a> {
    fn new(page: &'a ErrorPage) -> Self {
        let status = page.status.get();
        let answer = page.answer.as_ref().map(|answer| answer.get());
        Self {
            status: page.status.derive(|_| status),
            page: &page.page,
            answer: match answer {
                Some(answer) => page.answer.derive(|_| answer),
                None => page.status.derive(|_| status),
            },
            has_cache_seconds: page.cache_seconds.is_some(),
            cache_seconds: &page.cache_seconds,
        }
    }
}
