//! Findings in the forms that other programs read, held to those forms' published schemas.

use generator::policy::{Exempted, Judgement, Remediation, github, human, junit, markdown, sarif};
use serde_json::{Value, json};
use uppsala::XsdValidator;

use crate::policies::{judged, rules, shipped};
use crate::support::root;

/// Findings of every kind: the shipped ones, and copies that block, fail, were set, expired.
fn findings() -> (generator::policy::Rules, Vec<(String, Judgement)>) {
    let tenants = shipped();
    let rules = rules(&tenants);
    let mut all: Vec<(String, Judgement)> =
        tenants.iter().map(|one| (one.tenant.name.clone(), judged(&rules, one))).collect();
    let findings = &mut all[0].1.findings;
    let mut base = findings.first().cloned().expect("acme has an exempted finding");
    assert!(base.exemption.is_some());
    base.place = Some(generator::policy::Spot {
        file: "tenants/å b.yaml".into(),
        line: 3,
        column: 5,
        length: 4,
        text: "    dürr: 1".into(),
    });
    findings.push(base.clone());
    base.exemption = None;
    base.expired = Some(("old <one>".into(), "2026-01-01".into()));
    base.message = "a \"quoted\" <text> & a bell \u{7}, 100 %\nsecond line | cell".into();
    findings.push(base.clone());
    base.is_error = true;
    findings.push(base.clone());
    base.is_error = false;
    base.remediation = Some(Remediation { old: json!(30), new: json!(7), is_applied: true });
    findings.push(base.clone());
    (rules, all)
}

fn together(all: &[(String, Judgement)]) -> Judgement {
    let mut judgement = Judgement::default();
    all.iter().for_each(|(_, one)| judgement.add(one.clone()));
    judgement
}

fn schema(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/fixtures/schemas").join(name)).expect("the schema is there")
}

#[test]
fn sarif_keeps_its_published_schema() {
    let schema: Value = serde_json::from_str(&schema("sarif-2.1.0.json")).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let (rules, all) = findings();
    let log = sarif(&rules, &together(&all), "0.1.0");
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let mut broken = log.clone();
    broken["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(!validator.is_valid(&broken), "the schema judges");
    let results = log["runs"][0]["results"].as_array().expect("results");
    let suppressed = results.iter().filter(|r| r["suppressions"][0]["status"] == "accepted").count();
    assert_eq!(suppressed, together(&all).findings.iter().filter(|f| f.exemption.is_some()).count());
    let rule = |result: &Value| {
        &log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap_or(9999) as usize]["id"]
    };
    assert!(results.iter().all(|result| *rule(result) == result["ruleId"]));
}

#[test]
fn what_was_not_evaluated_has_not_passed() {
    let (rules, all) = findings();
    let log = sarif(&rules, &together(&all), "0.1.0").to_string();
    assert!(!log.contains("\"ruleId\":\"CHG001\""), "no change was judged");
    let report = junit(&rules, &all, "2026-11-22T10:00:00");
    let case = report.lines().find(|line| line.contains("name=\"CHG001")).expect("a case");
    assert!(case.contains("<skipped/>"), "{case}");
}

#[test]
fn junit_keeps_its_published_schema() {
    let text = schema("junit.xsd");
    let document = uppsala::parse(&text).expect("the schema is XML");
    let validator = XsdValidator::from_schema(&document).expect("a schema");
    let (rules, all) = findings();
    let report = junit(&rules, &all, "2026-11-22T10:00:00");
    let parsed = uppsala::parse(&report).unwrap_or_else(|error| panic!("{error}\n{report}"));
    let errors: Vec<String> = validator.validate(&parsed).iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    let broken = report.replacen("<testcase name=", "<testcase nome=", 1);
    let broken = uppsala::parse(&broken).expect("still XML");
    assert!(!validator.validate(&broken).is_empty(), "the schema judges");
    assert!(report.contains("failures=\"1\" errors=\"0\"") || report.contains("errors=\"1\""), "{report}");
}

#[test]
fn people_read_what_happened_and_what_to_do() {
    let (_, all) = findings();
    let finding = &all[0].1.findings.last().expect("a finding").clone();
    let mut exempted = finding.clone();
    exempted.exemption = Some(Exempted {
        id: "e".into(),
        owner: "a".into(),
        approver: "b".into(),
        reason: "r".into(),
        expires: "2027-01-01".into(),
    });
    let text = human(&[finding.clone(), exempted]);
    for part in
        ["tenants/å b.yaml:3:5", "`old <one>` expired on 2026-01-01", "30 -> 7", "exempted by `e`", "help: "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let line = github(std::slice::from_ref(finding));
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(
        line.starts_with("::notice file=tenants/å b.yaml,line=3,col=5,title=") && line.contains("100 %25%0A"),
        "{line}"
    );
    let table = markdown(std::slice::from_ref(finding));
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("second line \\| cell") && !table.contains("<text>"), "{table}");
}
