//! Revoking: for a key that has leaked. Every key but a new one leaves the group at once, so every cookie dies.

use contract::revocation::{RevokeAnswer, RevokeRequest};
use serde::Deserialize;

use super::log;
use crate::aws::AwsError;
use crate::aws::lambda::Invoke;

/// What Lambda answers for a function that failed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionError {
    error_message: String,
}

/// A revocation that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Id of the only key that opens anything now.
    pub key_id: String,
}

/// Why keys were not revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// There is no function.
    #[error("tenant `{tenant}` has no function `{function}`")]
    NotDeployed {
        /// Tenant.
        tenant: String,
        /// Name of the function.
        function: String,
    },
    /// The call failed.
    #[error("cannot invoke `{function}`")]
    Aws {
        /// Name of the function.
        function: String,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// The function failed. Old keys may be gone or not.
    #[error("`{function}` failed to revoke the keys of `{tenant}`: {reason}")]
    Failed {
        /// Tenant.
        tenant: String,
        /// Name of the function.
        function: String,
        /// The function's own words.
        reason: String,
        /// Token to go on with.
        token: String,
    },
}

impl RevokeError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotDeployed { tenant, .. } => Some(format!("run `generator deploy --tenant {tenant}`")),
            Self::Aws { .. } => None,
            Self::Failed { tenant, function, token, .. } => Some(format!(
                "look at `generator status --tenant {tenant}` and the log group `{}`; go on with `--revoke-token \
                 {token}`",
                log::group(function)
            )),
        }
    }
}

/// Replaces all keys of a tenant by a new one, at once.
///
/// # Errors
/// Where the function cannot be invoked, or fails.
pub async fn revoke(
    functions: &dyn Invoke,
    tenant: &str,
    function: &str,
    token: &str,
) -> Result<Revocation, RevokeError> {
    let event = serde_json::json!(RevokeRequest::new(tenant, token));
    let invoked = functions.invoke_patiently(function, event.to_string().into_bytes()).await;
    let invocation = invoked.map_err(|source| match source.kind {
        crate::aws::AwsErrorKind::NotFound => {
            RevokeError::NotDeployed { tenant: tenant.to_owned(), function: function.to_owned() }
        }
        _ => RevokeError::Aws { function: function.to_owned(), source },
    })?;
    let failed = |reason: String| RevokeError::Failed {
        tenant: tenant.to_owned(),
        function: function.to_owned(),
        reason,
        token: token.to_owned(),
    };
    if let Some(kind) = &invocation.function_error {
        let error: Result<FunctionError, _> = serde_json::from_slice(&invocation.payload);
        return Err(failed(error.map_or_else(|_| kind.clone(), |error| error.error_message)));
    }
    let answer: RevokeAnswer = serde_json::from_slice(&invocation.payload)
        .map_err(|error| failed(format!("its answer cannot be read: {error}")))?;
    Ok(Revocation { key_id: answer.key_id })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::aws::Boxed;
    use crate::aws::lambda::Invocation;

    struct Function {
        answer: Invocation,
        events: Mutex<Vec<String>>,
    }

    impl Invoke for Function {
        fn invoke_patiently<'a>(
            &'a self,
            _: &'a str,
            payload: Vec<u8>,
        ) -> Boxed<'a, Result<Invocation, AwsError>> {
            self.events.lock().unwrap().push(String::from_utf8(payload).expect("JSON"));
            Box::pin(async move { Ok(self.answer.clone()) })
        }
    }

    async fn asked(payload: &str, error: Option<&str>) -> (Result<Revocation, RevokeError>, Vec<String>) {
        let answer = Invocation { payload: payload.into(), function_error: error.map(str::to_owned) };
        let function = Function { answer, events: Mutex::default() };
        let ended = revoke(&function, "demo", "example-demo-rotator", "t").await;
        (ended, function.events.into_inner().unwrap())
    }

    #[tokio::test]
    async fn the_function_is_asked_once_and_its_new_key_is_told() {
        let (ended, events) = asked(r#"{"key_id":"K2"}"#, None).await;
        assert_eq!(ended, Ok(Revocation { key_id: "K2".into() }));
        assert_eq!(events, [r#"{"action":"revoke","tenant":"demo","token":"t"}"#]);
    }

    #[tokio::test]
    async fn a_function_that_fails_is_no_success_and_the_token_to_go_on_with_is_told() {
        let error = r#"{"errorType":"Rotator.Refused","errorMessage":"key group `g` is missing"}"#;
        let ended = asked(error, Some("Unhandled")).await.0.expect_err("a failure");
        assert!(ended.to_string().contains("key group `g` is missing"), "{ended}");
        assert!(ended.help().is_some_and(|help| help.contains("--revoke-token t")));
        assert!(asked("null", None).await.0.is_err());
    }
}
