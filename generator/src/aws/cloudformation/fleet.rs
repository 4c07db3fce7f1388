//! All stacks of a region, whoever made them.

use super::CloudFormationClient;
use super::read::{self, SERVICE};
use super::types::Stack;
use crate::aws::{ApiGroup, AwsError};

impl CloudFormationClient {
    /// Every stack of the region that is not deleted, with its parameters and outputs.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn all(&self) -> Result<Vec<Stack>, AwsError> {
        let mut all = Vec::new();
        let mut next = None;
        loop {
            self.turn(ApiGroup::Describes).await;
            let page = self.client.describe_stacks().set_next_token(next).send().await;
            let page = page.map_err(|error| AwsError::of(SERVICE, "DescribeStacks", &error))?;
            for found in page.stacks() {
                all.push(read::stack(found)?);
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(all);
            }
        }
    }
}
