//! Failed calls in the terms of the protocol.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::ports::{Fault, FaultKind};

/// What became of `call`. Holds code and message, never the response, which may repeat what was sent.
pub(super) fn fault<E, R>(call: &'static str, error: SdkError<E, R>) -> Fault
where
    E: ProvideErrorMetadata,
{
    let (code, message) = match &error {
        SdkError::ServiceError(service) => {
            let meta = service.err().meta();
            (meta.code().unwrap_or("Unknown").to_owned(), meta.message().unwrap_or("no message").to_owned())
        }
        SdkError::TimeoutError(_) => ("Timeout".to_owned(), "no answer in time".to_owned()),
        SdkError::DispatchFailure(_) => ("Unreachable".to_owned(), "no connection".to_owned()),
        _ => ("Client".to_owned(), "the call could not be made or its answer not be read".to_owned()),
    };
    Fault { call, kind: kind(&code), code, message }
}

/// A field that a successful answer must have and has not.
pub(super) fn missing(call: &'static str, field: &str) -> Fault {
    let message = format!("the answer has no `{field}`");
    Fault { call, kind: FaultKind::Other, code: "Incomplete".to_owned(), message }
}

fn kind(code: &str) -> FaultKind {
    match code {
        "NoSuchPublicKey" | "NoSuchResource" | "ResourceNotFoundException" | "ParameterNotFound" => {
            FaultKind::NotFound
        }
        "PublicKeyAlreadyExists" | "KeyGroupAlreadyExists" | "ResourceExistsException" => {
            FaultKind::AlreadyExists
        }
        "PreconditionFailed" | "InvalidIfMatchVersion" => FaultKind::Stale,
        "PublicKeyInUse" | "ResourceInUse" => FaultKind::InUse,
        _ => FaultKind::Other,
    }
}

/// None where the call found nothing.
pub(super) fn found<T>(result: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
