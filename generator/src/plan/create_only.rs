//! Properties that can only be set when a resource is made: changing one replaces the resource.
//!
//! For what the service does not work out itself: plans without an account, and stacks that cannot be asked
//! yet. Facts of the CloudFormation resource schemas (`createOnlyProperties`); a test holds them to the
//! schemas that cfn-lint carries, for every type of the rendered templates.

use super::Replacement;

/// Each type that our templates use and that has such properties, with their names.
const CREATE_ONLY: [(&str, &[&str]); 18] = [
    ("AWS::Cognito::IdentityPoolRoleAttachment", &["IdentityPoolId"]),
    ("AWS::Cognito::ManagedLoginBranding", &["ClientId", "UserPoolId"]),
    ("AWS::Cognito::UserPoolClient", &["GenerateSecret", "UserPoolId"]),
    ("AWS::Cognito::UserPoolDomain", &["Domain", "UserPoolId"]),
    ("AWS::Cognito::UserPoolGroup", &["GroupName", "UserPoolId"]),
    ("AWS::Cognito::UserPoolResourceServer", &["Identifier", "UserPoolId"]),
    ("AWS::Events::Rule", &["Name"]),
    ("AWS::IAM::Role", &["Path", "RoleName"]),
    ("AWS::Lambda::Function", &["FunctionName", "PackageType", "TenancyConfig"]),
    (
        "AWS::Lambda::Permission",
        &[
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ],
    ),
    (
        "AWS::Lambda::Version",
        &["CodeSha256", "Description", "FunctionName", "ProvisionedConcurrencyConfig", "RuntimePolicy"],
    ),
    ("AWS::Logs::LogGroup", &["LogGroupName"]),
    ("AWS::S3::Bucket", &["BucketName", "BucketNamePrefix", "BucketNamespace"]),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
    ("AWS::SSM::Parameter", &["Name"]),
    ("AWS::SecretsManager::RotationSchedule", &["SecretId"]),
    ("AWS::SecretsManager::Secret", &["Name"]),
    ("AWS::StepFunctions::StateMachine", &["StateMachineName", "StateMachineType"]),
];

/// The properties of a type that are set once only.
#[must_use]
pub fn create_only(kind: &str) -> &'static [&'static str] {
    CREATE_ONLY.iter().find(|(known, _)| *known == kind).map_or(&[], |(_, properties)| properties)
}

/// Whether changing this property, the first key below `Properties`, replaces a resource of this type.
pub(super) fn replacement(kind: &str, property: &str) -> Replacement {
    // What a custom resource does about a change is known to its function only; a service token that
    // changes replaces it.
    if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" {
        return if property == "ServiceToken" { Replacement::Always } else { Replacement::Never };
    }
    if create_only(kind).contains(&property) { Replacement::Always } else { Replacement::Never }
}
