//! What is looked at before it is done, and what has become of it: plans, drift, taking in, collecting.

use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use generator::aws::Peers;
use serde_json::{Value, json};

use super::{World, passed, tenants_of};

/// Exit codes, as `generator --help` lists them.
const DEPLOYMENT: i32 = 4;
const CHANGES: i32 = 7;

/// Waits for work in the local cloud.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(work)
}

impl World {
    pub(super) fn edit(&self, tenant: &str, from: &str, to: &str) {
        let file = self.tenant_file(tenant);
        let text = fs::read_to_string(&file).expect("the tenant file");
        assert!(text.contains(from), "{text}");
        fs::write(&file, text.replace(from, to)).expect("the tenant file");
    }

    /// Names of the change sets of a stack that this tool has made and not executed.
    fn change_sets(&self, region: &str, stack: &str) -> usize {
        wait(async {
            let cloudformation = self.cloud().await.cloudformation(region);
            let mut left = 0;
            for set in cloudformation.change_sets(stack).await.expect("change sets") {
                let set = cloudformation.change_set(stack, &set.id).await.expect("a change set");
                left += usize::from(set.execution == "AVAILABLE");
            }
            left
        })
    }
}

pub(super) fn what_was_seen_is_executed_or_nothing(world: &World) {
    let (edge, stack) = ("us-east-1", "example-demo-edge");
    let file = world.tenants.path().join("plan.json");
    let path = file.to_str().expect("a path");
    let (plan, execute) = (["plan", "--tenant", "demo", "--out", path], ["deploy", "--plan", path, "--yes"]);

    world.edit("demo", "minutes: 90", "minutes: 120");
    let shown = world.json(&["plan", "--tenant", "demo"]);
    assert_eq!(world.change_sets(edge, stack), 0, "a plan leaves change sets");
    let resources = shown["tenants"][0]["stacks"][1]["resources"].as_array().expect("resources");
    let config = resources.iter().find(|one| one["logical_id"] == "SignerConfig").expect("the signer's");
    let property = &config["properties"][0];
    assert_eq!(
        (&property["path"], &property["before"], &property["after"]),
        (&json!("Value.cookie.minutes"), &json!(90), &json!(120)),
        "{shown:#}"
    );
    let dry = world.json(&["deploy", "--tenant", "demo", "--dry-run"]);
    assert_eq!(dry["overview"], shown["overview"]);

    world.json(&plan);
    assert_eq!(world.change_sets(edge, stack), 1);
    world.edit("demo", "minutes: 120", "minutes: 150");
    let (code, told) = world.json_with_code(&execute);
    assert_eq!(code, CHANGES, "{told:#}");
    assert!(
        told["message"].as_str().is_some_and(|text| text.contains("the file of tenant `demo`")),
        "{told:#}"
    );
    assert_eq!(world.change_sets(edge, stack), 0, "a plan that does not hold leaves change sets");

    world.json(&plan);
    let done = world.json(&execute);
    let detail = &tenants_of(&done)[0]["detail"];
    let edge = detail["stacks"].as_array().and_then(|all| all.iter().find(|one| one["stack"] == stack));
    assert_eq!(edge.map(|edge| &edge["what"]), Some(&json!("updated")), "{done:#}");
    passed(&detail["verification"]);
    let again = world.json(&["plan", "--tenant", "demo"]);
    assert_eq!(again["overview"]["unchanged"], 1, "{again:#}");
    let (code, told) = world.json_with_code(&execute);
    assert_eq!(code, CHANGES, "{told:#}");
    assert!(told["message"].as_str().is_some_and(|text| text.contains("was changed meanwhile")), "{told:#}");
}

