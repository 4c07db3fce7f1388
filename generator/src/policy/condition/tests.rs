use serde_json::json;

use super::super::directory::Directory;
use super::super::functions::Names;
use super::compile::SOURCE_MAX;
use super::*;

fn evaluated(source: &str, node: &Json) -> Result<bool, String> {
    let condition = Condition::compile(source, &crate::tenant::schema::document())?;
    let (tenant, stack, params) = (json!({ "region": "eu-north-1" }), json!({}), json!({ "most": 3 }));
    let directory = Directory::new("example", ["acme", "acme-emea"].map(str::to_string));
    let names = Names { directory: Arc::new(directory), tenant: "acme".into() };
    let body = json!({ "Resources": {
        "Cdn": { "Type": "AWS::CloudFront::Distribution", "LambdaFunctionARN": { "Ref": "Signer" } },
        "Signer": { "Type": "AWS::Lambda::Version" },
        "All": node,
    } });
    condition.holds(&Variables {
        node: &body["Resources"]["All"],
        resource: Some("Signer"),
        tenant: &tenant,
        stack: Source::Json(&stack),
        params: params.as_object().expect("a map"),
        facts: &Facts::new(&body, names),
    })
}

#[test]
fn conditions_hold_or_not() {
    let chosen = json!({ "Fn::If": ["C", { "Fn::If": ["D", "b", { "Ref": "AWS::NoValue" }] }, ["c"]] });
    let node = json!({
        "n": 3, "l": ["a", "b"], "r": { "Fn::Sub": "arn:${X}" }, "s": { "Ref": "Signer" },
        "c": ["a", chosen, { "Ref": "X" }],
    });
    for (source, expected) in [
        ("self.n <= params.most", true),
        ("self.n + 1 <= params.most", false),
        ("list(self.l).all(x, x.matches('^[a-b]$'))", true),
        ("list(self.n) == [3] && list(null) == []", true),
        ("text(self.r) == 'arn:${X}'", true),
        ("choices(self.l) == ['a', 'b'] && choices(self.n) == [3] && choices(null) == []", true),
        ("choices(self.c) == ['a', 'b', 'c', {'Ref': 'X'}]", true),
        ("self.?missing.orValue(7) == 7", true),
        ("texts(self).size() == 11", true),
        ("texts(self.l) == ['a', 'b']", true),
        ("matching(self, '^ar?') == ['a', 'arn:${X}', 'a']", true),
        ("matching(self.l, '^a') == ['a']", true),
        ("tenant.region.startsWith('eu-')", true),
        ("is_edge() && !(is_edge() && false)", true),
        ("keys(self) == ['c', 'l', 'n', 'r', 's']", true),
        ("keys(self.r).all(k, k == 'Fn::Sub')", true),
        ("resource_type(self.s) == 'AWS::Lambda::Version' && resource_type(self.r) == ''", true),
        ("referred_by('AWS::CloudFront::Distribution', 'Nothing')", false),
        ("self.l.all(x, x.size() == 1) && self.l.exists(x, x == 'b')", true),
        ("list(self.?missing.orValue([])).all(x, x.y == 1)", true),
        ("has(self.r) && !has(self.x) && self.r.size() == 1", true),
        ("self.exists(k, k == 'n')", true),
    ] {
        assert_eq!(evaluated(source, &node), Ok(expected), "{source}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_an_error_and_never_passes() {
    for source in [
        "self.missing == 1",
        "self.n.startsWith('x')",
        "self.n",
        "self.n && true",
        "matches(self.n, 'a')",
        "texts(self.missing).size() == 0",
        "keys(self.n).size() == 0",
        "has(self.n.below)",
        "self.n.all(x, x.y == 1)",
        "self.missing.all(x, x.y == 1)",
        "self.t.all(x, x.y == 1)",
        "self.l.all(x, x.y == 1)",
        "self.l.y == 1",
    ] {
        let node = json!({ "n": 3, "t": "text", "l": ["a"] });
        assert!(evaluated(source, &node).is_err(), "{source}");
    }
    let missing = evaluated("matching(self.a.b, 'x') == []", &json!({ "a": {} }));
    assert_eq!(missing, Err("`self.a.b` is missing".to_string()));
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
    assert!(problem("keys(params).size() == 1").contains("`keys` takes `self`"));
    assert!(problem("referred_by(self.a, 'b')").contains("both as literal texts"));
    assert!(problem("is_edge(self)").contains("takes nothing"));
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

/// A condition, and how it went for one input after the other: whether it held, and whether that was new.
struct Remembering {
    condition: Condition,
    directory: Arc<Directory>,
}

impl Remembering {
    fn new(source: &str) -> Self {
        let condition = Condition::compile(source, &crate::tenant::schema::document()).expect("a condition");
        Self {
            condition,
            directory: Arc::new(Directory::new("example", ["acme", "demo"].map(str::to_string))),
        }
    }

    fn holds(&self, node: &Json, tenant: &Json, params: &Json, region: &str) -> (bool, bool) {
        let body = json!({ "Resources": { "A": node } });
        let names = Names { directory: self.directory.clone(), tenant: "demo".into() };
        let before = self.condition.held.len();
        let held = self.condition.holds(&Variables {
            node: &body["Resources"]["A"],
            resource: Some("A"),
            tenant,
            stack: Source::Stack { id: "edge", name: "n", region, what: "template", body: &body },
            params: params.as_object().expect("a map"),
            facts: &Facts::new(&body, names),
        });
        (held.expect("evaluated"), self.condition.held.len() > before)
    }

    /// The message about a node, and whether that was new and is remembered.
    fn says(&self, node: &Json) -> (Result<String, String>, bool) {
        let names = Names { directory: self.directory.clone(), tenant: "demo".into() };
        let before = self.condition.said.len();
        let said = self.condition.text(&Variables {
            node,
            resource: None,
            tenant: &json!({}),
            stack: Source::Nothing,
            params: &Map::new(),
            facts: &Facts::new(node, names),
        });
        (said, self.condition.said.len() > before)
    }
}

#[test]
fn an_input_is_remembered_with_everything_that_was_read() {
    let all = Remembering::new("self.n <= params.most && tenant.cookies.minutes > 5 && stack.region == 'a'");
    let holds = |n: u32, most: u32, minutes: u32, region: &str, other: u32| {
        let (node, params) = (json!({ "n": n, "other": other }), json!({ "most": most, "other": other }));
        all.holds(&node, &json!({ "cookies": { "minutes": minutes, "other": other } }), &params, region)
    };
    assert_eq!(holds(1, 3, 10, "a", 1), (true, true));
    assert_eq!(holds(1, 3, 10, "a", 2), (true, false), "what is not read makes no difference");
    assert_eq!(holds(4, 3, 10, "a", 1), (false, true));
    assert_eq!(holds(4, 3, 10, "a", 2), (false, false), "what did not hold is remembered as well");
    assert_eq!(holds(1, 0, 10, "a", 1), (false, true));
    assert_eq!(holds(1, 3, 5, "a", 1), (false, true));
    assert_eq!(holds(1, 3, 10, "b", 1), (false, true));
    assert_eq!(holds(2, 3, 10, "a", 1), (true, true));
}

#[test]
fn of_a_list_the_keys_that_are_read_of_its_items_count() {
    let tags = Remembering::new("self.tags.exists(t, t.key == 'a') && !has(self.gone)");
    let holds = |node: Json| tags.holds(&node, &json!({}), &json!({}), "a");
    assert_eq!(holds(json!({ "tags": [{ "key": "a", "value": 1 }] })), (true, true));
    assert_eq!(holds(json!({ "tags": [{ "key": "a", "value": 2 }] })), (true, false));
    assert_eq!(holds(json!({ "tags": [{ "key": "b", "value": 1 }] })), (false, true));
    assert_eq!(holds(json!({ "tags": [{ "key": "a" }, { "key": "b" }] })), (true, true));
    assert_eq!(
        holds(json!({ "tags": [{ "key": "a" }], "gone": null })),
        (false, true),
        "that a key is there"
    );
}

#[test]
fn what_is_chosen_between_counts_as_a_whole() {
    let statements = Remembering::new("choices(self.l).all(s, s.a == 1)");
    let holds = |node: Json| statements.holds(&node, &json!({}), &json!({}), "a");
    let chosen = |a: u32, b: u32| json!({ "l": [{ "a": 1 }, { "Fn::If": ["C", { "a": a, "b": b }, { "Ref": "AWS::NoValue" }] }] });
    assert_eq!(holds(json!({ "l": [{ "a": 1, "b": 1 }] })), (true, true));
    assert_eq!(holds(json!({ "l": [{ "a": 1, "b": 2 }] })), (true, false));
    assert_eq!(holds(json!({ "l": [{ "a": 1 }, { "Ref": "AWS::NoValue" }] })), (true, true));
    assert_eq!(holds(chosen(1, 1)), (true, true));
    assert_eq!(holds(chosen(1, 2)), (true, true));
    assert_eq!(holds(chosen(2, 1)), (false, true));
    assert_eq!(holds(json!({ "l": { "Fn::If": ["C", [{ "a": 1 }], [{ "a": 2 }]] } })), (false, true));
}

#[test]
fn an_answer_counts_and_not_what_it_was_found_in() {
    let foreign = Remembering::new("foreign(self).size() == 0 && matching(self.x, '^a').size() == 0");
    let holds = |node: Json| foreign.holds(&node, &json!({}), &json!({}), "a");
    assert_eq!(holds(json!({ "x": "example-demo-1" })), (true, true));
    assert_eq!(holds(json!({ "x": "example-demo-2" })), (true, false));
    assert_eq!(holds(json!({ "x": "example-acme-2" })), (false, true));
    assert_eq!(holds(json!({ "x": ["b", "ab"] })), (false, true));
}

#[test]
fn a_message_is_remembered_unless_it_is_long_or_fails() {
    let message = Remembering::new("'it is `' + self.x + '`'");
    for is_new in [true, false] {
        assert_eq!(message.says(&json!({ "x": "a" })), (Ok("it is `a`".into()), is_new));
    }
    assert_eq!(message.says(&json!({ "x": "b" })), (Ok("it is `b`".into()), true));
    assert!(!message.says(&json!({ "x": "a".repeat(SAID_MAX) })).1);
    for _ in 0..2 {
        let (said, is_new) = message.says(&json!({ "x": 1 }));
        assert!(said.is_err() && !is_new, "{said:?}");
    }
}
