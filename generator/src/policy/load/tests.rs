use super::*;
use crate::policy::{Document, Evaluated, Finding, Stage, Subject, judge};
use serde_json::json;
use time::macros::date;

const GOOD: &str = "\
policies:
  - id: T001
    title: Cookies live an hour at most
    severity: medium
    on: tenant
    at: cookies.minutes
    params: { most: 60 }
    assert: self <= params.most
    message: \"'`cookies.minutes` is ' + string(self)\"
    fix: lower it
    set: 60
    reason: shorter is safer
    source: our own
";

fn known() -> Known {
    Known {
        labels: ["environment", "tier"].map(str::to_string).into(),
        settings: crate::tenant::schema::document(),
        directory: Arc::new(Directory::new("example", ["acme", "demo"].map(str::to_string))),
    }
}

fn loaded(pack: &str, exemptions: &str) -> Result<Rules, String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pack.yaml"), pack).expect("written");
    std::fs::write(folder.path().join(EXEMPTIONS_FILE), exemptions).expect("written");
    load(folder.path(), &known(), date!(2026 - 11 - 22)).map_err(|error| error.to_string())
}

fn refused(pack: &str) -> String {
    loaded(pack, "").expect_err("a mistake")
}

fn acme(minutes: u32) -> Subject {
    Subject::new("example", "acme", json!({ "region": "eu-north-1", "cookies": { "minutes": minutes } }))
}

fn judged(rules: &Rules, minutes: u32) -> Vec<Finding> {
    let tenant = acme(minutes);
    let document = Document::settings(&tenant);
    judge(rules, Stage::Tenant, &document, &tenant, date!(2026 - 11 - 22)).findings
}

fn exemption(more: &str) -> String {
    let base = "exemptions:\n  - id: E1\n    policies: [T001]\n    tenants: [acme]\n    resources: [tenant]\n    \
                owner: Ann\n    reason: a migration\n";
    format!("{base}{more}")
}

#[test]
fn a_policy_finds_what_violates_it_and_says_so() {
    let rules = loaded(GOOD, "").expect("good");
    assert!(judged(&rules, 60).is_empty());
    let findings = judged(&rules, 61);
    assert_eq!(findings[0].message, "`cookies.minutes` is 61");
    assert!(findings[0].blocks());
    assert_eq!(findings[0].path, ["cookies", "minutes"]);
}

#[test]
fn overrides_change_level_and_params_for_a_scope() {
    let change = "overrides:\n  - policy: T001\n    match: { tenant: ac* }\n    level: advisory\n    params: { most: 90 }\n    reason: agreed\n";
    let rules = loaded(&format!("{GOOD}{change}"), "").expect("good");
    assert!(judged(&rules, 90).is_empty());
    assert!(!judged(&rules, 91)[0].blocks());
    let remediate = "overrides:\n  - policy: T001\n    level: remediate\n    reason: agreed\n";
    let rules = loaded(&format!("{GOOD}{remediate}"), "").expect("good");
    let finding = &judged(&rules, 91)[0];
    assert_eq!(finding.remediation.as_ref().map(|r| (&r.old, &r.new)), Some((&json!(91), &json!(60))));
    assert!(finding.blocks(), "until it is applied");
}

#[test]
fn a_missing_node_is_a_finding_unless_the_policy_says_otherwise() {
    let tenant = Subject::new("example", "acme", json!({ "cookies": {} }));
    let document = Document::settings(&tenant);
    let rules = loaded(GOOD, "").expect("good");
    let found = judge(&rules, Stage::Tenant, &document, &tenant, date!(2026 - 11 - 22));
    assert_eq!(found.findings[0].message, "`cookies.minutes` is missing");
    let rules = loaded(&GOOD.replace("    params", "    missing: skip\n    params"), "").expect("good");
    let found = judge(&rules, Stage::Tenant, &document, &tenant, date!(2026 - 11 - 22));
    assert!(found.findings.is_empty() && found.evaluated.is_empty(), "not evaluated is not passed");
}

#[test]
fn a_condition_that_errors_blocks_at_any_level_and_takes_no_exemption() {
    let pack = GOOD
        .replace("self <= params.most", "self.minutes <= 1")
        .replace("    fix", "    level: advisory\n    fix");
    let rules = loaded(&pack, &exemption("    approver: Bob\n    expires: 2027-01-31\n")).expect("good");
    let finding = &judged(&rules, 1)[0];
    assert!(finding.is_error && finding.blocks() && finding.exemption.is_none(), "{finding:?}");
}

#[test]
fn exemptions_cover_until_they_expire() {
    let covered = loaded(GOOD, &exemption("    approver: Bob\n    expires: 2026-11-22\n")).expect("good");
    let finding = &judged(&covered, 61)[0];
    assert_eq!(finding.exemption.as_ref().map(|by| by.approver.as_str()), Some("Bob"));
    assert!(!finding.blocks());
    let expired = loaded(GOOD, &exemption("    approver: Bob\n    expires: 2026-11-21\n")).expect("good");
    let finding = &judged(&expired, 61)[0];
    assert!(finding.blocks());
    assert_eq!(finding.expired, Some(("E1".into(), "2026-11-21".into())));
    let unused = crate::policy::unused(&covered.exemptions, &judged(&covered, 60), |_| true);
    assert_eq!(unused.len(), 1);
}

