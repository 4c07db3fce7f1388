//! Having CloudFormation work out what would change.

use sha2::{Digest, Sha256};

use super::error::{DeployError, Doing};
use super::poll::{Look, Wait};
use super::stack::StackRequest;
use super::unused::Leftover;
use super::{Check, Context, preflight};
use crate::aws::cloudformation::{
    ChangeSet, ChangeSetKind, CloudFormation, ImportedResource, NewChangeSet, Stack, Template,
};
use crate::aws::{AwsErrorKind, is_no_changes};

/// Longest template within a request, in bytes.
const INLINE: usize = 51_200;
/// Begins the names of our change sets, so that those of others are left alone.
pub(super) const PREFIX: &str = "generator-";
/// Looks during which a change set that was just asked for may not be found yet.
const EARLY: usize = 3;

/// What kind of change set is asked for.
pub(super) enum Asked<'a> {
    /// One that makes the stack; where there is an empty shell of it, within that.
    Create(Option<&'a Stack>),
    /// One that changes it.
    Update(&'a Stack),
    /// One that takes resources in, and makes the stack where it is not there.
    Import(Vec<ImportedResource>),
}

impl<'a> Asked<'a> {
    /// The stack that the change set is made on.
    pub(super) fn existing(&self) -> Option<&'a Stack> {
        match self {
            Self::Create(shell) => *shell,
            Self::Update(stack) => Some(stack),
            Self::Import(_) => None,
        }
    }

    pub(super) fn kind(&self) -> ChangeSetKind {
        match self {
            Self::Create(_) => ChangeSetKind::Create,
            Self::Update(_) => ChangeSetKind::Update,
            Self::Import(_) => ChangeSetKind::Import,
        }
    }
}

/// Asks for a change set and waits until it is worked out; `None`: there is nothing to change.
pub(super) async fn work_out(
    context: &Context,
    cloudformation: &dyn CloudFormation,
    request: &StackRequest,
    asked: Asked<'_>,
) -> Result<Option<ChangeSet>, DeployError> {
    let (stack, kind) = (request.stack.as_str(), asked.kind());
    let new = new_change_set(context, request, asked).await?;
    let leftover = Leftover { region: request.region.clone(), stack: stack.to_owned(), kind };
    if !context.work.unused.note(&new.name, leftover) {
        return Err(DeployError::Cancelled);
    }
    let id = match create(cloudformation, request, &new).await {
        Ok(Some(id)) => id,
        Ok(None) => {
            context.work.unused.forget(&new.name);
            return Ok(None);
        }
        // Where it is not known whether there is one, it stays noted.
        Err(error @ DeployError::Unknown { .. }) => return Err(error),
        Err(error) => {
            context.work.unused.forget(&new.name);
            return Err(error);
        }
    };
    let set = ready(context, cloudformation, stack, &id).await?;
    // Known by the name that it was noted under, whatever an emulator answers.
    let set = ChangeSet { name: new.name.clone(), ..set };
    match (set.status.as_str(), set.execution.as_str()) {
        ("CREATE_COMPLETE", "AVAILABLE") => Ok(Some(set)),
        (status, _) => {
            let reason = set.status_reason.clone().unwrap_or_else(|| "no reason given".into());
            if status == "FAILED" && is_no_changes(&reason) {
                discard(context, cloudformation, request, &set, kind).await?;
                return Ok(None);
            }
            let why = preflight::validated(cloudformation, stack, &set.id).await;
            discard(context, cloudformation, request, &set, kind).await?;
            let found = why.iter().filter_map(Check::failure).map(|(reason, _)| reason);
            let reason = std::iter::once(reason.as_str()).chain(found).collect::<Vec<_>>().join("; ");
            let (stack, status) = (stack.to_owned(), format!("{status}, {}", set.execution));
            Err(DeployError::ChangeSetFailed { stack, status, reason })
        }
    }
}

