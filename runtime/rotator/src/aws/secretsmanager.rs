//! The keyring secret.

use std::collections::BTreeMap;

use contract::keyring::Keyring;

use super::Aws;
use super::failure::{fault, found, missing};
use crate::ports::{Fault, FaultKind, NewVersion, RotationToken, SecretState, Secrets, Version, label};

impl Secrets for Aws {
    async fn secret_state(&self, secret: &str) -> Result<SecretState, Fault> {
        let answer = self.secrets.describe_secret().secret_id(secret).send().await;
        let answer = answer.map_err(|e| fault("DescribeSecret", e))?;
        let stages: BTreeMap<String, Vec<String>> =
            answer.version_ids_to_stages.unwrap_or_default().into_iter().collect();
        Ok(SecretState { rotation_enabled: answer.rotation_enabled.unwrap_or(false), stages })
    }

    async fn keyring(&self, secret: &str, version: Version<'_>) -> Result<Option<Keyring>, Fault> {
        const CALL: &str = "GetSecretValue";
        let request = self.secrets.get_secret_value().secret_id(secret);
        let request = match version {
            Version::Current => request.version_stage(label::CURRENT),
            Version::Pending(id) => request.version_id(id).version_stage(label::PENDING),
            Version::Replacement(id) => request.version_id(id).version_stage(label::REPLACEMENT),
        };
        let answer = found(request.send().await.map_err(|e| fault(CALL, e)))?;
        match answer.and_then(|answer| answer.secret_string).filter(|text| !text.is_empty()) {
            Some(text) => parse(CALL, &text).map(Some),
            None => Ok(None),
        }
    }

    async fn put_keyring(
        &self,
        secret: &str,
        version: NewVersion<'_>,
        keyring: &Keyring,
    ) -> Result<(), Fault> {
        const CALL: &str = "PutSecretValue";
        let text = serde_json::to_string(keyring).map_err(|_| missing(CALL, "SecretString"))?;
        let request = self.secrets.put_secret_value().secret_id(secret).secret_string(text);
        let request = request.client_request_token(version.token).version_stages(version.label);
        let proof = version.rotation_token.map(|token| RotationToken::expose(token).to_owned());
        let answer = request.set_rotation_token(proof).send().await;
        answer.map(drop).map_err(|e| fault(CALL, e))
    }

    async fn move_current(&self, secret: &str, to: &str, from: Option<&str>) -> Result<(), Fault> {
        let request = self.secrets.update_secret_version_stage().secret_id(secret);
        let request = request.version_stage(label::CURRENT).move_to_version_id(to);
        let answer = request.set_remove_from_version_id(from.map(str::to_owned)).send().await;
        answer.map(drop).map_err(|e| fault("UpdateSecretVersionStage", e))
    }

    async fn drop_label(&self, secret: &str, version: &str, label: &str) -> Result<(), Fault> {
        let request = self.secrets.update_secret_version_stage().secret_id(secret);
        let answer = request.version_stage(label).remove_from_version_id(version).send().await;
        answer.map(drop).map_err(|e| fault("UpdateSecretVersionStage", e))
    }

    async fn rotate(&self, secret: &str, token: &str) -> Result<(), Fault> {
        let request = self.secrets.rotate_secret().secret_id(secret).client_request_token(token);
        let fault = match request.send().await.map_err(|e| fault("RotateSecret", e)) {
            Ok(_) => return Ok(()),
            Err(fault) => fault,
        };
        // The one code stands for every state in which a secret cannot be rotated.
        let under_way =
            fault.code == "InvalidRequestException" && fault.message.contains("previous rotation");
        Err(Fault { kind: if under_way { FaultKind::InUse } else { fault.kind }, ..fault })
    }
}

/// Reads a keyring. The reader's own message may quote the text, so only the place is told.
fn parse(call: &'static str, text: &str) -> Result<Keyring, Fault> {
    serde_json::from_str(text).map_err(|cause| {
        let message = format!("the value is no keyring (line {}, column {})", cause.line(), cause.column());
        Fault { call, kind: FaultKind::Other, code: "Malformed".to_owned(), message }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_keyring_is_not_quoted() {
        let fault = parse("GetSecretValue", r#"{"key_id": 1, "private_key": "SECRET"}"#);
        let fault = fault.expect_err("a number is no key id");
        assert!(!fault.to_string().contains("SECRET"), "{fault}");
    }
}
