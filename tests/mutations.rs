//! For each shipped policy, a good document is broken in the way that it forbids: exactly that policy says so.

use std::collections::BTreeSet;

use generator::policy::{Document, Rules, Stage, Subject, judge};
use serde_json::{Value, json};

use crate::policies::{Shipped, rules, shipped, today};

/// What is broken.
enum Break {
    /// A setting of the tenant; the path is a JSON pointer.
    Setting(&'static str, Value),
    /// A node of the regional template; `Value::Null` takes it out.
    Regional(&'static str, Value),
    /// A node of the edge template; `Value::Null` takes it out.
    Edge(&'static str, Value),
    /// The region of the edge stack.
    Region(&'static str),
    /// An entry of a change set, over one that changes nothing; others beside it.
    Change(Value, Vec<Value>),
}

use Break::{Change, Edge, Region, Regional, Setting};

const BUCKET: &str = "/Resources/ContentBucket/Properties";
const CLIENT: &str = "/Resources/UserPoolClient/Properties";
const CDN: &str = "/Resources/Distribution/Properties/DistributionConfig";
const SIGNER: &str = "/Resources/Signer/Properties";
const POLICY: &str = "/Resources/ContentBucketPolicy/Properties/PolicyDocument/Statement";

/// Policy, tenant, and what is broken.
fn breaks() -> Vec<(&'static str, &'static str, Break)> {
    let at = |base: &str, rest: &str| -> &'static str { format!("{base}/{rest}").leak() };
    let statement =
        |resource: &str| json!([{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource }]);
    let policies = |resource: &str| json!([{ "PolicyName": "p", "PolicyDocument": { "Statement": statement(resource) } }]);
    vec![
        ("BAS001", "acme", Setting("/edge/minimum_tls", json!("TLSv1_2016"))),
        ("BAS002", "demo", Edge(at(CDN, "DefaultCacheBehavior/ViewerProtocolPolicy"), json!("allow-all"))),
        ("BAS003", "demo", Regional(at(POLICY, "0/Condition/Bool/aws:SecureTransport"), json!("true"))),
        ("BAS004", "demo", Regional(at(BUCKET, "BucketEncryption"), Value::Null)),
        (
            "BAS005",
            "demo",
            Regional(at(BUCKET, "PublicAccessBlockConfiguration/BlockPublicPolicy"), json!(false)),
        ),
        (
            "BAS006",
            "demo",
            Regional(at(BUCKET, "OwnershipControls/Rules/0/ObjectOwnership"), json!("ObjectWriter")),
        ),
        ("BAS007", "demo", Regional(at(BUCKET, "VersioningConfiguration/Status"), json!("Suspended"))),
        (
            "BAS008",
            "demo",
            Regional(
                at(BUCKET, "LifecycleConfiguration/Rules/0/AbortIncompleteMultipartUpload"),
                Value::Null,
            ),
        ),
        ("BAS009", "demo", Regional("/Resources/ContentBucket/DeletionPolicy", json!("Delete"))),
        ("BAS009", "demo", Regional("/Resources/UserPool/UpdateReplacePolicy", Value::Null)),
        (
            "BAS010",
            "acme",
            Regional(at(BUCKET, "CorsConfiguration/CorsRules/0/AllowedOrigins"), json!(["*"])),
        ),
        ("BAS011", "acme", Setting("/cors/origins/0", json!("http://www.acme.example"))),
        ("BAS012", "demo", Setting("/cookies/minutes", json!(481))),
        ("BAS013", "demo", Regional(at(CLIENT, "AccessTokenValidity"), json!(61))),
        ("BAS014", "demo", Regional(at(CLIENT, "RefreshTokenValidity"), json!(31))),
        (
            "BAS015",
            "demo",
            Edge(
                "/Resources/KeyringRotation/Properties/RotationRules/ScheduleExpression",
                json!("rate(91 days)"),
            ),
        ),
        ("BAS016", "demo", Edge("/Resources/KeyringRotation", Value::Null)),
        ("BAS017", "demo", Edge("/Resources/KeyringSecret/Properties/GenerateSecretString", json!({}))),
        ("BAS018", "demo", Edge(at(SIGNER, "Description"), json!("AKIAABCDEFGHIJKLMNOP"))),
        (
            "BAS019",
            "demo",
            Edge("/Resources/Rotator/Properties/Environment/Variables/DB_PASSWORD", json!("x")),
        ),
        ("BAS020", "demo", Regional(at(CLIENT, "AllowedOAuthFlows"), json!(["code", "implicit"]))),
        (
            "BAS021",
            "demo",
            Regional("/Resources/IdentityPool/Properties/AllowUnauthenticatedIdentities", json!(true)),
        ),
        (
            "BAS022",
            "demo",
            Regional("/Resources/UserPool/Properties/Policies/PasswordPolicy/MinimumLength", json!(6)),
        ),
        ("BAS023", "demo", Setting("/sign_in/password/temporary_days", json!(8))),
        ("BAS024", "demo", Setting("/sign_in/self_sign_up", json!(true))),
        ("BAS025", "demo", Regional(at(CLIENT, "PreventUserExistenceErrors"), json!("LEGACY"))),
        ("BAS026", "demo", Regional("/Resources/UserPool/Properties/DeletionProtection", json!("INACTIVE"))),
        ("BAS027", "demo", Setting("/token/leeway_seconds", json!(31))),
        (
            "BAS028",
            "demo",
            Edge(
                "/Resources/RotatorRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource",
                json!("*"),
            ),
        ),
        (
            "BAS029",
            "demo",
            Edge(
                "/Resources/RotatorRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
                json!({ "AWS": "*" }),
            ),
        ),
        (
            "BAS030",
            "demo",
            Edge(
                "/Resources/RotatorRole/Properties/ManagedPolicyArns",
                json!(["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
            ),
        ),
        (
            "BAS031",
            "demo",
            Regional(at(POLICY, "1/Fn::If/1/Action"), json!(["s3:GetObject", "s3:PutObject"])),
        ),
        ("BAS032", "demo", Edge("/Resources/RotatorPermission/Properties/SourceAccount", Value::Null)),
        ("BAS033", "demo", Edge(at(CDN, "Origins/0/OriginAccessControlId"), Value::Null)),
        (
            "BAS034",
            "demo",
            Edge(
                "/Resources/OriginAccess/Properties/OriginAccessControlConfig/SigningBehavior",
                json!("never"),
            ),
        ),
        (
            "BAS035",
            "demo",
            Edge(
                "/Resources/ResponseHeaders/Properties/ResponseHeadersPolicyConfig/SecurityHeadersConfig/StrictTransportSecurity/AccessControlMaxAgeSec",
                json!(86400),
            ),
        ),
        ("BAS036", "demo", Edge("/Resources/RotatorLogs/Properties/RetentionInDays", json!(7))),
        ("BAS037", "acme", Setting("/edge/logging/bucket", json!(null))),
        ("BAS038", "demo", Setting("/labels/environment", json!("prod"))),
        ("BAS039", "demo", Edge(at(SIGNER, "Tags"), json!([]))),
        ("BAS040", "demo", Setting("/edge/price_class", json!("PriceClass_All"))),
        ("BAS041", "demo", Setting("/region", json!("us-east-1"))),
        (
            "BAS042",
            "demo",
            Regional("/Resources/MediaKey", json!({ "Type": "AWS::KMS::Key", "Properties": {} })),
        ),
        (
            "BAS043",
            "demo",
            Regional(
                "/Resources/MediaKey",
                json!({ "Type": "AWS::KMS::Key", "Properties": {
                    "EnableKeyRotation": true,
                    "KeyPolicy": { "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt" }] },
                } }),
            ),
        ),
        (
            "BAS044",
            "acme",
            Regional(
                "/Resources/AuthenticatedRole/Properties/Policies/0/PolicyDocument/Statement/2/Resource",
                json!("arn:aws:s3:::b/elsewhere/*"),
            ),
        ),
        ("EDG001", "demo", Edge(at(SIGNER, "Runtime"), json!("nodejs18.x"))),
        ("EDG002", "demo", Edge(at(SIGNER, "Architectures"), json!(["arm64"]))),
        ("EDG003", "demo", Edge(at(SIGNER, "Environment"), json!({ "Variables": { "STAGE": "a" } }))),
        ("EDG004", "demo", Edge(at(SIGNER, "VpcConfig"), json!({ "SubnetIds": ["subnet-1"] }))),
        ("EDG005", "demo", Edge(at(SIGNER, "Layers"), json!(["arn:aws:lambda:us-east-1:1:layer:l:1"]))),
        (
            "EDG006",
            "demo",
            Edge(at(SIGNER, "DeadLetterConfig"), json!({ "TargetArn": "arn:aws:sqs:us-east-1:1:q" })),
        ),
        ("EDG007", "demo", Edge(at(SIGNER, "TracingConfig"), json!({ "Mode": "Active" }))),
        ("EDG008", "demo", Edge(at(SIGNER, "PackageType"), json!("Image"))),
        ("EDG009", "demo", Edge(at(SIGNER, "Code/SourceKMSKeyArn"), json!("arn:aws:kms:us-east-1:1:key/k"))),
        ("EDG010", "demo", Edge(at(SIGNER, "EphemeralStorage"), json!({ "Size": 1024 }))),
        ("EDG011", "demo", Edge(at(SIGNER, "MemorySize"), json!(256))),
        ("EDG012", "demo", Edge(at(SIGNER, "Timeout"), json!(30))),
        (
            "EDG013",
            "demo",
            Edge(
                at(CDN, "CacheBehaviors/0/LambdaFunctionAssociations/0/LambdaFunctionARN"),
                json!({ "Fn::GetAtt": ["Signer", "Arn"] }),
            ),
        ),
        ("EDG014", "demo", Region("eu-west-1")),
        (
            "EDG015",
            "demo",
            Edge(
                "/Resources/SignerRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service",
                json!("lambda.amazonaws.com"),
            ),
        ),
        (
            "EDG016",
            "demo",
            Edge(at(CDN, "CacheBehaviors/0/LambdaFunctionAssociations/0/IncludeBody"), json!(true)),
        ),
        (
            "EDG017",
            "demo",
            Edge(
                "/Resources/SignerConfig/Properties",
                json!({ "Name": "n", "Type": "String", "Tier": "Advanced", "Value": "x".repeat(30_000) }),
            ),
        ),
        ("EDG018", "demo", Edge("/Resources/SignerConfig/Properties/Value", json!("x".repeat(4_097)))),
        ("EDG019", "acme", Edge(at(CDN, "CacheBehaviors/3/TrustedKeyGroups"), Value::Null)),
        ("EDG020", "demo", Edge(at(CDN, "DefaultCacheBehavior/TrustedKeyGroups"), Value::Null)),
        (
            "EDG021",
            "demo",
            Edge(at(CDN, "CacheBehaviors/0/CachePolicyId"), json!("658327ea-f89d-4fab-a63d-7e88639e58f6")),
        ),
        (
            "EDG022",
            "demo",
            Edge(
                "/Resources/SignerVersion/Properties/ProvisionedConcurrencyConfig",
                json!({ "ProvisionedConcurrentExecutions": 1 }),
            ),
        ),
        (
            "EDG023",
            "demo",
            Edge(
                at(CDN, "CacheBehaviors/0/FunctionAssociations"),
                json!([{ "EventType": "viewer-response" }]),
            ),
        ),
        (
            "EDG024",
            "acme",
            Edge(
                at(CDN, "CacheBehaviors/2/AllowedMethods"),
                json!(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]),
            ),
        ),
        (
            "EDG025",
            "acme",
            Edge(
                "/Resources/PageHeaders/Properties/ResponseHeadersPolicyConfig/SecurityHeadersConfig/\
                 ContentSecurityPolicy/ContentSecurityPolicy",
                json!("default-src 'none'; script-src 'self' https://elsewhere.example"),
            ),
        ),
        (
            "CHG001",
            "demo",
            Change(
                json!({ "type": "AWS::S3::Bucket", "action": "modify", "replacement": "always", "loss": "certain" }),
                vec![],
            ),
        ),
        (
            "CHG002",
            "demo",
            Change(
                json!({ "type": "Custom::SigningKeyring", "action": "remove", "loss": "certain" }),
                vec![],
            ),
        ),
        (
            "CHG003",
            "demo",
            Change(
                json!({ "type": "AWS::Cognito::UserPool", "attributes": [{ "name": "team", "edit": "change", "standard": false, "required": false }] }),
                vec![],
            ),
        ),
        (
            "CHG003",
            "demo",
            Change(
                json!({ "type": "AWS::Cognito::UserPool", "properties": [{ "name": "UsernameConfiguration.CaseSensitive" }] }),
                vec![],
            ),
        ),
        (
            "CHG003",
            "demo",
            Change(json!({ "type": "AWS::Cognito::UserPool", "attributes_known": false }), vec![]),
        ),
        (
            "CHG004",
            "demo",
            Change(
                json!({ "type": "AWS::Cognito::IdentityPool", "action": "remove", "loss": "certain" }),
                vec![
                    json!({ "type": "AWS::Cognito::IdentityPool", "logical_id": "NewPool", "action": "add" }),
                ],
            ),
        ),
        (
            "CHG005",
            "demo",
            Change(
                json!({ "type": "AWS::IAM::Role", "grants": [{ "principal": "", "action": "s3:PutObject", "resource": "*", "condition": "" }] }),
                vec![],
            ),
        ),
        (
            "ISO001",
            "demo",
            Edge(
                "/Resources/SignerRole/Properties/Policies",
                policies("arn:aws:s3:::example-acme-content-1/*"),
            ),
        ),
        (
            "ISO002",
            "demo",
            Regional("/Resources/ContentBucketPolicy/Properties/Bucket", json!("initech-media-archive")),
        ),
        (
            "ISO003",
            "demo",
            Edge("/Resources/SignerConfig/Properties/Name", json!("/example-acme-signer/config")),
        ),
        (
            "ISO004",
            "demo",
            Edge(
                at(CDN, "Origins/0/DomainName"),
                json!("example-acme-content-1.s3.eu-north-1.amazonaws.com"),
            ),
        ),
        ("ISO005", "demo", Edge(at(SIGNER, "FunctionName"), json!("example-globex-signer"))),
        ("ISO006", "demo", Regional("/Resources/UserPoolDomain/Properties/Domain", json!("acme-media"))),
        ("ISO007", "demo", Regional(at(BUCKET, "BucketName"), json!("example-northwind-content-1"))),
    ]
}

#[test]
fn every_break_is_reported_by_its_policy_alone() {
    let tenants = shipped();
    let rules = rules(&tenants);
    let mut wrong = Vec::new();
    for (policy, name, broken) in breaks() {
        let one = tenants.iter().find(|one| one.tenant.name == name).expect("a tenant");
        let before = reported(&rules, one, None);
        let after: BTreeSet<String> =
            reported(&rules, one, Some(&broken)).difference(&before).cloned().collect();
        if before.iter().any(|id| id == policy) || after != BTreeSet::from([policy.to_string()]) {
            wrong.push(format!("{policy} on {name}: {after:?}, before {before:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_policy_is_broken_once() {
    let rules = rules(&shipped());
    let broken: BTreeSet<&str> = breaks().into_iter().map(|(policy, ..)| policy).collect();
    let all: BTreeSet<&str> = rules.policies.iter().map(|policy| policy.id.as_str()).collect();
    assert_eq!(broken, all);
}

/// The policies that find something, exempted or not. None may fail to be evaluated.
fn reported(rules: &Rules, one: &Shipped, broken: Option<&Break>) -> BTreeSet<String> {
    let mut settings = one.subject.settings().clone();
    let mut documents = one.documents.clone();
    let mut region = None;
    let mut change = None;
    match broken {
        None => {}
        Some(Setting(pointer, value)) => *settings.pointer_mut(pointer).expect(pointer) = value.clone(),
        Some(Regional(pointer, value)) => put(&mut documents[0], pointer, value),
        Some(Edge(pointer, value)) => put(&mut documents[1], pointer, value),
        Some(Region(name)) => region = Some(*name),
        Some(Change(entry, others)) => {
            let all: Vec<Value> = std::iter::once(entry).chain(others).map(whole).collect();
            change = Some(json!({ "creates": false, "changes": all }));
        }
    }
    let subject = Subject::new(&one.tenant.organisation, &one.tenant.name, settings);
    let mut judgement = judge(rules, Stage::Tenant, &Document::settings(&subject), &subject, today());
    for (stack, body) in one.rendered.stacks.iter().zip(&documents) {
        let id = stack.id.as_str();
        let region = region.filter(|_| id == "edge").unwrap_or(&stack.region);
        let document = Document { stack: Some(id), name: &stack.name, region, body };
        judgement.add(judge(rules, Stage::Stack, &document, &subject, today()));
    }
    if let Some(body) = &change {
        let document = Document { stack: Some("regional"), name: "example", region: "eu-north-1", body };
        judgement.add(judge(rules, Stage::Change, &document, &subject, today()));
    }
    for finding in &judgement.findings {
        assert!(!finding.is_error, "{} {}: {}", finding.policy, finding.subject(), finding.message);
    }
    judgement.findings.into_iter().map(|finding| finding.policy).collect()
}

/// Sets a node, or takes it out.
fn put(document: &mut Value, pointer: &str, value: &Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"));
    match (parent, value) {
        (Value::Object(map), Value::Null) => assert!(map.remove(key).is_some(), "nothing at {pointer}"),
        (Value::Object(map), value) => drop(map.insert(key.to_string(), value.clone())),
        (Value::Array(items), value) => items[key.parse::<usize>().expect("an index")] = value.clone(),
        _ => panic!("{pointer} leads into a scalar"),
    }
}

/// An entry of a change set that changes nothing, under what a break says.
fn whole(over: &Value) -> Value {
    let mut entry = json!({
        "logical_id": "Broken", "physical_id": null, "type": "", "action": "modify", "replacement": "never",
        "retained": false, "loss": "none", "properties": [], "causes": [], "grants": [], "grants_known": true,
        "attributes": [], "attributes_known": true, "allowed": [],
    });
    for (key, value) in over.as_object().expect("a map") {
        entry[key] = value.clone();
    }
    entry
}
