use serde_json::json;

use super::super::directory::Directory;
use super::super::value::Converted;
use super::*;

fn evaluated(source: &str, node: &Json) -> Result<bool, String> {
    let condition = Condition::compile(source, &crate::tenant::schema::document())?;
    let (tenant, stack, params) = (json!({ "region": "eu-north-1" }), json!({}), json!({ "most": 3 }));
    let directory = Directory::new("example", ["acme", "acme-emea"].map(str::to_string));
    let names = Names { directory: Arc::new(directory), tenant: "acme".into() };
    let converted: Vec<Converted> = [node, &tenant, &stack, &params]
        .into_iter()
        .map(|json| Converted::new(json).expect("small"))
        .collect();
    condition.holds(&Variables {
        node: converted[0].value(),
        tenant: converted[1].value(),
        stack: converted[2].value(),
        params: converted[3].value(),
        names: &names,
        is_edge: true,
    })
}

#[test]
fn conditions_hold_or_not() {
    let node = json!({ "n": 3, "l": ["a", "b"], "r": { "Fn::Sub": "arn:${X}" } });
    for (source, expected) in [
        ("self.n <= params.most", true),
        ("self.n + 1 <= params.most", false),
        ("list(self.l).all(x, x.matches('^[a-b]$'))", true),
        ("list(self.n) == [3] && list(null) == []", true),
        ("text(self.r) == 'arn:${X}'", true),
        ("self.?missing.orValue(7) == 7", true),
        ("texts(self).size() == 3", true),
        ("tenant.region.startsWith('eu-')", true),
        ("is_edge() && !(is_edge() && false)", true),
    ] {
        assert_eq!(evaluated(source, &node), Ok(expected), "{source}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_an_error_and_never_passes() {
    for source in
        ["self.missing == 1", "self.n.startsWith('x')", "self.n", "self.n && true", "matches(self.n, 'a')"]
    {
        assert!(evaluated(source, &json!({ "n": 3 })).is_err(), "{source}");
    }
}

#[test]
fn unknown_names_functions_and_settings_are_refused_when_compiled() {
    let schema = crate::tenant::schema::document();
    let problem = |source: &str| Condition::compile(source, &schema).expect_err(source);
    assert!(problem("slef.a == 1").contains("unknown name `slef`"));
    assert!(problem("sizes(self) == 1").contains("unknown function `sizes`"));
    assert!(problem("tenant.regio == 'x'").contains("did you mean `region`?"));
    assert!(problem("tenant.cookies.?minuets.orValue(1) == 1").contains("no setting `cookies.minuets`"));
    assert!(problem("self.matches(self.b)").contains("literal"));
    assert!(problem("self.matches('(')").contains("pattern"));
    assert!(problem("self.a ==").contains("at 1:"));
    assert!(problem(&format!("'{}' == ''", "x".repeat(SOURCE_MAX))).contains("bytes"));
    assert!(problem(&format!("{}1{} == 1", "(".repeat(100), ")".repeat(100))).len() > 1);
    assert!(
        problem("self.all(a, self.all(b, self.all(c, self.all(d, a == d))))").contains("more than 3 deep")
    );
}

#[test]
fn a_condition_that_goes_over_too_many_items_is_stopped() {
    let node = Json::Array((0..2_000).map(Json::from).collect());
    let error = evaluated("self.all(a, self.all(b, a >= 0 || b >= 0))", &node).expect_err("too many");
    assert!(error.contains("more than 100000 items"), "{error}");
    assert_eq!(evaluated("self.all(a, a >= 0)", &node), Ok(true));
}

#[test]
fn names_of_other_tenants_are_found() {
    let node = json!({ "Resource": ["arn:aws:s3:::example-acme-content-1/*", "arn:aws:s3:::example-acme-emea-content-1/*"] });
    assert_eq!(evaluated("foreign(self) == ['example-acme-emea-content-1']", &node), Ok(true));
}
