//! All stacks of one tenant.

use std::collections::BTreeMap;

use crate::aws::cloudformation::{ChangeSetId, Stack};
use crate::deploy::fake::{FakeCloudFormation, FakePeers, Script, context, event, set, stack};
use crate::deploy::{ArtifactFacts, ArtifactLocations, DeployError, deploy_tenant, describe};
use crate::render::{
    Artifact, ArtifactFact, ParameterSource, RenderedStack, RenderedTenant, StackId, StackParameter,
};

const HOME: &str = "eu-north-1";
const EDGE: &str = "us-east-1";

fn tenant() -> RenderedTenant {
    let stack = |id: StackId, region: &str, parameters: Vec<(&str, ParameterSource)>| RenderedStack {
        id,
        name: format!("demo-{}", id.as_str()),
        region: region.into(),
        template: "T".into(),
        parameters: parameters
            .into_iter()
            .map(|(name, source)| StackParameter { name: name.into(), source })
            .collect(),
        tags: BTreeMap::new(),
        outputs: vec![],
    };
    let output = "DistributionArn".to_owned();
    let later = ParameterSource::LaterOutput { stack: StackId::Edge, output };
    let bucket = ParameterSource::Output { stack: StackId::Regional, output: "Bucket".into() };
    let key = ParameterSource::Artifact { artifact: Artifact::Signer, fact: ArtifactFact::Key };
    RenderedTenant {
        page: None,
        tenant: "demo".into(),
        account: Some("111122223333".into()),
        role_arn: None,
        stacks: vec![
            stack(StackId::Regional, HOME, vec![("Arn", later)]),
            stack(StackId::Edge, EDGE, vec![("Bucket", bucket), ("SignerKey", key)]),
        ],
    }
}

fn artifacts() -> ArtifactLocations {
    let facts = ArtifactFacts { bucket: "b".into(), key: "signer/1.zip".into(), code_sha256: "x".into() };
    [(Artifact::Signer, facts)].into()
}

fn found(status: &str, parameters: &[(&str, &str)], outputs: &[(&str, &str)]) -> Stack {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    // What was changed was changed after it was made.
    let (created, updated) = (Some(1), (status == "UPDATE_COMPLETE").then_some(2));
    Stack { parameters: map(parameters), outputs: map(outputs), created, updated, ..stack(status) }
}

fn peers(regional: Script, edge: Script) -> FakePeers {
    let regions = [
        (HOME.to_owned(), FakeCloudFormation::new(regional)),
        (EDGE.to_owned(), FakeCloudFormation::new(edge)),
    ];
    FakePeers { regions: regions.into(), account: "111122223333".into(), ..FakePeers::default() }
}

fn changes() -> Script {
    let id = || Ok(ChangeSetId { id: "arn:set".into(), stack_id: "arn:stack".into() });
    Script {
        sets: [Ok(set("CREATE_COMPLETE", None, vec![]))].into(),
        events: [Ok(vec![
            event("1", "s", "CREATE_COMPLETE", None),
            event("2", "s", "UPDATE_COMPLETE", None),
        ])]
        .into(),
        created: [id(), id()].into(),
        ..Script::default()
    }
}

#[tokio::test]
async fn a_first_deployment_goes_over_the_first_stack_again_with_the_later_output() {
    let regional = |status, arn| Ok(Some(found(status, &[("Arn", arn)], &[("Bucket", "demo-content")])));
    let peers = peers(
        Script {
            stacks: [
                Ok(None),
                regional("CREATE_COMPLETE", ""),
                regional("CREATE_COMPLETE", ""),
                regional("UPDATE_COMPLETE", "arn:d"),
            ]
            .into(),
            templates: [Ok(None), Ok(Some("T".into()))].into(),
            ..changes()
        },
        Script {
            stacks: [Ok(None), Ok(Some(found("CREATE_COMPLETE", &[], &[("DistributionArn", "arn:d")])))]
                .into(),
            ..changes()
        },
    );
    let (context, sink) = context();
    let outcome = deploy_tenant(&context, &peers, &tenant(), &artifacts(), &[]).await.expect("deployed");
    let order: Vec<_> = outcome.stacks.iter().map(|(id, _)| *id).collect();
    assert_eq!(order, [StackId::Regional, StackId::Edge, StackId::Regional]);
    let regional = peers.regions[HOME].requests();
    assert_eq!(regional[0].parameters["Arn"], "");
    assert_eq!(regional[1].parameters["Arn"], "arn:d");
    let calls = |region: &str| -> Vec<String> {
        let calls = peers.regions[region].calls();
        calls.iter().filter_map(|call| call.split(' ').next()).map(str::to_owned).collect()
    };
    let pass =
        ["CreateChangeSet", "DescribeChangeSet", "DescribeEvents", "ExecuteChangeSet", "DescribeStacks"];
    let before = ["DescribeStacks", "DescribeAccountLimits"];
    // What was not there is made without another look, and nobody asks for a template that is known.
    assert_eq!(calls(EDGE), [&before[..], &pass].concat());
    assert_eq!(calls(HOME), [&before[..], &pass, &["DescribeStacks"], &pass].concat());
    let edge = &peers.regions[EDGE].requests()[0];
    assert_eq!(edge.parameters["Bucket"], "demo-content");
    assert_eq!(edge.parameters["SignerKey"], "signer/1.zip");
    assert_eq!(sink.codes().last(), Some(&"TENANT_DONE"));
}