/// Times that a change set is asked for, where each answer was lost and none was made.
const TRIES: usize = 3;

/// Asks for a change set; `None`: nothing would change. Where the answer is lost, its name tells whether there is
/// one, and only where there is none it is asked for again.
async fn create(
    cloudformation: &dyn CloudFormation,
    request: &StackRequest,
    new: &NewChangeSet,
) -> Result<Option<String>, DeployError> {
    let stack = request.stack.as_str();
    let doing = || format!("creating a change set for stack `{stack}` in `{}`", request.region);
    for last in (0..TRIES).map(|attempt| attempt + 1 == TRIES) {
        let lost = match cloudformation.create_change_set(new).await {
            Ok(id) => return Ok(Some(id.id)),
            // The answer to an earlier attempt of this very request was lost: its name is nobody else's.
            Err(error) if error.kind == AwsErrorKind::AlreadyExists => return Ok(Some(new.name.clone())),
            Err(error) if error.kind == AwsErrorKind::NoChanges => return Ok(None),
            Err(error) if error.is_passing() && error.kind != AwsErrorKind::Throttled => error,
            Err(error) => return Err(error).doing(doing),
        };
        match cloudformation.change_set(stack, &new.name).await {
            Ok(set) => return Ok(Some(set.id)),
            Err(error) if error.kind == AwsErrorKind::NotFound && !last => {}
            Err(error) if error.kind == AwsErrorKind::NotFound => return Err(lost).doing(doing),
            Err(_) => return Err(DeployError::Unknown { doing: doing(), source: lost }),
        }
    }
    Ok(None)
}

/// Deletes a change set that is not executed, and the empty shell of a stack that it has made.
pub(super) async fn discard(
    context: &Context,
    cloudformation: &dyn CloudFormation,
    request: &StackRequest,
    set: &ChangeSet,
    kind: ChangeSetKind,
) -> Result<(), DeployError> {
    discard_named(cloudformation, &request.stack, &set.id, &set.stack_id, kind).await?;
    context.work.unused.forget(&set.name);
    Ok(())
}

/// The same, unless somebody has executed it meanwhile.
pub(super) async fn discard_unexecuted(
    cloudformation: &dyn CloudFormation,
    stack: &str,
    set: &str,
    stack_id: &str,
    kind: ChangeSetKind,
) -> Result<(), DeployError> {
    match cloudformation.change_set(stack, set).await {
        Ok(found) if found.execution.starts_with("EXECUTE_") => return Ok(()),
        Err(error) if error.kind != AwsErrorKind::NotFound => {
            return Err(error).doing(|| format!("reading a change set of stack `{stack}`"));
        }
        // The shell of one that is gone may still be there.
        _ => {}
    }
    discard_named(cloudformation, stack, set, stack_id, kind).await
}

/// The same, known by its name or ARN and that of its stack only.
pub(super) async fn discard_named(
    cloudformation: &dyn CloudFormation,
    stack: &str,
    set: &str,
    stack_id: &str,
    kind: ChangeSetKind,
) -> Result<(), DeployError> {
    cloudformation
        .delete_change_set(stack, set)
        .await
        .doing(|| format!("deleting an unused change set of stack `{stack}`"))?;
    if kind == ChangeSetKind::Update {
        return Ok(());
    }
    let shell = cloudformation.stack(stack_id).await.doing(|| format!("reading stack `{stack}`"))?;
    let Some(shell) = shell.filter(|shell| shell.status == "REVIEW_IN_PROGRESS") else { return Ok(()) };
    // By its name: the local cloud finds no change sets by an ARN.
    let others = cloudformation.change_sets(&shell.name).await;
    let others = others.doing(|| format!("listing the change sets of stack `{stack}`"))?;
    if others.iter().any(|other| other.id != set && other.name != set) {
        return Ok(());
    }
    let deletion = crate::aws::cloudformation::StackDeletion {
        token: shell.id.chars().filter(char::is_ascii_alphanumeric).rev().take(32).collect(),
        stack: shell.id,
        role_arn: None,
    };
    cloudformation.delete_stack(&deletion).await.doing(|| format!("deleting the empty stack `{stack}`"))
}

