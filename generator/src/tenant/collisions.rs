//! Two tenants must not meet in any name, domain, alias or bucket.

use std::collections::BTreeMap;

use contract::EDGE_REGION;

use super::Tenant;
use super::problem::Problem;
use super::source::Place;

/// What a name is unique among.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    /// What the name is of.
    what: &'static str,
    /// Region, where the same name may stand in several.
    region: Option<String>,
    name: String,
}

/// What is wrong between tenants. A place is the beginning of a tenant's file.
#[must_use]
pub fn check(tenants: &[(Tenant, Place)]) -> Vec<Problem> {
    let mut claimed: BTreeMap<Claim, (&Tenant, Place)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (tenant, start) in tenants {
        for (claim, place) in claims(tenant, *start) {
            match claimed.get(&claim) {
                None => {
                    claimed.insert(claim, (tenant, place));
                }
                Some((other, first)) => {
                    let message = format!(
                        "{} `{}` of tenant `{}` is already that of tenant `{}`",
                        claim.what, claim.name, tenant.name, other.name
                    );
                    problems.push(
                        Problem::new(place, message)
                            .related(*first, format!("tenant `{}` has it from here", other.name))
                            .help("give one of the tenants another"),
                    );
                }
            }
        }
    }
    problems
}

/// Every name that a tenant takes, and where it comes from.
fn claims(tenant: &Tenant, start: Place) -> Vec<(Claim, Place)> {
    let (names, settings) = (&tenant.names, &tenant.settings);
    let home = settings.region.to_string();
    let mut claims = Vec::new();
    let mut claim = |what, region: Option<&str>, name: String, place| {
        claims.push((Claim { what, region: region.map(str::to_string), name }, place));
    };
    claim("the stack", Some(&home), names.regional_stack(), start);
    claim("the stack", Some(EDGE_REGION), names.edge_stack(), start);
    claim("the function", None, names.signer_function(), start);
    claim("the function", None, names.rotator_function(), start);
    claim("the secret", None, names.keyring_secret(), start);
    claim("the key group", None, names.key_group(), start);
    claim("the parameter", None, names.config_parameter(), start);
    claim("the parameter", None, names.key_id_parameter(), start);
    claim("the origin access control", None, names.prefix().to_string(), start);
    for alias in settings.edge.aliases.iter() {
        claim("the alias", None, alias.to_string(), settings.edge.aliases.place);
    }
    let account = settings.account.as_ref();
    match settings.bucket.existing_name.as_ref() {
        Some(name) => claim("the bucket", None, name.to_string(), settings.bucket.existing_name.place),
        None => {
            if let Some(account) = account {
                let name = format!("{}-content-{account}", names.prefix());
                claim("the bucket", None, name, start);
            }
        }
    }
    let sign_in = &settings.sign_in;
    if sign_in.existing.user_pool_id.is_none() {
        match (sign_in.domain_prefix.as_ref(), account) {
            (Some(prefix), _) => {
                let place = sign_in.domain_prefix.place;
                claim("the sign-in domain", Some(&home), prefix.to_string(), place);
            }
            (None, Some(account)) => {
                let name = format!("{}-{account}", names.prefix());
                claim("the sign-in domain", Some(&home), name, start);
            }
            (None, None) => {}
        }
    }
    claims
}
