//! Functions: calling them, their code's digest, and removing the edge function that a stack leaves.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;

use super::budgeted::Budgeted;
use super::{ApiGroup, AwsError, AwsErrorKind, Boxed};

/// What an invocation answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The function's answer, or its error document.
    pub payload: Vec<u8>,
    /// Kind of the error where the function failed: `Unhandled`.
    pub function_error: Option<String>,
}

impl From<InvokeOutput> for Invocation {
    fn from(answer: InvokeOutput) -> Self {
        Self {
            function_error: answer.function_error().map(str::to_owned),
            payload: answer.payload.map(Blob::into_inner).unwrap_or_default(),
        }
    }
}

/// A function or one version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionVersion {
    /// ARN, with the version where one was asked for.
    pub arn: String,
    /// Version, or `$LATEST`.
    pub version: String,
    /// SHA-256 of its zip in base64.
    pub code_sha256: String,
    /// State, such as `Active`.
    pub state: Option<String>,
}

/// A published version of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedVersion {
    /// ARN with the version.
    pub arn: String,
    /// Version: `3`.
    pub version: String,
    /// When it was published, as Lambda writes it: `2026-11-22T18:40:11.000+0000`.
    pub published: Option<String>,
}

/// What destroying needs of Lambda.
pub trait Functions: Send + Sync {
    /// Whether there is a function of this name.
    fn exists<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<bool, AwsError>>;
    /// Deletes a function with all its versions. An edge function is refused while replicas are left.
    fn delete<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<(), AwsError>>;
}

/// What revoking needs of Lambda.
pub trait Invoke: Send + Sync {
    /// Calls a function that may take up to a quarter of an hour, once: an answer that does not come is no reason
    /// to call again. A function that fails is an answer with `function_error`.
    fn invoke_patiently<'a>(
        &'a self,
        function: &'a str,
        payload: Vec<u8>,
    ) -> Boxed<'a, Result<Invocation, AwsError>>;
}

/// Whether Lambda refused to delete a function because CloudFront still has replicas of it. They go by
/// themselves, within hours of the last distribution that used them. Lambda has no code for this.
#[must_use]
pub fn is_replicated(error: &AwsError) -> bool {
    error.code == "InvalidParameterValueException" && error.message.to_lowercase().contains("replica")
}

/// Lambda of one region.
#[derive(Debug, Clone)]
pub struct Lambda {
    client: aws_sdk_lambda::Client,
    budgeted: Budgeted,
}

impl Lambda {
    pub(super) fn new(config: &SdkConfig, budgeted: Budgeted) -> Self {
        Self { client: aws_sdk_lambda::Client::new(&Budgeted::single_attempts(config)), budgeted }
    }

    /// Calls a function, by name or ARN, and waits for its answer.
    ///
    /// # Errors
    /// Where the call fails. A function that fails is an answer with `function_error`.
    pub async fn invoke(&self, function: &str, payload: Vec<u8>) -> Result<Invocation, AwsError> {
        let answer = self.budgeted.call(ApiGroup::Invocations, || async {
            let call = self.client.invoke().function_name(function).payload(Blob::new(payload.clone()));
            call.send().await.map_err(|error| AwsError::of(SERVICE, "Invoke", &error))
        });
        Ok(answer.await?.into())
    }

