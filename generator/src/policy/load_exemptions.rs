//! Reading `exemptions.yaml`.

use time::format_description::well_known::Iso8601;
use time::{Date, Duration};

use super::exemption::{DAYS_MAX, Exemption};
use super::fields::Fields;
use super::judge::Rules;
use super::load::Known;
use super::model::{Severity, Target};
use crate::tenant::decode::{Decoder, nearest};
use crate::tenant::node::Node;
use crate::tenant::problem::Problem;
use crate::tenant::source::Place;

const FIELDS: [&str; 9] =
    ["id", "policies", "tenants", "resources", "owner", "approver", "reason", "expires", "digest"];

/// The exemptions of a file that are right.
pub(super) fn read(
    node: &Node,
    rules: &Rules,
    known: &Known,
    today: Date,
    decoder: &mut Decoder,
) -> Vec<Exemption> {
    let Some(fields) = Fields::of(node, decoder, &["exemptions"]) else { return Vec::new() };
    let mut found: Vec<Exemption> = Vec::new();
    for item in fields.items("exemptions", decoder) {
        let read = decoder.within("exemptions", |decoder| one(item, rules, known, today, decoder));
        let Some(exemption) = read else { continue };
        if let Some(first) = found.iter().find(|first| first.id == exemption.id) {
            let problem = Problem::new(exemption.place, format!("the id `{}` is taken", exemption.id));
            decoder.refuse(problem.related(first.place, "by this exemption"));
        }
        found.push(exemption);
    }
    found
}

fn one(node: &Node, rules: &Rules, known: &Known, today: Date, decoder: &mut Decoder) -> Option<Exemption> {
    let fields = Fields::of(node, decoder, &FIELDS)?;
    let id = fields.text("id", decoder);
    let policies = named(&fields, "policies", decoder);
    let tenants = named(&fields, "tenants", decoder);
    let resources = named(&fields, "resources", decoder);
    let owner = fields.text("owner", decoder);
    let approver = fields.text("approver", decoder);
    let reason = fields.text("reason", decoder);
    let expires = expires(&fields, today, decoder);
    let digest = match fields.get("digest") {
        None => None,
        Some(_) => Some(fields.text("digest", decoder)?),
    };
    let (policies, tenants, resources) = (policies?, tenants?, resources?);
    check_policies(&policies, rules, digest.is_some(), decoder);
    for (pattern, place) in &tenants {
        let glob = wildmatch::WildMatch::new(pattern);
        if !known.directory.tenants().any(|tenant| glob.matches(tenant)) {
            decoder.refuse(Problem::new(*place, format!("no tenant matches `{pattern}`")));
        }
    }
    let (owner, approver) = (owner?, approver?);
    if owner.eq_ignore_ascii_case(&approver) {
        let place = fields.get("approver").map_or(node.place, |approver| approver.place);
        let message = format!("`{approver}` cannot approve an exemption of their own");
        decoder.refuse(Problem::new(place, message).help("name another person as the approver"));
    }
    let plain = |all: Vec<(String, Place)>| all.into_iter().map(|(text, _)| text).collect();
    Some(Exemption {
        id: id?,
        policies: plain(policies),
        tenants: plain(tenants),
        resources: plain(resources),
        owner,
        approver,
        reason: reason?,
        expires: expires?,
        digest,
        place: fields.get("id").map_or(node.place, |id| id.place),
    })
}

/// A list of texts that must not be empty.
fn named(fields: &Fields<'_>, key: &str, decoder: &mut Decoder) -> Option<Vec<(String, Place)>> {
    let node = fields.required(key, decoder)?;
    let found = fields.texts(key, decoder)?;
    if found.is_empty() {
        decoder.refuse(Problem::new(node.place, format!("`{key}` is empty, so it would cover nothing")));
        return None;
    }
    Some(found)
}

fn check_policies(policies: &[(String, Place)], rules: &Rules, has_digest: bool, decoder: &mut Decoder) {
    for (id, place) in policies {
        if id.contains(['*', '?']) {
            let message = format!("`{id}` is a pattern: an exemption names each policy");
            decoder.refuse(Problem::new(*place, message).help("write the ids of the policies"));
            continue;
        }
        let Some(policy) = rules.policy(id) else {
            let known: Vec<&str> = rules.policies.iter().map(|policy| policy.id.as_str()).collect();
            let help = nearest(id, &known).replace("known keys here", "policies");
            decoder.refuse(Problem::new(*place, format!("there is no policy `{id}`")).help(help));
            continue;
        };
        if !policy.exemptable {
            decoder.refuse(Problem::new(*place, format!("policy `{id}` takes no exemptions")));
        }
        if policy.on == Target::Change && policy.severity == Severity::Critical && !has_digest {
            let message = format!("an exemption from `{id}` must name the one change set that it approves");
            let help = "add `digest`; the refused deployment names it";
            decoder.refuse(Problem::new(*place, message).help(help));
        }
    }
}

fn expires(fields: &Fields<'_>, today: Date, decoder: &mut Decoder) -> Option<Date> {
    let node = fields.required("expires", decoder)?;
    let text = decoder.within("expires", |decoder| super::fields::text(node, decoder))?;
    let Ok(date) = Date::parse(&text, &Iso8601::DATE) else {
        decoder.refuse(
            Problem::new(node.place, format!("`{text}` is no date")).help("write it as `2027-01-31`"),
        );
        return None;
    };
    let last = today.saturating_add(Duration::days(DAYS_MAX));
    if date > last {
        let message = format!("`{text}` is more than {DAYS_MAX} days ahead");
        decoder.refuse(
            Problem::new(node.place, message).help(format!("the last day that it can name is {last}")),
        );
    }
    Some(date)
}
