//! CloudFormation of one region.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use crate::aws::cloudformation::{
    ChangeSet, ChangeSetId, ChangeSetSummary, CloudFormation, NewChangeSet, RollbackContinuation, Room,
    Stack, StackDeletion, StackEvent, StackResource, Validation,
};
use crate::aws::{AwsError, Boxed};

/// Answers of one kind, in their order; the last one is repeated.
pub(in crate::deploy) type Answers<T> = VecDeque<Result<T, AwsError>>;

/// What CloudFormation of one region answers, and what it was asked.
#[derive(Default)]
pub(in crate::deploy) struct Script {
    pub(in crate::deploy) stacks: Answers<Option<Stack>>,
    pub(in crate::deploy) templates: Answers<Option<String>>,
    pub(in crate::deploy) events: Answers<Vec<StackEvent>>,
    pub(in crate::deploy) sets: Answers<ChangeSet>,
    pub(in crate::deploy) created: Answers<ChangeSetId>,
    pub(in crate::deploy) executed: Answers<()>,
    pub(in crate::deploy) resources: Answers<Vec<StackResource>>,
    pub(in crate::deploy) summaries: Vec<ChangeSetSummary>,
    pub(in crate::deploy) validations: Answers<Option<Vec<Validation>>>,
    pub(in crate::deploy) room: Answers<Option<Room>>,
    pub(in crate::deploy) requests: Vec<NewChangeSet>,
    pub(in crate::deploy) calls: Vec<String>,
    /// Client tokens of executions.
    pub(in crate::deploy) tokens: Vec<String>,
}

#[derive(Clone, Default)]
pub(in crate::deploy) struct FakeCloudFormation(pub(in crate::deploy) Arc<Mutex<Script>>);

impl FakeCloudFormation {
    pub(in crate::deploy) fn new(script: Script) -> Self {
        Self(Arc::new(Mutex::new(script)))
    }

    /// The calls so far.
    pub(in crate::deploy) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    /// The calls that change something.
    pub(in crate::deploy) fn writes(&self) -> Vec<String> {
        let reads = [
            "DescribeStacks",
            "GetTemplate",
            "DescribeEvents",
            "DescribeStackEvents",
            "DescribeChangeSet",
            "DescribeAccountLimits",
            "List",
        ];
        let is_read = |call: &String| reads.iter().any(|read| call.starts_with(read));
        self.calls().into_iter().filter(|call| !is_read(call)).collect()
    }

    pub(in crate::deploy) fn tokens(&self) -> Vec<String> {
        self.0.lock().unwrap().tokens.clone()
    }

    pub(in crate::deploy) fn requests(&self) -> Vec<NewChangeSet> {
        self.0.lock().unwrap().requests.clone()
    }

    fn answer<'a, T: Clone + Default + Send + 'a>(
        &self,
        call: String,
        pick: impl FnOnce(&mut Script) -> &mut Answers<T>,
    ) -> Boxed<'a, Result<T, AwsError>> {
        let mut script = self.0.lock().unwrap();
        script.calls.push(call);
        let answers = pick(&mut script);
        let answer = match answers.len() {
            0 => Ok(T::default()),
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        };
        Box::pin(async move { answer })
    }

    fn done<'a>(&self, call: String) -> Boxed<'a, Result<(), AwsError>> {
        self.0.lock().unwrap().calls.push(call);
        Box::pin(async { Ok(()) })
    }
}

impl CloudFormation for FakeCloudFormation {
    fn stack<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<Stack>, AwsError>> {
        self.answer(format!("DescribeStacks {stack}"), |script| &mut script.stacks)
    }

    fn template<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>> {
        self.answer(format!("GetTemplate {stack}"), |script| &mut script.templates)
    }

    fn resources<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<StackResource>, AwsError>> {
        self.answer(format!("ListStackResources {stack}"), |script| &mut script.resources)
    }

    fn events<'a>(
        &'a self,
        stack: &'a str,
        _: Option<i64>,
        _: &'a HashSet<String>,
    ) -> Boxed<'a, Result<Vec<StackEvent>, AwsError>> {
        self.answer(format!("DescribeStackEvents {stack}"), |script| &mut script.events)
    }

    fn create_change_set<'a>(
        &'a self,
        request: &'a NewChangeSet,
    ) -> Boxed<'a, Result<ChangeSetId, AwsError>> {
        self.0.lock().unwrap().requests.push(request.clone());
        let call = format!("CreateChangeSet {} {:?}", request.stack, request.kind);
        if self.0.lock().unwrap().created.is_empty() {
            self.0.lock().unwrap().calls.push(call);
            return Box::pin(async {
                Ok(ChangeSetId { id: "arn:set".into(), stack_id: "arn:stack".into() })
            });
        }
        let mut script = self.0.lock().unwrap();
        script.calls.push(call);
        let answer = script.created.pop_front().unwrap();
        Box::pin(async move { answer })
    }

    fn change_set<'a>(&'a self, stack: &'a str, _: &'a str) -> Boxed<'a, Result<ChangeSet, AwsError>> {
        self.answer(format!("DescribeChangeSet {stack}"), |script| &mut script.sets)
    }

    fn change_sets<'a>(&'a self, stack: &'a str) -> Boxed<'a, Result<Vec<ChangeSetSummary>, AwsError>> {
        let mut script = self.0.lock().unwrap();
        script.calls.push(format!("ListChangeSets {stack}"));
        let summaries = script.summaries.clone();
        Box::pin(async move { Ok(summaries) })
    }

    fn delete_change_set<'a>(&'a self, _: &'a str, set: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.done(format!("DeleteChangeSet {set}"))
    }

    fn execute_change_set<'a>(
        &'a self,
        _: &'a str,
        set: &'a str,
        token: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        assert!(!token.is_empty());
        self.0.lock().unwrap().tokens.push(token.to_owned());
        self.answer(format!("ExecuteChangeSet {set}"), |script| &mut script.executed)
    }

    fn validations<'a>(
        &'a self,
        stack: &'a str,
        _: &'a str,
    ) -> Boxed<'a, Result<Option<Vec<Validation>>, AwsError>> {
        self.answer(format!("DescribeEvents {stack}"), |script| &mut script.validations)
    }

    fn room(&self) -> Boxed<'_, Result<Option<Room>, AwsError>> {
        self.answer("DescribeAccountLimits".into(), |script| &mut script.room)
    }

    fn delete_stack<'a>(&'a self, request: &'a StackDeletion) -> Boxed<'a, Result<(), AwsError>> {
        self.done(format!("DeleteStack {}", request.stack))
    }

    fn continue_rollback<'a>(&'a self, request: &'a RollbackContinuation) -> Boxed<'a, Result<(), AwsError>> {
        self.done(format!("ContinueUpdateRollback {} {}", request.stack, request.skip.join(" ")))
    }
}
