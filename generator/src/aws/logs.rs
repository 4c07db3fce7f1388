//! What functions have written down: the only place that tells why a rotation failed.

use aws_config::SdkConfig;

use super::budgeted::Budgeted;
use super::{ApiGroup, AwsError, AwsErrorKind, Boxed};

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// The text.
    pub text: String,
}

/// What rotating needs of CloudWatch Logs.
pub trait FunctionLogs: Send + Sync {
    /// The lines of a log group since a moment, in milliseconds since the epoch, in the order of their time. A
    /// group that is not there has none. Of more than ten pages the first ten.
    fn since<'a>(&'a self, group: &'a str, moment: i64) -> Boxed<'a, Result<Vec<LogLine>, AwsError>>;
}

/// What destroying needs of CloudWatch Logs.
pub trait LogGroups: Send + Sync {
    /// Deletes a log group; whether there was one.
    fn delete<'a>(&'a self, group: &'a str) -> Boxed<'a, Result<bool, AwsError>>;
}

/// CloudWatch Logs of one region.
#[derive(Debug, Clone)]
pub struct Logs {
    client: aws_sdk_cloudwatchlogs::Client,
    budgeted: Budgeted,
}

/// Pages read at most. A rotation writes a few lines.
const PAGES: usize = 10;
const SERVICE: &str = "logs";

impl Logs {
    pub(super) fn new(config: &SdkConfig, budgeted: Budgeted) -> Self {
        Self { client: aws_sdk_cloudwatchlogs::Client::new(&Budgeted::single_attempts(config)), budgeted }
    }

    async fn page(
        &self,
        group: &str,
        moment: i64,
        token: Option<String>,
    ) -> Result<(Vec<LogLine>, Option<String>), AwsError> {
        let call = self.client.filter_log_events().log_group_name(group).start_time(moment);
        let answer = call.set_next_token(token).send().await;
        let answer = match answer.map_err(|error| AwsError::of(SERVICE, "FilterLogEvents", &error)) {
            Ok(answer) => answer,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok((Vec::new(), None)),
            Err(error) => return Err(error),
        };
        let lines = answer.events().iter().filter_map(|event| {
            Some(LogLine { at: event.timestamp()?, text: event.message()?.trim_end().to_owned() })
        });
        Ok((lines.collect(), answer.next_token().map(str::to_owned)))
    }
}

impl FunctionLogs for Logs {
    fn since<'a>(&'a self, group: &'a str, moment: i64) -> Boxed<'a, Result<Vec<LogLine>, AwsError>> {
        Box::pin(async move {
            let (mut all, mut token) = (Vec::new(), None);
            for _ in 0..PAGES {
                let page = self
                    .budgeted
                    .call(ApiGroup::LogSearches, || self.page(group, moment, token.clone()))
                    .await?;
                all.extend(page.0);
                token = page.1;
                if token.is_none() {
                    break;
                }
            }
            all.sort_by_key(|line| line.at);
            Ok(all)
        })
    }
}

impl LogGroups for Logs {
    fn delete<'a>(&'a self, group: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        Box::pin(async move {
            let deleted = self
                .budgeted
                .call(ApiGroup::LogSearches, || async {
                    let answer = self.client.delete_log_group().log_group_name(group).send().await;
                    answer.map_err(|error| AwsError::of(SERVICE, "DeleteLogGroup", &error))
                })
                .await;
            match deleted {
                Ok(_) => Ok(true),
                Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}
