//! The shipped packs: their cases, and the tenants that they judge.

use generator::policy::{Document, Judgement, Rules, Stage, Subject, judge, load, run_cases, survey};
use generator::program::media_cdn;
use generator::render::{RenderedTenant, render_documents};
use generator::tenant::Tenant;
use serde_json::Value;

use crate::support::{root, templates, tenants};

/// A tenant with everything that is judged of it.
pub(crate) struct Shipped {
    pub tenant: Tenant,
    pub subject: Subject,
    pub rendered: RenderedTenant,
    pub documents: Vec<Value>,
}

/// Every tenant of the project, ready to be judged.
pub(crate) fn shipped() -> Vec<Shipped> {
    let templates = templates();
    let ready = |tenant: Tenant| {
        let deployment = media_cdn(&tenant).expect("the program holds");
        let (rendered, documents) = render_documents(&templates, &tenant, &deployment).expect("it renders");
        Shipped { subject: Subject::of(&tenant), tenant, rendered, documents }
    };
    tenants().into_iter().map(ready).collect()
}

/// A day on which the shipped exemptions hold.
pub(crate) fn today() -> time::Date {
    time::macros::date!(2026 - 11 - 22)
}

/// The shipped packs.
pub(crate) fn rules(tenants: &[Shipped]) -> Rules {
    let names: Vec<String> = tenants.iter().map(|one| one.tenant.name.clone()).collect();
    let subjects: Vec<Subject> = tenants.iter().map(|one| one.subject.clone()).collect();
    let known = survey("example", &names, &subjects);
    load(&root().join("policies"), &known, today()).unwrap_or_else(|error| panic!("{error}"))
}

/// Judges settings and both templates of a tenant.
pub(crate) fn judged(rules: &Rules, one: &Shipped) -> Judgement {
    let mut all = judge(rules, Stage::Tenant, &Document::settings(&one.subject), &one.subject, today());
    for (stack, body) in one.rendered.stacks.iter().zip(&one.documents) {
        let document =
            Document { stack: Some(stack.id.as_str()), name: &stack.name, region: &stack.region, body };
        all.add(judge(rules, Stage::Stack, &document, &one.subject, today()));
    }
    all
}

#[test]
fn every_case_of_every_pack_goes_as_it_should() {
    let rules = rules(&shipped());
    let results =
        run_cases(&root().join("policies/tests"), &rules, today()).unwrap_or_else(|error| panic!("{error}"));
    let failed: Vec<String> = results
        .iter()
        .filter_map(|result| {
            Some(format!("{} {}: {}", result.policy, result.place, result.failure.as_ref()?))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(results.len() >= 2 * rules.policies.len());
}

#[test]
fn every_shipped_tenant_passes() {
    let tenants = shipped();
    let rules = rules(&tenants);
    for one in &tenants {
        let judgement = judged(&rules, one);
        let blocking: Vec<String> = judgement
            .findings
            .iter()
            .filter(|finding| finding.blocks())
            .map(|f| format!("{} {} {}: {}", f.policy, f.subject(), f.property(), f.message))
            .collect();
        assert!(blocking.is_empty(), "{}: {}", one.tenant.name, blocking.join("\n"));
        assert!(judgement.evaluated.len() > 30, "{}: only {:?}", one.tenant.name, judgement.evaluated);
    }
}

#[test]
fn answers_are_bounded_by_what_the_signer_keeps_to() {
    let rules = rules(&shipped());
    let params = &rules.policy("EDG017").expect("the policy").params;
    assert_eq!(params["beside"], contract::edge_config::ANSWER_MAX_BYTES);
}

#[test]
fn every_exemption_is_needed() {
    let tenants = shipped();
    let rules = rules(&tenants);
    let findings: Vec<_> = tenants.iter().flat_map(|one| judged(&rules, one).findings).collect();
    let unused: Vec<_> = generator::policy::unused(&rules.exemptions, &findings, |_| true);
    assert!(unused.is_empty(), "{unused:?}");
}
