//! The adapter that asks the service.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetType, Parameter, ResourceToImport, Tag, TemplateStage,
};

use super::poller::Poller;
use super::read::{self, SERVICE};
use super::{
    ChangeSet, ChangeSetId, ChangeSetKind, ChangeSetSummary, CloudFormation, ImportedResource, NewChangeSet,
    RollbackContinuation, Room, Stack, StackDeletion, StackEvent, StackResource, Template, Validation,
};
use crate::aws::budgeted::Budgeted;
use crate::aws::{ApiGroup, AwsError, AwsErrorKind, Boxed};

/// CloudFormation of one region.
#[derive(Debug, Clone)]
pub struct CloudFormationClient {
    pub(super) client: Client,
    pub(super) budgeted: Budgeted,
    poller: Arc<Poller>,
    property_values: bool,
}

impl CloudFormationClient {
    /// `property_values`: whether change sets are read with the values before and after.
    pub(in crate::aws) fn new(
        config: &SdkConfig,
        budgeted: Budgeted,
        poller: Arc<Poller>,
        property_values: bool,
    ) -> Self {
        let client = Client::new(&Budgeted::single_attempts(config));
        Self { client, budgeted, poller, property_values }
    }

    /// Whether the peer is AWS, which alone knows values of properties, validations and quotas.
    pub(super) fn tells_values(&self) -> bool {
        self.property_values
    }

    /// Every stack of the region that is not deleted, whoever made it, with its parameters and outputs.
    ///
    /// # Errors
    /// Where a call fails.
    pub async fn every(&self) -> Result<Vec<Stack>, AwsError> {
        Ok(self.all().await?.0)
    }

    async fn execute(
        &self,
        stack: &str,
        change_set: &str,
        token: &str,
        retain_except_on_create: bool,
    ) -> Result<(), AwsError> {
        let call = self
            .client
            .execute_change_set()
            .stack_name(stack)
            .change_set_name(change_set)
            .client_request_token(token)
            .retain_except_on_create(retain_except_on_create);
        self.budgeted
            .write(ApiGroup::ChangeSets, || async {
                let answer = call.clone().send().await;
                answer.map_err(|error| AwsError::of(SERVICE, "ExecuteChangeSet", &error))
            })
            .await?;
        Ok(())
    }

    async fn one(&self, stack: &str) -> Result<Option<Stack>, AwsError> {
        let answer = self
            .budgeted
            .call(ApiGroup::Describes, || async {
                let answer = self.client.describe_stacks().stack_name(stack).send().await;
                found(answer.map_err(|error| AwsError::of(SERVICE, "DescribeStacks", &error)))
            })
            .await?;
        answer.and_then(|answer| answer.stacks().first().map(read::stack)).transpose()
    }

    /// Every stack of the region that is not deleted, and how many calls that took.
    async fn all(&self) -> Result<(Vec<Stack>, usize), AwsError> {
        let (mut stacks, mut next, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let page = self
                .budgeted
                .call(ApiGroup::Describes, || async {
                    let page = self.client.describe_stacks().set_next_token(next.clone()).send().await;
                    page.map_err(|error| AwsError::of(SERVICE, "DescribeStacks", &error))
                })
                .await?;
            pages += 1;
            // One of others that cannot be read is none of ours; ours would be asked for once more by itself.
            stacks.extend(page.stacks().iter().filter_map(|stack| read::stack(stack).ok()));
            next = page.next_token;
            if next.is_none() {
                return Ok((stacks, pages));
            }
        }
    }
}

impl super::poller::Region for CloudFormationClient {
    fn one<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>> {
        Box::pin(self.one(stack))
    }

    fn all(&self) -> Boxed<'_, Result<(Vec<Stack>, usize), AwsError>> {
        Box::pin(self.all())
    }
}

impl CloudFormation for CloudFormationClient {
    fn stack<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>> {
        Box::pin(self.one(stack))
    }

    fn among_many<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>> {
        Box::pin(self.poller.read(self, name))
    }

    fn watched<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>> {
        Box::pin(self.poller.look(self, stack))
    }

    fn template<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>> {
        Box::pin(async move {
            let answer = self
                .budgeted
                .call(ApiGroup::Describes, || async {
                    let call = self.client.get_template().stack_name(stack);
                    let answer = call.template_stage(TemplateStage::Original).send().await;
                    found(answer.map_err(|error| AwsError::of(SERVICE, "GetTemplate", &error)))
                })
                .await?;
            Ok(answer.and_then(|answer| answer.template_body).filter(|body| !body.is_empty()))
        })
    }