pub(super) fn what_was_changed_by_hand_is_drift(world: &World) {
    let drift = ["drift", "--tenant", "demo", "--exit-code"];
    let before = world.json(&drift);
    assert!(before[0]["stacks"][1]["in_sync"].as_array().is_some_and(|all| all.len() > 4), "{before:#}");
    let parameter = |value: String| {
        wait(async {
            let client = aws_sdk_ssm::Client::new(&world.cloud().await.config("us-east-1"));
            let name = "/example-demo-signer/config";
            let old = client.get_parameter().name(name).send().await.expect("a parameter");
            let old = old.parameter().and_then(|found| found.value()).expect("a value").to_string();
            let value =
                if value.is_empty() { old.replace("\"minutes\":150", "\"minutes\":1500") } else { value };
            client.put_parameter().name(name).value(value).overwrite(true).send().await.expect("a write");
            old
        })
    };
    let old = parameter(String::new());
    let (code, drifted) = world.json_with_code(&drift);
    assert_eq!(code, CHANGES, "{drifted:#}");
    let one = &drifted[0]["stacks"][1]["drifted"];
    assert_eq!(one.as_array().map(Vec::len), Some(1), "{drifted:#}");
    let property = &one[0]["properties"][0];
    assert_eq!(
        (&one[0]["logical_id"], &property["path"], &property["before"], &property["after"]),
        (&json!("SignerConfig"), &json!("Value.cookie.minutes"), &json!(150), &json!(1500)),
        "{drifted:#}"
    );
    parameter(old);
    world.json(&drift);
    // A rotation changes keys, which are the rotator's own.
    world.json(&["rotate", "--tenant", "demo", "--yes"]);
    world.json(&drift);
}

pub(super) fn what_no_stack_uses_is_collected(world: &World) {
    let bucket = "example-artifacts-000000000000";
    wait(async {
        let config = world.cloud().await.config("us-east-1");
        let client = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build(),
        );
        let put = client.put_object().bucket(bucket).key("signer/of-long-ago.zip");
        put.body(ByteStream::from_static(b"old")).send().await.expect("an object");
    });
    let file = world.tenants.path().join("forgotten.json");
    world.edit("demo", "minutes: 150", "minutes: 155");
    world.json(&["plan", "--tenant", "demo", "--out", file.to_str().expect("a path")]);
    world.edit("demo", "minutes: 155", "minutes: 150");
    let kinds = |told: &Value| -> Vec<String> {
        let unused = told[0]["unused"].as_array().expect("what is unused");
        let mut kinds: Vec<String> =
            unused.iter().map(|one| format!("{} {}", one["kind"], one["left"])).collect();
        // Of the record of the settings there are older versions.
        kinds.sort();
        kinds.dedup();
        kinds
    };
    let young = world.json(&["gc", "--tenant", "demo", "--yes"]);
    assert_eq!(kinds(&young), Vec::<String>::new(), "{young:#}");
    let all = ["gc", "--tenant", "demo", "--min-age", "0", "--yes"];
    let shown = world.json(&[&all[..], &["--dry-run"]].concat());
    assert_eq!(kinds(&shown), ["\"artifact\" null", "\"change-set\" null"], "{shown:#}");
    let gone = world.json(&all);
    assert_eq!(kinds(&gone), kinds(&shown), "{gone:#}");
    assert_eq!(kinds(&world.json(&all)), Vec::<String>::new());
    passed(&world.json(&["verify", "--tenant", "demo"])[0]);
}

pub(super) fn what_was_kept_is_taken_in_again(world: &World) {
    let outputs = |name: &str| world.json(&["outputs", "--tenant", "demo"])["demo"][name].clone();
    let pool = outputs("UserPoolId");
    world.json(&["destroy", "--tenant", "demo", "--yes"]);
    let (code, refused) = world.json_with_code(&["deploy", "--tenant", "demo", "--yes"]);
    assert_eq!(code, DEPLOYMENT, "{refused:#}");
    assert!(refused["help"].as_str().is_some_and(|help| help.contains("generator import")), "{refused:#}");
    let (code, planned) = world.json_with_code(&["plan", "--tenant", "demo"]);
    assert_eq!(code, DEPLOYMENT, "{planned:#}");
    assert_eq!(planned["overview"]["hindrances"].as_array().map(Vec::len), Some(2), "{planned:#}");

    let shown = world.json(&["import", "--tenant", "demo", "--dry-run"]);
    let kinds: Vec<_> =
        shown[0]["resources"].as_array().expect("resources").iter().map(|one| &one["logical_id"]).collect();
    assert_eq!(kinds, ["ContentBucket", "UserPool"], "{shown:#}");
    let taken = world.json(&["import", "--tenant", "demo", "--yes"]);
    assert_eq!(taken[0]["imported"], true);
    let done = world.json(&["deploy", "--tenant", "demo", "--yes"]);
    passed(&tenants_of(&done)[0]["detail"]["verification"]);
    assert_eq!(outputs("UserPoolId"), pool, "another pool took its place");
    let nothing = world.json(&["import", "--tenant", "demo", "--yes"]);
    assert_eq!(nothing[0]["imported"], false);
    let after = world.json(&["plan", "--tenant", "demo"]);
    assert_eq!(after["overview"]["unchanged"], 1, "{after:#}");
}
