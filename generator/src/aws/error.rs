//! Every failure of an AWS call as one type: service, operation, code, message, and our kind.
//!
//! The raw response is never kept: SDK errors print it whole, headers and all.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A failed AWS call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service} `{operation}` failed: {message} (`{code}`)")]
pub struct AwsError {
    /// Service in lower case: `cloudformation`.
    pub service: &'static str,
    /// Operation as AWS names it: `CreateChangeSet`.
    pub operation: &'static str,
    /// Error code as the service gave it, or one of ours in lower case where no answer came.
    pub code: String,
    /// What the service said.
    pub message: String,
    /// What the failure means to us.
    pub kind: AwsErrorKind,
}

/// What a failed call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsErrorKind {
    /// The thing asked for does not exist.
    NotFound,
    /// The thing to be made exists.
    AlreadyExists,
    /// Too many calls, also after the SDK's own attempts.
    Throttled,
    /// The caller may not do this.
    AccessDenied,
    /// No credentials, or expired or invalid ones.
    Credentials,
    /// CloudFormation found nothing to change.
    NoChanges,
    /// The request is wrong.
    Validation,
    /// The thing changed meanwhile, or is in use.
    Conflict,
    /// No connection, or it broke.
    Network,
    /// No answer in time.
    Timeout,
    /// Anything else, the service's own failures included.
    Other,
}

impl AwsError {
    /// Whether the same call may well succeed a little later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self.kind {
            AwsErrorKind::Throttled | AwsErrorKind::Network | AwsErrorKind::Timeout => true,
            AwsErrorKind::Other => PASSING_CODES.contains(&self.code.as_str()),
            _ => false,
        }
    }

    /// Reads an SDK error.
    pub(crate) fn of<E>(
        service: &'static str,
        operation: &'static str,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (code, message, kind) = match error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                let code = context.err().code().map_or_else(|| format!("http {status}"), str::to_owned);
                let message = context.err().message().unwrap_or("the service gave no reason").to_owned();
                let kind = kind_of(&code, &message, status);
                (code, message, kind)
            }
            SdkError::TimeoutError(_) => {
                ("timeout".into(), "no answer in time".into(), AwsErrorKind::Timeout)
            }
            SdkError::DispatchFailure(failure) => {
                let source = failure.as_connector_error().map(|error| error as &dyn std::error::Error);
                if let Some(reason) = source.and_then(credentials_reason) {
                    ("credentials".into(), reason, AwsErrorKind::Credentials)
                } else if failure.is_timeout() {
                    ("timeout".into(), "no answer in time".into(), AwsErrorKind::Timeout)
                } else {
                    ("network".into(), source.map_or_else(String::new, innermost), AwsErrorKind::Network)
                }
            }
            SdkError::ConstructionFailure(_) => match credentials_reason(error) {
                Some(reason) => ("credentials".into(), reason, AwsErrorKind::Credentials),
                None => ("request".into(), innermost(error), AwsErrorKind::Validation),
            },
            other => ("response".into(), innermost(other), AwsErrorKind::Other),
        };
        Self { service, operation, code, message, kind }
    }

    /// An answer of the service that lacks what its documentation promises.
    pub(crate) fn incomplete(service: &'static str, operation: &'static str, missing: &str) -> Self {
        Self {
            service,
            operation,
            code: "response".into(),
            message: format!("the answer has no `{missing}`"),
            kind: AwsErrorKind::Other,
        }
    }
}

const PASSING_CODES: [&str; 9] = [
    "InternalFailure",
    "InternalError",
    "InternalServerError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "http 500",
    "http 502",
    "http 503",
    "http 504",
];

/// Our kind of a service's error code. The one place where codes are compared.
fn kind_of(code: &str, message: &str, status: u16) -> AwsErrorKind {
    match code {
        // CloudFormation answers a missing stack, and an update without a change, with its general code.
        "ValidationError" if message.contains("does not exist") => AwsErrorKind::NotFound,
        "ValidationError" if is_no_changes(message) => AwsErrorKind::NoChanges,
        "ValidationError"
        | "ValidationException"
        | "InvalidParameterValueException"
        | "InvalidParameterException"
        | "InvalidRequest"
        | "MalformedPolicy" => AwsErrorKind::Validation,
        "ChangeSetNotFound"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchResource"
        | "NoSuchDistribution"
        | "NotFound"
        | "ParameterNotFound"
        | "ResourceNotFoundException"
        | "UserNotFoundException"
        | "NoSuchPublicKey"
        | "StackNotFoundException" => AwsErrorKind::NotFound,
        "AlreadyExistsException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "UsernameExistsException"
        | "ResourceExistsException" => AwsErrorKind::AlreadyExists,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "TooManyRequestsException"
        | "TooManyRequests"
        | "PriorRequestNotComplete" => AwsErrorKind::Throttled,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "Forbidden" => {
            AwsErrorKind::AccessDenied
        }
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "RequestExpired"
        | "AuthFailure" => AwsErrorKind::Credentials,
        "PreconditionFailed"
        | "ConditionalRequestConflict"
        | "ResourceConflictException"
        | "ResourceInUse"
        | "PublicKeyInUse"
        | "InvalidChangeSetStatus"
        | "OperationInProgressException"
        | "BucketNotEmpty"
        | "OperationAborted"
        | "TokenAlreadyExistsException" => AwsErrorKind::Conflict,
        _ => match status {
            404 => AwsErrorKind::NotFound,
            403 => AwsErrorKind::AccessDenied,
            409 | 412 => AwsErrorKind::Conflict,
            429 => AwsErrorKind::Throttled,
            _ => AwsErrorKind::Other,
        },
    }
}

/// Whether CloudFormation says, in either of its two texts, that there is nothing to change. It has no
/// code for this.
#[must_use]
pub fn is_no_changes(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

/// The reason inside a failure of the credential chain, where the error is one.
fn credentials_reason(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if current.downcast_ref::<CredentialsError>().is_some() {
            // The rest lists every place that was looked at, a line each.
            let reason = innermost(current);
            return Some(
                reason.lines().next().unwrap_or_default().trim_end_matches(". Attempted:").to_owned(),
            );
        }
        cause = current.source();
    }
    None
}

/// The last cause of an error: what really went wrong, without the layers that passed it on.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_of_no_changes_are_known_and_no_other_failure() {
        assert!(is_no_changes(
            "The submitted information didn't contain changes. Submit different information to create a \
             change set."
        ));
        assert!(is_no_changes("No updates are to be performed."));
        assert!(!is_no_changes("Parameters: [DistributionArn] must have values"));
    }

    #[test]
    fn codes_become_kinds() {
        let missing = "Stack with id demo does not exist";
        assert_eq!(kind_of("ValidationError", missing, 400), AwsErrorKind::NotFound);
        assert_eq!(
            kind_of("ValidationError", "No updates are to be performed.", 400),
            AwsErrorKind::NoChanges
        );
        assert_eq!(kind_of("ValidationError", "Template format error", 400), AwsErrorKind::Validation);
        assert_eq!(kind_of("Throttling", "Rate exceeded", 400), AwsErrorKind::Throttled);
        assert_eq!(kind_of("http 404", "", 404), AwsErrorKind::NotFound);
        assert_eq!(kind_of("NewCode", "", 500), AwsErrorKind::Other);
    }
}