    fn resources<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<StackResource>, AwsError>> {
        Box::pin(async move {
            let mut resources = Vec::new();
            let mut next = None::<String>;
            loop {
                let page = self
                    .budgeted
                    .call(ApiGroup::Describes, || async {
                        let call =
                            self.client.list_stack_resources().stack_name(stack).set_next_token(next.clone());
                        let page = call.send().await;
                        page.map_err(|error| AwsError::of(SERVICE, "ListStackResources", &error))
                    })
                    .await?;
                resources.extend(page.stack_resource_summaries().iter().map(read::resource));
                next = page.next_token;
                if next.is_none() {
                    return Ok(resources);
                }
            }
        })
    }

    fn events<'a>(
        &'a self,
        stack: &'a str,
        since: Option<i64>,
        known: &'a HashSet<String>,
    ) -> Boxed<'a, Result<Vec<StackEvent>, AwsError>> {
        Box::pin(async move {
            let mut events = Vec::new();
            let mut next = None::<String>;
            loop {
                let page = self
                    .budgeted
                    .call(ApiGroup::Describes, || async {
                        let call = self
                            .client
                            .describe_stack_events()
                            .stack_name(stack)
                            .set_next_token(next.clone());
                        let page = call.send().await;
                        page.map_err(|error| AwsError::of(SERVICE, "DescribeStackEvents", &error))
                    })
                    .await?;
                // The service answers the newest first, but for some that come late.
                let wanted = |event: &StackEvent| since.is_none_or(|since| event.time >= since);
                let found: Vec<_> = page.stack_events().iter().map(read::event).collect();
                let past = found.last().is_some_and(|last| !wanted(last))
                    || found.iter().any(|event| known.contains(&event.id));
                let new = |event: &StackEvent| wanted(event) && !known.contains(&event.id);
                events.extend(found.into_iter().filter(new));
                next = page.next_token;
                if past || next.is_none() {
                    events.reverse();
                    return Ok(events);
                }
            }
        })
    }

    fn create_change_set<'a>(
        &'a self,
        request: &'a NewChangeSet,
    ) -> Boxed<'a, Result<ChangeSetId, AwsError>> {
        Box::pin(async move {
            let call = self
                .client
                .create_change_set()
                .stack_name(&request.stack)
                .change_set_name(&request.name)
                .change_set_type(match request.kind {
                    ChangeSetKind::Create => ChangeSetType::Create,
                    ChangeSetKind::Update => ChangeSetType::Update,
                    ChangeSetKind::Import => ChangeSetType::Import,
                })
                .set_parameters(Some(parameters(&request.parameters)))
                .set_tags(Some(tags(&request.tags)))
                .capabilities(Capability::CapabilityNamedIam)
                .client_token(&request.token)
                .set_role_arn(request.role_arn.clone())
                .set_resources_to_import(imports(&request.imports));
            let call = match &request.template {
                Template::Body(body) => call.template_body(body),
                Template::Url(url) => call.template_url(url),
            };
            let answer = self
                .budgeted
                .write(ApiGroup::ChangeSets, || async {
                    let answer = call.clone().send().await;
                    answer.map_err(|error| AwsError::of(SERVICE, "CreateChangeSet", &error))
                })
                .await?;
            let missing = |field| AwsError::incomplete(SERVICE, "CreateChangeSet", field);
            Ok(ChangeSetId {
                id: answer.id.ok_or_else(|| missing("Id"))?,
                stack_id: answer.stack_id.ok_or_else(|| missing("StackId"))?,
            })
        })
    }

    fn change_set<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
    ) -> Boxed<'a, Result<ChangeSet, AwsError>> {
        Box::pin(async move {
            let mut whole: Option<ChangeSet> = None;
            let mut next = None::<String>;
            loop {
                let page = self
                    .budgeted
                    .call(ApiGroup::ChangeSets, || async {
                        let call = self.client.describe_change_set().stack_name(stack);
                        let page = call
                            .change_set_name(change_set)
                            .set_include_property_values(self.property_values.then_some(true))
                            .set_next_token(next.clone())
                            .send()
                            .await;
                        page.map_err(|error| AwsError::of(SERVICE, "DescribeChangeSet", &error))
                    })
                    .await?;
                next = page.next_token().map(str::to_owned);
                let read = read::change_set(&page)?;
                match &mut whole {
                    Some(whole) => whole.changes.extend(read.changes),
                    None => whole = Some(read),
                }
                if let Some(whole) = whole.take_if(|_| next.is_none()) {
                    return Ok(whole);
                }
            }
        })
    }

    fn change_sets<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<ChangeSetSummary>, AwsError>> {
        Box::pin(async move {
            let mut summaries = Vec::new();
            let mut next = None::<String>;
            loop {
                let page = self
                    .budgeted
                    .call(ApiGroup::ChangeSets, || async {
                        let call =
                            self.client.list_change_sets().stack_name(stack).set_next_token(next.clone());
                        let page = call.send().await;
                        page.map_err(|error| AwsError::of(SERVICE, "ListChangeSets", &error))
                    })
                    .await?;
                summaries.extend(page.summaries().iter().filter_map(|found| {
                    let (id, name) = (found.change_set_id()?, found.change_set_name()?);
                    Some(ChangeSetSummary { id: id.to_owned(), name: name.to_owned() })
                }));
                next = page.next_token;
                if next.is_none() {
                    return Ok(summaries);
                }
            }
        })
    }

    fn delete_change_set<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            // Deleting it once more changes nothing, so a lost answer needs no look.
            let answer = self
                .budgeted
                .call(ApiGroup::ChangeSets, || async {
                    let call = self.client.delete_change_set().stack_name(stack).change_set_name(change_set);
                    call.send().await.map_err(|error| AwsError::of(SERVICE, "DeleteChangeSet", &error))
                })
                .await;
            found(answer).map(|_| ())
        })
    }

    fn execute_change_set<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
        token: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        // What a failed operation has just made is removed again, also where the template says to retain it:
        // it holds nothing yet, and its fixed name would block the next attempt.
        Box::pin(self.execute(stack, change_set, token, true))
    }

    fn execute_import<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
        token: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(self.execute(stack, change_set, token, false))
    }

    fn validations<'a>(
        &'a self,
        stack: &'a str,
        change_set: &'a str,
    ) -> Boxed<'a, Result<Option<Vec<Validation>>, AwsError>> {
        Box::pin(self.read_validations(stack, change_set))
    }

    fn room(&self) -> Boxed<'_, Result<Option<Room>, AwsError>> {
        Box::pin(self.read_room())
    }

    fn delete_stack<'a>(&'a self, request: &'a StackDeletion) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let call = self
                .client
                .delete_stack()
                .stack_name(&request.stack)
                .client_request_token(&request.token)
                .set_role_arn(request.role_arn.clone());
            self.budgeted
                .write(ApiGroup::ChangeSets, || async {
                    let answer = call.clone().send().await;
                    answer.map_err(|error| AwsError::of(SERVICE, "DeleteStack", &error))
                })
                .await?;
            Ok(())
        })
    }

    fn continue_rollback<'a>(&'a self, request: &'a RollbackContinuation) -> Boxed<'a, Result<(), AwsError>> {
        Box::pin(async move {
            let call = self
                .client
                .continue_update_rollback()
                .stack_name(&request.stack)
                .client_request_token(&request.token)
                .set_role_arn(request.role_arn.clone())
                .set_resources_to_skip((!request.skip.is_empty()).then(|| request.skip.clone()));
            self.budgeted
                .write(ApiGroup::ChangeSets, || async {
                    let answer = call.clone().send().await;
                    answer.map_err(|error| AwsError::of(SERVICE, "ContinueUpdateRollback", &error))
                })
                .await?;
            Ok(())
        })
    }

    fn turn_for_distribution(&self) -> Boxed<'_, ()> {
        Box::pin(self.budgeted.turn(ApiGroup::CloudFrontUpdates))
    }
}

fn parameters(values: &BTreeMap<String, String>) -> Vec<Parameter> {
    let parameter = |(name, value): (&String, &String)| {
        Parameter::builder().parameter_key(name).parameter_value(value).build()
    };
    values.iter().map(parameter).collect()
}

/// None where there are none: an empty list is refused.
fn imports(resources: &[ImportedResource]) -> Option<Vec<ResourceToImport>> {
    let import = |resource: &ImportedResource| {
        ResourceToImport::builder()
            .resource_type(&resource.kind)
            .logical_resource_id(&resource.logical_id)
            .set_resource_identifier(Some(resource.identifier.clone().into_iter().collect()))
            .build()
    };
    (!resources.is_empty()).then(|| resources.iter().map(import).collect())
}

fn tags(values: &BTreeMap<String, String>) -> Vec<Tag> {
    values.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn found<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
