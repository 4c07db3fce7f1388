use serde_json::json;

use super::super::directory::Directory;
use super::compile::SOURCE_MAX;
use super::*;

fn evaluated(source: &str, node: &Json) -> Result<bool, String> {
    let condition = Condition::compile(source, &crate::tenant::schema::document())?;
    let (tenant, stack, params) = (json!({ "region": "eu-north-1" }), json!({}), json!({ "most": 3 }));
    let directory = Directory::new("example", ["acme", "acme-emea"].map(str::to_string));
    let names = Names { directory: Arc::new(directory), tenant: "acme".into() };
    let [tenant, stack, params] = [&tenant, &stack, &params].map(|json| Input::new(Source::Json(json)));
    let (tenant, stack, params) = (&tenant, &stack, &params);
    condition.holds(&Variables { node, tenant, stack, params, names: &names, is_edge: true })
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
        ("texts(self.l) == ['a', 'b']", true),
        ("matching(self, '^a') == ['a', 'arn:${X}']", true),
        ("matching(self.l, '^a') == ['a']", true),
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

#[test]
fn an_input_is_remembered_with_everything_that_was_read() {
    let schema = crate::tenant::schema::document();
    let condition = Condition::compile(
        "self <= params.most && tenant.cookies.minutes > 5 && stack.region == 'a' && is_edge()",
        &schema,
    );
    let condition = condition.expect("a condition");
    let directory = Arc::new(Directory::new("example", ["acme".to_string()]));
    let holds = |node: u32, most: u32, minutes: u32, region: &str, is_edge: bool, other: u32| {
        let tenant = json!({ "cookies": { "minutes": minutes, "other": other } });
        let (params, body, node) = (json!({ "most": most }), json!({ "other": other }), json!(node));
        let names = Names { directory: directory.clone(), tenant: format!("t{other}") };
        let (tenant, params) = (Input::new(Source::Json(&tenant)), Input::new(Source::Json(&params)));
        let stack = Source::Stack { id: "edge", name: "n", region, what: "template", body: &body };
        let stack = Input::new(stack);
        let before = condition.kept.len();
        let variables = Variables {
            node: &node,
            tenant: &tenant,
            stack: &stack,
            params: &params,
            names: &names,
            is_edge,
        };
        let held = condition.holds(&variables).expect("evaluated");
        (held, condition.kept.len() - before)
    };
    assert_eq!(holds(1, 3, 10, "a", true, 1), (true, 1));
    assert_eq!(holds(1, 3, 10, "a", true, 2), (true, 0), "what is not read makes no difference");
    assert_eq!(holds(4, 3, 10, "a", true, 1), (false, 0));
    assert_eq!(holds(1, 0, 10, "a", true, 1), (false, 0));
    assert_eq!(holds(1, 3, 5, "a", true, 1), (false, 0));
    assert_eq!(holds(1, 3, 10, "b", true, 1), (false, 0));
    assert_eq!(holds(1, 3, 10, "a", false, 1), (false, 0));
    assert_eq!(holds(2, 3, 10, "a", true, 1), (true, 1));
}