fn settled() -> FakePeers {
    let read = |stack: Stack| Script {
        stacks: [Ok(Some(stack))].into(),
        templates: [Ok(Some("T".into()))].into(),
        ..Script::default()
    };
    let edge = [("Bucket", "demo-content"), ("SignerKey", "signer/1.zip")];
    peers(
        read(found("UPDATE_COMPLETE", &[("Arn", "arn:d")], &[("Bucket", "demo-content")])),
        read(found("CREATE_COMPLETE", &edge, &[("DistributionArn", "arn:d")])),
    )
}

#[tokio::test]
async fn a_later_run_without_changes_reads_each_stack_once_and_writes_nothing() {
    let peers = settled();
    let (context, _) = context();
    let outcome = deploy_tenant(&context, &peers, &tenant(), &artifacts(), &[]).await.expect("unchanged");
    assert!(!outcome.is_changed());
    assert_eq!(peers.regions[HOME].calls(), ["DescribeStacks demo-regional", "GetTemplate demo-regional"]);
    assert_eq!(peers.regions[EDGE].calls(), ["DescribeStacks demo-edge", "GetTemplate demo-edge"]);
    assert_eq!(peers.calls(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn another_account_is_stopped_before_any_write() {
    let mut peers = settled();
    peers.account = "999999999999".into();
    let (context, _) = context();
    let error = deploy_tenant(&context, &peers, &tenant(), &artifacts(), &[]).await.expect_err("stopped");
    assert_eq!(
        error.to_string(),
        "tenant `demo` belongs to account `111122223333`, but the credentials are for `999999999999`"
    );
    assert_eq!(peers.regions[HOME].writes(), [""; 0]);
}

#[tokio::test]
async fn the_local_cloud_is_nobodys_account() {
    let mut peers = settled();
    peers.account = "000000000000".into();
    let (mut context, _) = context();
    context.settings.local = true;
    deploy_tenant(&context, &peers, &tenant(), &artifacts(), &[]).await.expect("unchanged");
    assert_eq!(peers.calls(), [""; 0]);
}

#[tokio::test]
async fn an_output_or_artifact_that_is_missing_is_named() {
    let peers = settled();
    let (context, _) = context();
    let none = ArtifactLocations::new();
    let error = deploy_tenant(&context, &peers, &tenant(), &none, &[]).await.expect_err("no artifact");
    assert!(matches!(error, DeployError::MissingArtifact { artifact: "signer", .. }));

    let mut other = tenant();
    other.stacks[1].parameters[0].source =
        ParameterSource::Output { stack: StackId::Regional, output: "Pool".into() };
    let error = deploy_tenant(&context, &peers, &other, &artifacts(), &[]).await.expect_err("no output");
    assert_eq!(
        error.to_string(),
        "parameter `Bucket` of stack `demo-edge` needs output `Pool` of the regional stack, which has none"
    );
}

#[tokio::test]
async fn describing_reads_and_says_whether_the_template_is_the_rendered_one() {
    let peers = settled();
    let mut rendered = tenant();
    rendered.stacks[1].template = "newer".into();
    let status = describe(&peers, &rendered).await.expect("a status");
    assert_eq!(status.output(StackId::Edge, "DistributionArn"), Some("arn:d"));
    assert_eq!(status.stacks.iter().map(|stack| stack.as_rendered).collect::<Vec<_>>(), [true, false]);
    assert_eq!(peers.regions[HOME].writes(), [""; 0]);
}
