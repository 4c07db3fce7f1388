//! The parameters: the published key id, and the signer's configuration.

use aws_sdk_ssm::types::ParameterType;

use super::Aws;
use super::failure::{fault, found, missing};
use crate::ports::{Fault, Parameters};

impl Parameters for Aws {
    async fn parameter(&self, name: &str) -> Result<Option<String>, Fault> {
        const CALL: &str = "GetParameter";
        let answer = self.parameters.get_parameter().name(name).send().await.map_err(|e| fault(CALL, e));
        let Some(answer) = found(answer)? else { return Ok(None) };
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.ok_or_else(|| missing(CALL, "Value")).map(Some)
    }

    async fn put_parameter(&self, name: &str, value: &str) -> Result<(), Fault> {
        let request = self.parameters.put_parameter().name(name).value(value);
        let answer = request.r#type(ParameterType::String).overwrite(true).send().await;
        answer.map(drop).map_err(|e| fault("PutParameter", e))
    }

    async fn delete_parameter(&self, name: &str) -> Result<(), Fault> {
        let answer = self.parameters.delete_parameter().name(name).send().await;
        answer.map(drop).map_err(|e| fault("DeleteParameter", e))
    }
}