#[test]
fn an_exemption_from_a_critical_rule_on_changes_covers_one_change_set() {
    let pack = GOOD
        .replace("on: tenant", "on: change")
        .replace("medium", "critical")
        .replace("at: cookies.minutes", "at: minutes")
        .replace("    set: 60\n", "");
    let body = |minutes: u32, allowed: &[&str]| json!({ "creates": false, "changes": [{ "logical_id": "A", "minutes": minutes, "allowed": allowed }] });
    let approved = crate::policy::digest(&body(61, &[]));
    let more = format!("    approver: Bob\n    expires: 2027-01-31\n    digest: {approved}\n");
    let more = exemption(&more).replace("[tenant]", "[regional/A]");
    let rules = loaded(&pack, &more).expect("good");
    let exempted = |body: &serde_json::Value| {
        let tenant = acme(1);
        let document = Document { stack: Some("regional"), name: "s", region: "r", body };
        let found = judge(&rules, Stage::Change, &document, &tenant, date!(2026 - 11 - 22)).findings;
        assert_eq!(found[0].resource.as_deref(), Some("A"));
        found[0].exemption.is_some()
    };
    assert!(exempted(&body(61, &[])));
    assert!(exempted(&body(61, &["replace"])), "what the caller allows is no part of what changes");
    assert!(!exempted(&body(62, &[])));
}

#[test]
fn exemptions_are_held_to_their_rules() {
    for (more, message) in [
        ("    approver: ann\n    expires: 2027-01-31\n", "cannot approve"),
        ("    approver: Bob\n    expires: 2027-05-22\n", "more than 180 days ahead"),
        ("    approver: Bob\n    expires: soon\n", "is no date"),
        ("    approver: Bob\n", "`expires` is missing"),
        ("    expires: 2027-01-31\n", "`approver` is missing"),
    ] {
        let error = loaded(GOOD, &exemption(more)).expect_err(more);
        assert!(error.contains(message), "{error}");
    }
    let good = exemption("    approver: Bob\n    expires: 2027-01-31\n");
    assert!(loaded(GOOD, &good).is_ok());
    for (from, to, message) in [
        ("[T001]", "['*']", "is a pattern"),
        ("[T001]", "[T002]", "did you mean `T001`?"),
        ("[acme]", "[nobody]", "no tenant matches"),
    ] {
        let error = loaded(GOOD, &good.replace(from, to)).expect_err(to);
        assert!(error.contains(message), "{error}");
    }
    let fixed = GOOD.replace("    fix", "    exemptable: false\n    fix");
    assert!(loaded(&fixed, &good).expect_err("fixed").contains("takes no exemptions"));
    let change = GOOD
        .replace("on: tenant", "on: change")
        .replace("medium", "critical")
        .replace("cookies.minutes\n", "x\n");
    assert!(loaded(&change, &good).expect_err("no digest").contains("the one change set"));
}

#[test]
fn whatever_is_unknown_is_an_error_with_its_place() {
    for (from, to, place, message) in [
        ("fix:", "fixes:", "pack.yaml:10:5", "unknown key `policies.fixes`"),
        ("medium", "medum", "pack.yaml:4:15", "did you mean `medium`?"),
        ("cookies.minutes\n", "cookies.minuets\n", "pack.yaml:6:9", "did you mean `minutes`?"),
        ("self <=", "slef <=", "pack.yaml:8:13", "unknown name `slef`"),
        ("on: tenant", "on: bucket", "pack.yaml:5:9", "CloudFormation types"),
        (
            "    set",
            "    match: { labels: { teir: gold } }\n    set",
            "pack.yaml:11:24",
            "did you mean `tier`?",
        ),
    ] {
        let error = refused(&GOOD.replacen(from, to, 1));
        assert!(error.contains(place) && error.contains(message), "{error}");
    }
    let change = "overrides:\n  - policy: T01\n    level: advisory\n    reason: x\n";
    assert!(refused(&format!("{GOOD}{change}")).contains("there is no policy `T01`"));
    let change = "overrides:\n  - policy: T001\n    params: { mots: 1 }\n    reason: x\n";
    assert!(refused(&format!("{GOOD}{change}")).contains("no param `mots`"));
}

#[test]
fn an_id_is_given_once() {
    let twice = format!("{GOOD}{}", GOOD.trim_start_matches("policies:\n"));
    assert!(refused(&twice).contains("the id `T001` is taken"));
    assert!(refused(&format!("{GOOD}retired: [T001]\n")).contains("is retired"));
}

#[test]
fn evaluations_of_several_documents_add_up_by_policy() {
    let policy = |id: &str| loaded(&GOOD.replace("T001", id), "").expect("good").policies[0].clone();
    let [first, second, third] = ["T001", "T002", "T003"].map(policy);
    let noted = |all: &[(&Arc<Policy>, usize)]| {
        let mut evaluated = Evaluated::default();
        all.iter().for_each(|(policy, times)| evaluated.note(policy, *times));
        evaluated
    };
    let mut all = noted(&[(&third, 1), (&first, 2), (&third, 3)]);
    all.add(noted(&[(&first, 1), (&second, 5)]));
    assert_eq!(all, noted(&[(&first, 3), (&second, 5), (&third, 4)]));
    assert_eq!((all.times("T002"), all.len(), all.total()), (5, 3, 12));
    assert!(!all.has("T004") && !all.is_empty() && Evaluated::default().is_empty());
}
