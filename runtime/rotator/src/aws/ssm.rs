//! The parameter with the published key id.

use aws_sdk_ssm::types::ParameterType;

use super::Aws;
use super::failure::fault;
use crate::ports::{Fault, Parameters};

impl Parameters for Aws {
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
