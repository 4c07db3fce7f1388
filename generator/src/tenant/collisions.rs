//! Two tenants must not meet in any name, domain, alias or bucket.

use std::collections::BTreeMap;

use contract::EDGE_REGION;
use contract::names::Names;

use super::layers::Layer;
use super::node::{Node, Value};
use super::problem::Problem;
use super::settings::Settings;
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

/// As much of a tenant as its names follow from. A place is where the name stands.
#[derive(Debug)]
pub(super) struct Outline {
    name: String,
    names: Names,
    /// The beginning of the tenant's file.
    start: Place,
    region: String,
    account: Option<String>,
    aliases: Vec<(String, Place)>,
    existing_bucket: Option<(String, Place)>,
    has_existing_pool: bool,
    domain_prefix: Option<(String, Place)>,
}

impl Outline {
    /// That of a tenant that is loaded.
    pub(super) fn of(organisation: &str, name: &str, settings: &Settings, start: Place) -> Self {
        let (edge, sign_in) = (&settings.edge, &settings.sign_in);
        let (bucket, prefix) = (&settings.bucket.existing_name, &sign_in.domain_prefix);
        Self {
            name: name.to_string(),
            names: Names::new(organisation, name),
            start,
            region: settings.region.to_string(),
            account: settings.account.as_ref().map(ToString::to_string),
            aliases: edge.aliases.iter().map(|alias| (alias.to_string(), edge.aliases.place)).collect(),
            existing_bucket: bucket.as_ref().map(|name| (name.to_string(), bucket.place)),
            has_existing_pool: sign_in.existing.user_pool_id.is_some(),
            domain_prefix: prefix.as_ref().map(|name| (name.to_string(), prefix.place)),
        }
    }

    /// That of a tenant of which only the layers are read. What is no text is left out: whoever loads that
    /// tenant is told.
    pub(super) fn read(organisation: &str, name: &str, layers: &[Layer], start: Place) -> Self {
        let text = |path: &[&str]| said(layers, path).and_then(text_of);
        let aliases = match said(layers, &["edge", "aliases"]) {
            Some(Node { value: Value::List(items), place }) => {
                items.iter().filter_map(text_of).map(|(alias, _)| (alias, *place)).collect()
            }
            _ => Vec::new(),
        };
        Self {
            name: name.to_string(),
            names: Names::new(organisation, name),
            start,
            region: text(&["region"]).map(|(region, _)| region).unwrap_or_default(),
            account: text(&["account"]).map(|(account, _)| account),
            aliases,
            existing_bucket: text(&["bucket", "existing_name"]),
            has_existing_pool: text(&["sign_in", "existing", "user_pool_id"]).is_some(),
            domain_prefix: text(&["sign_in", "domain_prefix"]),
        }
    }

    /// Every name that the tenant takes, and where it comes from.
    fn claims(&self) -> Vec<(Claim, Place)> {
        let (names, start) = (&self.names, self.start);
        let mut claims = Vec::new();
        let mut claim = |what, region: Option<&str>, name: String, place| {
            claims.push((Claim { what, region: region.map(str::to_string), name }, place));
        };
        claim("the stack", Some(&self.region), names.regional_stack(), start);
        claim("the stack", Some(EDGE_REGION), names.edge_stack(), start);
        claim("the function", None, names.signer_function(), start);
        claim("the function", None, names.rotator_function(), start);
        claim("the secret", None, names.keyring_secret(), start);
        claim("the key group", None, names.key_group(), start);
        claim("the parameter", None, names.config_parameter(), start);
        claim("the parameter", None, names.key_id_parameter(), start);
        claim("the origin access control", None, names.prefix().to_string(), start);
        for (alias, place) in &self.aliases {
            claim("the alias", None, alias.clone(), *place);
        }
        match (&self.existing_bucket, &self.account) {
            (Some((name, place)), _) => claim("the bucket", None, name.clone(), *place),
            (None, Some(account)) => {
                claim("the bucket", None, format!("{}-content-{account}", names.prefix()), start);
            }
            (None, None) => {}
        }
        match (&self.domain_prefix, &self.account) {
            _ if self.has_existing_pool => {}
            (Some((prefix, place)), _) => {
                claim("the sign-in domain", Some(&self.region), prefix.clone(), *place);
            }
            (None, Some(account)) => {
                let name = format!("{}-{account}", names.prefix());
                claim("the sign-in domain", Some(&self.region), name, start);
            }
            (None, None) => {}
        }
        claims
    }
}

/// What the uppermost layer that speaks of a key says of it.
fn said<'l>(layers: &'l [Layer], path: &[&str]) -> Option<&'l Node> {
    let within = |layer: &'l Layer| path.iter().try_fold(&layer.node, |node, key| node.get(key));
    layers.iter().rev().find_map(within)
}

fn text_of(node: &Node) -> Option<(String, Place)> {
    match &node.value {
        Value::Text(text) => Some((text.clone(), node.place)),
        _ => None,
    }
}

/// What is wrong between tenants, where one of the first `own` takes part.
#[must_use]
pub(super) fn check(tenants: &[Outline], own: usize) -> Vec<Problem> {
    let mut claimed: BTreeMap<Claim, (&Outline, Place)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (index, tenant) in tenants.iter().enumerate() {
        for (claim, place) in tenant.claims() {
            match claimed.get(&claim) {
                // Two others that meet are for whoever loads them.
                None if index < own => {
                    claimed.insert(claim, (tenant, place));
                }
                None => {}
                Some((first, at)) => problems.push(if index < own {
                    collision(&claim, (tenant, place), (first, *at))
                } else {
                    collision(&claim, (first, *at), (tenant, place))
                }),
            }
        }
    }
    problems
}

fn collision(claim: &Claim, (tenant, place): (&Outline, Place), (other, at): (&Outline, Place)) -> Problem {
    let message = format!(
        "{} `{}` of tenant `{}` is already that of tenant `{}`",
        claim.what, claim.name, tenant.name, other.name
    );
    Problem::new(place, message)
        .related(at, format!("tenant `{}` has it from here", other.name))
        .help("give one of the tenants another")
}