/// Deletes the change sets that an earlier run of this tool has left on a stack: those of one run by its mark, or
/// all of them where there is none, as on a stack that was never made.
pub(super) async fn clear(
    cloudformation: &dyn CloudFormation,
    stack: &str,
    mark: &str,
) -> Result<(), DeployError> {
    let left = cloudformation
        .change_sets(stack)
        .await
        .doing(|| format!("listing the change sets of stack `{stack}`"))?;
    let prefix = prefix(mark);
    for set in left.into_iter().filter(|set| set.name.starts_with(&prefix)) {
        cloudformation
            .delete_change_set(stack, &set.id)
            .await
            .doing(|| format!("deleting a left-over change set of stack `{stack}`"))?;
    }
    Ok(())
}

async fn ready(
    context: &Context,
    cloudformation: &dyn CloudFormation,
    stack: &str,
    id: &str,
) -> Result<ChangeSet, DeployError> {
    let what = format!("the change set of stack `{stack}`");
    let mut wait = Wait::new(context, what, context.settings.deadlines.change_set);
    wait.a_moment().await;
    let mut looks = 0;
    loop {
        looks += 1;
        let look = match cloudformation.change_set(stack, id).await {
            Ok(set) if matches!(set.status.as_str(), "CREATE_PENDING" | "CREATE_IN_PROGRESS") => {
                Ok(Look::NotYet(format!("status `{}`", set.status)))
            }
            Ok(set) => Ok(Look::Done(set)),
            Err(error) if error.kind == AwsErrorKind::NotFound && looks <= EARLY => {
                Ok(Look::NotYet(error.message))
            }
            Err(error) => Err(error),
        };
        if let Some(set) = wait.take(look).await? {
            return Ok(set);
        }
    }
}

async fn new_change_set(
    context: &Context,
    request: &StackRequest,
    asked: Asked<'_>,
) -> Result<NewChangeSet, DeployError> {
    let (kind, existing) = (asked.kind(), asked.existing());
    let imports = if let Asked::Import(imports) = asked { imports } else { Vec::new() };
    let template = if request.template.len() <= INLINE {
        Template::Body(request.template.clone())
    } else {
        let (stack, bytes) = (request.stack.clone(), request.template.len());
        let store = context.templates.as_ref().ok_or(DeployError::TemplateTooLarge { stack, bytes })?;
        let put = store.put(&request.region, &request.template).await;
        Template::Url(put.doing(|| format!("storing the template of stack `{}`", request.stack))?)
    };
    let token = token(context, request, existing);
    Ok(NewChangeSet {
        stack: request.stack.clone(),
        name: format!("{}{token}", prefix(&context.work.mark)),
        kind,
        template,
        parameters: request.parameters.clone(),
        tags: request.tags.clone(),
        imports,
        token,
        role_arn: context.settings.service_role_arn.clone(),
    })
}

/// What the names of change sets of this mark begin with.
fn prefix(mark: &str) -> String {
    if mark.is_empty() { PREFIX.to_owned() } else { format!("{PREFIX}{mark}-") }
}

/// Names one attempt at one change: the same for every repetition of the request by the SDK, another for
/// another run, so that an answer of the past is never taken for today's.
fn token(context: &Context, request: &StackRequest, existing: Option<&Stack>) -> String {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(text);
    };
    add(&request.region);
    add(&request.stack);
    add(&request.template);
    for (name, value) in request.parameters.iter().chain(&request.tags) {
        add(name);
        add(value);
    }
    if let Some(stack) = existing {
        add(&stack.id);
        add(&stack.updated.unwrap_or_default().to_string());
    }
    let now = context.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    add(&now.as_nanos().to_string());
    hex::encode(&digest.finalize()[..16])
}
