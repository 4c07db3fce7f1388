//! Having CloudFormation compare the resources of a stack with its template.

use aws_sdk_cloudformation::types::{PropertyDifference, StackResourceDrift};

use super::CloudFormationClient;
use super::read::SERVICE;
use crate::aws::{ApiGroup, AwsError, Boxed};

/// How far a comparison has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detection {
    /// Under way.
    Running,
    /// Every resource that can be compared was.
    Complete,
    /// Some could not be compared, with the service's reason.
    Partial(String),
}

/// How one resource compares with its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceDrift {
    /// Name in the template.
    pub logical_id: String,
    /// Name or id in its service.
    pub physical_id: Option<String>,
    /// Type.
    pub kind: String,
    /// `IN_SYNC`, `MODIFIED`, `DELETED` or `UNKNOWN`.
    pub status: String,
    /// Why it has this status, where the service says.
    pub reason: Option<String>,
    /// Properties that differ.
    pub differences: Vec<PropertyDrift>,
}

/// A property that differs from its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyDrift {
    /// Path below the properties: `/Tags/0/Value`.
    pub path: String,
    /// What the template says.
    pub expected: Option<String>,
    /// What is there.
    pub actual: Option<String>,
}

/// Compares stacks with their templates.
pub trait Drifts: Send + Sync {
    /// Starts comparing; the answer names the comparison.
    fn detect<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<String, AwsError>>;
    /// How far it has got.
    fn detection<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Detection, AwsError>>;
    /// What it found, of all resources that were compared.
    fn drifts<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<ResourceDrift>, AwsError>>;
}

impl Drifts for CloudFormationClient {
    fn detect<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<String, AwsError>> {
        Box::pin(async move {
            let call = self.client.detect_stack_drift().stack_name(stack);
            let answer = self
                .budgeted
                .call(ApiGroup::Describes, || async {
                    let answer = call.clone().send().await;
                    answer.map_err(|error| AwsError::of(SERVICE, "DetectStackDrift", &error))
                })
                .await?;
            let missing = || AwsError::incomplete(SERVICE, "DetectStackDrift", "StackDriftDetectionId");
            answer.stack_drift_detection_id.ok_or_else(missing)
        })
    }

    fn detection<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Detection, AwsError>> {
        Box::pin(async move {
            const OPERATION: &str = "DescribeStackDriftDetectionStatus";
            let call = self.client.describe_stack_drift_detection_status().stack_drift_detection_id(id);
            let answer = self
                .budgeted
                .call(ApiGroup::Describes, || async {
                    call.clone().send().await.map_err(|error| AwsError::of(SERVICE, OPERATION, &error))
                })
                .await?;
            let status = answer.detection_status().map(|status| status.as_str()).unwrap_or_default();
            Ok(match status {
                "DETECTION_IN_PROGRESS" => Detection::Running,
                "DETECTION_COMPLETE" => Detection::Complete,
                "DETECTION_FAILED" => Detection::Partial(
                    answer.detection_status_reason().unwrap_or("no reason given").to_owned(),
                ),
                _ => return Err(AwsError::incomplete(SERVICE, OPERATION, "DetectionStatus")),
            })
        })
    }

    fn drifts<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<ResourceDrift>, AwsError>> {
        Box::pin(async move {
            let mut found = Vec::new();
            let mut next = None;
            loop {
                let call =
                    self.client.describe_stack_resource_drifts().stack_name(stack).set_next_token(next);
                let page = self
                    .budgeted
                    .call(ApiGroup::Describes, || async {
                        let page = call.clone().send().await;
                        page.map_err(|error| AwsError::of(SERVICE, "DescribeStackResourceDrifts", &error))
                    })
                    .await?;
                found.extend(page.stack_resource_drifts().iter().map(resource));
                next = page.next_token().map(str::to_owned);
                if next.is_none() {
                    return Ok(found);
                }
            }
        })
    }
}

fn resource(found: &StackResourceDrift) -> ResourceDrift {
    ResourceDrift {
        logical_id: found.logical_resource_id().unwrap_or_default().to_owned(),
        physical_id: found.physical_resource_id().map(str::to_owned),
        kind: found.resource_type().unwrap_or_default().to_owned(),
        status: found
            .stack_resource_drift_status()
            .map_or_else(|| "UNKNOWN".into(), |status| status.as_str().to_owned()),
        reason: found.drift_status_reason().map(str::to_owned),
        differences: found.property_differences().iter().map(property).collect(),
    }
}

fn property(found: &PropertyDifference) -> PropertyDrift {
    let text = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
    PropertyDrift {
        path: found.property_path().unwrap_or_default().to_owned(),
        expected: text(found.expected_value()),
        actual: text(found.actual_value()),
    }
}
