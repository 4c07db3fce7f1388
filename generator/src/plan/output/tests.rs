use serde_json::json;

use super::super::overview::tests::tenant;
use super::*;

fn fleet() -> Vec<TenantPlan> {
    let mut plans: Vec<TenantPlan> = (0..7)
        .map(|n| {
            tenant(
                &format!("t{n}"),
                &[("DistributionConfig.HttpVersion", json!("http2"), json!("http2and3"))],
            )
        })
        .collect();
    let odd = tenant("acme", &[("DistributionConfig.Comment", json!("a `b`"), json!("c"))]);
    plans.push(odd);
    plans.push(tenant("idle", &[]));
    let stack = &mut plans[0].stacks[0];
    stack.losses.push(Lost {
        stack: "regional".into(),
        logical_id: "ContentBucket".into(),
        kind: "AWS::S3::Bucket".into(),
        how: "would be replaced".into(),
        retained: true,
    });
    stack.permissions.push(Widened {
        stack: "edge".into(),
        logical_id: "RotatorRole".into(),
        grant: Some(["", "s3:GetObject", "arn:aws:s3:::b/*", ""].map(str::to_string)),
    });
    stack.findings.push(Found {
        stack: Some("edge".into()),
        resource: Some("RotatorRole".into()),
        policy: "CHG005".into(),
        verdict: "blocked".into(),
        message: "it would allow more".into(),
        fix: "look at the change".into(),
        place: Some("templates/signing_keyring.yaml.hbs:3:1".into()),
    });
    plans
}

#[test]
fn a_plan_for_a_terminal() {
    let plans = fleet();
    insta::assert_snapshot!(human(&Overview::of(&plans), &plans));
}

#[test]
fn a_plan_for_a_pull_request() {
    insta::assert_snapshot!(markdown(&Overview::of(&fleet()), COMMENT_LIMIT));
}

#[test]
fn no_change_is_one_line() {
    let plans = [tenant("a", &[]), tenant("b", &[])];
    let overview = Overview::of(&plans);
    assert_eq!(markdown(&overview, COMMENT_LIMIT), "## Deployment plan\n\n**no changes in 2 tenants.**\n");
}

/// Every tenant with differences of its own: the worst that grouping can be given.
#[test]
fn markdown_of_a_thousand_tenants_fits_into_a_comment() {
    let long = "x".repeat(5_000);
    let mut plans: Vec<TenantPlan> = (0..1_000)
        .map(|n| {
            let own = json!(format!("{n}-{long}"));
            let changes: Vec<_> = (0..4).map(|_| ("Config", own.clone(), json!(long))).collect();
            let name = format!("tenant-with-a-rather-long-name-{n}");
            let mut plan = tenant(&name, &changes);
            plan.stacks[0].notes = vec![format!("note {n}")];
            plan.hindrances = vec![format!("hindrance {n} {long}")];
            plan
        })
        .collect();
    let text = markdown(&Overview::of(&plans), COMMENT_LIMIT);
    assert!(text.len() <= COMMENT_LIMIT && text.contains("are left out"), "{}", text.len());

    for plan in &mut plans {
        *plan = tenant(&plan.tenant, &[("PriceClass", json!("a"), json!("b"))]);
    }
    let text = markdown(&Overview::of(&plans), COMMENT_LIMIT);
    assert!(
        text.len() < 2_000 && text.contains("In 1000 tenants") && text.contains("and 980 more"),
        "{text}"
    );
}
