//! `generator explain`, both ways.

use std::process::Output;

use generator::explain::{Explainer, Explanation, SourceReport};

use crate::support::{self, root, templates, tenants, text};

/// Settings of every section of `acme`, each with a property that it must reach.
const SETTINGS: [(&str, &str); 12] = [
    ("edge.price_class", "edge/Distribution.DistributionConfig.PriceClass"),
    ("edge.aliases", "edge/Distribution.DistributionConfig.Aliases.0"),
    ("edge.http_version", "edge/Distribution.DistributionConfig.HttpVersion"),
    ("cookies.minutes", "edge/SigningKeyring.CookieMinutes"),
    ("cookies.hash", "edge/SignerConfig.Value"),
    ("cors.origins", "regional/ContentBucket.CorsConfiguration.CorsRules.0.AllowedOrigins.0"),
    ("bucket.noncurrent_days", "regional/ContentBucket.LifecycleConfiguration.Rules.0"),
    ("keys.rotation", "edge/KeyringRotation.RotationRules.ScheduleExpression"),
    ("sign_in.password.minimum_length", "regional/UserPool.Policies.PasswordPolicy.MinimumLength"),
    ("sign_in.access_token_minutes", "regional/UserPoolClient.AccessTokenValidity"),
    ("token.scopes", "edge/SignerConfig.Value"),
    ("labels.cost-centre", "regional/UserPool.UserPoolTags.cost-centre"),
];

fn explainer(name: &str) -> Explainer {
    let tenant = tenants().into_iter().find(|tenant| tenant.name == name).expect("the tenant is shipped");
    Explainer::new(&root().join("tenants"), &tenant, &templates()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_setting_leads_to_its_property_and_the_property_back() {
    let explainer = explainer("acme");
    for (setting, property) in SETTINGS {
        let forth = explainer.setting(setting).unwrap_or_else(|error| panic!("{error}"));
        let set_by = forth.set_by.unwrap_or_else(|| panic!("`{setting}` is set in no layer"));
        assert_eq!(set_by.value, forth.value, "{setting}");
        assert!(!forth.description.is_empty() && !forth.allowed.is_empty(), "{setting}");
        let reach = forth.reaches.iter().find(|reach| reach.property.starts_with(property));
        let reach = reach.unwrap_or_else(|| panic!("`{setting}` reaches only {:#?}", forth.reaches));

        let Ok(Explanation::Property(back)) = explainer.explain(&reach.property) else {
            panic!("`{}` cannot be explained", reach.property)
        };
        let scalars = back.scalars.iter().filter(|scalar| scalar.template == reach.template);
        let mut sources = scalars.flat_map(|scalar| &scalar.sources);
        let is_same = |source: &&SourceReport| {
            matches!(source, SourceReport::Setting { setting: own, set_by: Some(by) }
                if own == setting && by.place == set_by.place)
        };
        assert!(sources.any(|source| is_same(&source)), "{setting}: {back:#?}");
    }
}

/// What people read, both ways. Lines of templates are left out, as each change of a template moves them; that
/// they are right is shown elsewhere.
#[test]
fn what_is_explained_reads_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/snapshots/explain"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"\.yaml\.hbs:\d+", ".yaml.hbs");
    for (setting, property) in SETTINGS {
        let output = generator(&["explain", "--tenant", "acme", setting, property]);
        assert_eq!(output.status.code(), Some(0), "{setting}: {}", text(&output.stderr));
        settings.set_description(format!("generator explain --tenant acme {setting} {property}"));
        settings.bind(|| insta::assert_snapshot!(setting, text(&output.stdout)));
    }
    let found = std::fs::read_dir(root().join("tests/snapshots/explain")).expect("the snapshots");
    let found = found.filter(|entry| {
        entry.as_ref().expect("an entry").path().extension().is_some_and(|kind| kind == "snap")
    });
    assert_eq!(found.count(), SETTINGS.len(), "a snapshot is left over");
}

/// The place that is told is where the value stands.
#[test]
fn the_line_that_is_told_says_the_value() {
    let explainer = explainer("acme");
    let report = explainer.setting("edge.price_class").expect("a setting");
    let said = report.set_by.iter().chain(&report.overrides);
    for said in said.filter(|said| said.layer != "built-in") {
        let parts: Vec<&str> = said.place.rsplitn(3, ':').collect();
        let (column, line): (usize, usize) = (parts[0].parse().unwrap(), parts[1].parse().unwrap());
        let text = std::fs::read_to_string(root().join(parts[2])).expect("the file is there");
        let rest = &text.lines().nth(line - 1).expect("the line is there")[column - 1..];
        assert_eq!(Some(rest), said.value.as_str(), "{}", said.place);
    }
    let layers: Vec<&str> = report.overrides.iter().map(|said| said.layer.as_str()).collect();
    assert_eq!(layers, ["tier gold", "defaults", "built-in"]);
}

#[test]
fn explain_answers_people_and_programs() {
    let output = generator(&["explain", "--tenant", "acme", "edge.price_class"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let human = text(&output.stdout);
    for part in
        ["edge.price_class = ", "allowed", "tenants/acme.yaml:", "tenants/_tiers/gold.yaml:", "reaches"]
    {
        assert!(human.contains(part), "no `{part}` in:\n{human}");
    }
    let property = "edge/Distribution.DistributionConfig.PriceClass";
    let output = generator(&["explain", "--tenant", "acme", property, "--output", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let scalar = &json[0]["explanation"]["scalars"][0];
    assert_eq!(scalar["sources"][0]["setting"], "edge.price_class");
    assert!(scalar["template"].as_str().expect("a line").starts_with("templates/distribution.yaml.hbs:"));
}

#[test]
fn what_is_not_known_is_answered_with_the_nearest_and_its_own_exit_code() {
    for (asked, hint) in [
        ("edge.price_clas", "did you mean `edge.price_class`?"),
        ("edge", "its settings are"),
        ("edge/Distribution.DistributionConfig.PriceClas", "did you mean `PriceClass`?"),
        ("egde/Distribution", "did you mean `edge`?"),
    ] {
        let output = generator(&["explain", "--tenant", "acme", asked]);
        assert_eq!(output.status.code(), Some(6), "{asked}");
        assert!(text(&output.stderr).contains(hint), "{asked}: {}", text(&output.stderr));
    }
}

fn generator(arguments: &[&str]) -> Output {
    support::generator(&std::env::temp_dir()).args(arguments).output().expect("the binary runs")
}