    /// The published versions of a function, `$LATEST` left out; none where there is no function.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn versions(&self, function: &str) -> Result<Vec<PublishedVersion>, AwsError> {
        let mut all = Vec::new();
        let mut marker = None;
        loop {
            let page = self.budgeted.call(ApiGroup::Functions, || async {
                let call = self.client.list_versions_by_function().function_name(function);
                let page = call.set_marker(marker.clone()).send().await;
                page.map_err(|error| AwsError::of(SERVICE, "ListVersionsByFunction", &error))
            });
            let page = match page.await {
                Ok(page) => page,
                Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(all),
                Err(error) => return Err(error),
            };
            for found in page.versions() {
                let (Some(arn), Some(version)) = (found.function_arn(), found.version()) else { continue };
                if version != "$LATEST" {
                    let published = found.last_modified().map(str::to_owned);
                    all.push(PublishedVersion {
                        arn: arn.to_owned(),
                        version: version.to_owned(),
                        published,
                    });
                }
            }
            marker = page.next_marker().map(str::to_owned);
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// Deletes one published version of a function.
    ///
    /// # Errors
    /// Where the call fails; [`is_replicated`] tells those that CloudFront still has replicas of.
    pub async fn delete_version(&self, function: &str, version: &str) -> Result<(), AwsError> {
        self.delete_function(function, Some(version)).await
    }

    async fn delete_function(&self, function: &str, version: Option<&str>) -> Result<(), AwsError> {
        let version = version.map(str::to_owned);
        let deleted = self.budgeted.call(ApiGroup::Functions, || async {
            let call = self.client.delete_function().function_name(function);
            let answer = call.set_qualifier(version.clone()).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "DeleteFunction", &error))
        });
        deleted.await.map(|_| ())
    }

    async fn invoke_once(&self, function: &str, payload: Vec<u8>) -> Result<Invocation, AwsError> {
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(PATIENCE)
            .operation_attempt_timeout(PATIENCE)
            .read_timeout(PATIENCE)
            .build();
        let once = aws_sdk_lambda::config::Builder::new().timeout_config(timeouts);
        self.budgeted.turn(ApiGroup::Invocations).await;
        let call = self.client.invoke().function_name(function).payload(Blob::new(payload));
        let answer = call.customize().config_override(once).send().await;
        Ok(answer.map_err(|error| AwsError::of(SERVICE, "Invoke", &error))?.into())
    }

    /// A function, or the version in its ARN; `None` where there is none.
    ///
    /// # Errors
    /// Where the call fails or answers with less than is documented.
    pub async fn version(&self, function: &str) -> Result<Option<FunctionVersion>, AwsError> {
        let answer = self.budgeted.call(ApiGroup::Functions, || async {
            let answer = self.client.get_function().function_name(function).send().await;
            answer.map_err(|error| AwsError::of(SERVICE, "GetFunction", &error))
        });
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let missing = |field| AwsError::incomplete(SERVICE, "GetFunction", field);
        let found = answer.configuration().ok_or_else(|| missing("Configuration"))?;
        Ok(Some(FunctionVersion {
            arn: found.function_arn().ok_or_else(|| missing("FunctionArn"))?.to_owned(),
            version: found.version().ok_or_else(|| missing("Version"))?.to_owned(),
            code_sha256: found.code_sha256().ok_or_else(|| missing("CodeSha256"))?.to_owned(),
            state: found.state().map(|state| state.as_str().to_owned()),
        }))
    }
}

impl Invoke for Lambda {
    fn invoke_patiently<'a>(
        &'a self,
        function: &'a str,
        payload: Vec<u8>,
    ) -> Boxed<'a, Result<Invocation, AwsError>> {
        Box::pin(self.invoke_once(function, payload))
    }
}

impl Functions for Lambda {
    fn exists<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        Box::pin(async move { Ok(self.version(name).await?.is_some()) })
    }

    fn delete<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(self.delete_function(name, None))
    }
}

const SERVICE: &str = "lambda";
/// The longest that a function runs, and a little.
const PATIENCE: Duration = Duration::from_secs(930);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_of_a_replicated_function_is_told_from_other_wrong_values() {
        let mut error = AwsError {
            service: "lambda",
            operation: "DeleteFunction",
            code: "InvalidParameterValueException".into(),
            message: "Lambda was unable to delete arn:x because it is a replicated function. Please see our \
                      documentation for Deleting Lambda@Edge Functions and Replicas."
                .into(),
            kind: AwsErrorKind::Validation,
        };
        assert!(is_replicated(&error));
        error.message = "The runtime is not supported".into();
        assert!(!is_replicated(&error));
    }
}
