//! Peers that answer from a script and record every call, for tests.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Context, Deadlines, Settings};
use crate::aws::cloudformation::{
    ChangeSet, ChangeSetId, ChangeSetSummary, CloudFormation, NewChangeSet, RawChange, RollbackContinuation,
    Stack, StackDeletion, StackEvent, StackResource,
};
use crate::aws::cloudfront::Edges;
use crate::aws::cognito::{UserPool, UserPools};
use crate::aws::lambda::Functions;
use crate::aws::logs::LogGroups;
use crate::aws::s3::{Files, Listed, NewFile, ObjectHead, ObjectStore, ObjectVersion, Owner, Upload};
use crate::aws::sts::Identity;
use crate::aws::{AwsError, AwsErrorKind, Boxed, Peers};
use crate::clock::ManualClock;
use crate::report::RecordedSink;

/// Answers of one kind, in their order; the last one is repeated.
pub(super) type Answers<T> = VecDeque<Result<T, AwsError>>;

/// What CloudFormation of one region answers, and what it was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) stacks: Answers<Option<Stack>>,
    pub(super) templates: Answers<Option<String>>,
    pub(super) events: Answers<Vec<StackEvent>>,
    pub(super) sets: Answers<ChangeSet>,
    pub(super) created: Answers<ChangeSetId>,
    pub(super) executed: Answers<()>,
    pub(super) resources: Answers<Vec<StackResource>>,
    pub(super) summaries: Vec<ChangeSetSummary>,
    pub(super) requests: Vec<NewChangeSet>,
    pub(super) calls: Vec<String>,
    /// Client tokens of executions.
    pub(super) tokens: Vec<String>,
}

#[derive(Clone, Default)]
pub(super) struct FakeCloudFormation(pub(super) Arc<Mutex<Script>>);

impl FakeCloudFormation {
    pub(super) fn new(script: Script) -> Self {
        Self(Arc::new(Mutex::new(script)))
    }

    /// The calls so far.
    pub(super) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    /// The calls that change something.
    pub(super) fn writes(&self) -> Vec<String> {
        let reads = ["DescribeStacks", "GetTemplate", "DescribeStackEvents", "DescribeChangeSet", "List"];
        let is_read = |call: &String| reads.iter().any(|read| call.starts_with(read));
        self.calls().into_iter().filter(|call| !is_read(call)).collect()
    }

    pub(super) fn tokens(&self) -> Vec<String> {
        self.0.lock().unwrap().tokens.clone()
    }

    pub(super) fn requests(&self) -> Vec<NewChangeSet> {
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

    fn delete_stack<'a>(&'a self, request: &'a StackDeletion) -> Boxed<'a, Result<(), AwsError>> {
        self.done(format!("DeleteStack {}", request.stack))
    }

    fn continue_rollback<'a>(&'a self, request: &'a RollbackContinuation) -> Boxed<'a, Result<(), AwsError>> {
        self.done(format!("ContinueUpdateRollback {} {}", request.stack, request.skip.join(" ")))
    }
}

/// The other services: what exists there, and what was done to it.
#[derive(Default)]
pub(super) struct World {
    pub(super) buckets: BTreeMap<String, Vec<ObjectVersion>>,
    pub(super) objects: BTreeMap<String, Vec<u8>>,
    /// Whether no file can be written.
    pub(super) full: bool,
    /// Whether objects are answered with their digest.
    pub(super) checksums: bool,
    pub(super) pools: Vec<UserPool>,
    pub(super) functions: Vec<String>,
    pub(super) function_refusal: Option<AwsError>,
    /// Statuses of the distribution, in their order; the last one is repeated.
    pub(super) distribution: VecDeque<String>,
    pub(super) public_keys: Vec<(String, String)>,
    pub(super) calls: Vec<String>,
}

/// Peers of all regions.
#[derive(Clone, Default)]
pub(super) struct FakePeers {
    pub(super) regions: BTreeMap<String, FakeCloudFormation>,
    pub(super) world: Arc<Mutex<World>>,
    pub(super) account: String,
}

impl FakePeers {
    pub(super) fn calls(&self) -> Vec<String> {
        self.world.lock().unwrap().calls.clone()
    }

    fn with<'a, T: Send + 'a>(
        &self,
        call: String,
        act: impl FnOnce(&mut World) -> Result<T, AwsError>,
    ) -> Boxed<'a, Result<T, AwsError>> {
        let mut world = self.world.lock().unwrap();
        world.calls.push(call);
        let answer = act(&mut world);
        Box::pin(async move { answer })
    }
}

impl Peers for FakePeers {
    fn cloudformation(&self, region: &str) -> Arc<dyn CloudFormation> {
        Arc::new(self.regions[region].clone())
    }

    fn objects(&self, _: &str) -> Arc<dyn ObjectStore> {
        Arc::new(self.clone())
    }

    fn files(&self, _: &str) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    fn functions(&self, _: &str) -> Arc<dyn Functions> {
        Arc::new(FakeFunctions(self.clone()))
    }

    fn user_pools(&self, _: &str) -> Arc<dyn UserPools> {
        Arc::new(FakePools(self.clone()))
    }

    fn edges(&self) -> Arc<dyn Edges> {
        Arc::new(FakeEdges(self.clone()))
    }

    fn log_groups(&self, region: &str) -> Arc<dyn LogGroups> {
        Arc::new(FakeLogs(self.clone(), region.to_owned()))
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(self.clone())
    }
}

struct FakeEdges(FakePeers);

impl Edges for FakeEdges {
    fn detach_functions<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        self.0.with(format!("UpdateDistribution {distribution}"), |_| Ok(true))
    }

    fn status<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>> {
        self.0.with(format!("GetDistribution {distribution}"), |world| {
            let next = if world.distribution.len() > 1 { world.distribution.pop_front() } else { None };
            Ok(Some(
                next.or_else(|| world.distribution.front().cloned()).unwrap_or_else(|| "Deployed".into()),
            ))
        })
    }

    fn public_keys(&self) -> Boxed<'_, Result<Vec<(String, String)>, AwsError>> {
        self.0.with("ListPublicKeys".into(), |world| Ok(world.public_keys.clone()))
    }

    fn delete_public_key<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("DeletePublicKey {id}"), |world| {
            world.public_keys.retain(|(known, _)| known != id);
            Ok(())
        })
    }
}

struct FakeLogs(FakePeers, String);

impl LogGroups for FakeLogs {
    fn delete<'a>(&'a self, group: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        self.0.with(format!("DeleteLogGroup {} {group}", self.1), |_| Ok(true))
    }
}

impl Identity for FakePeers {
    fn account(&self) -> Boxed<'_, Result<String, AwsError>> {
        let account = self.account.clone();
        self.with("GetCallerIdentity".into(), |_| Ok(account))
    }
}

impl ObjectStore for FakePeers {
    fn bucket_exists<'a>(&'a self, bucket: &'a str, _: Owner<'a>) -> Boxed<'a, Result<bool, AwsError>> {
        self.with(format!("HeadBucket {bucket}"), |world| Ok(world.buckets.contains_key(bucket)))
    }

    fn create_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("CreateBucket {bucket}"), |world| {
            world.buckets.insert(bucket.to_owned(), vec![]);
            Ok(())
        })
    }

    fn secure_bucket<'a>(
        &'a self,
        bucket: &'a str,
        _: Owner<'a>,
        policy: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        assert!(policy.contains("aws:SecureTransport"));
        self.with(format!("SecureBucket {bucket}"), |_| Ok(()))
    }

    fn head<'a>(
        &'a self,
        _: &'a str,
        _: Owner<'a>,
        key: &'a str,
    ) -> Boxed<'a, Result<Option<ObjectHead>, AwsError>> {
        self.with(format!("HeadObject {key}"), |world| {
            Ok(world.objects.get(key).map(|bytes| ObjectHead {
                size: bytes.len() as u64,
                sha256: world.checksums.then(|| super::tests::sha256(bytes)),
            }))
        })
    }

    fn put_new<'a>(
        &'a self,
        _: &'a str,
        _: Owner<'a>,
        key: &'a str,
        bytes: Vec<u8>,
        _: &'a str,
    ) -> Boxed<'a, Result<Upload, AwsError>> {
        self.with(format!("PutObject {key}"), |world| {
            if world.objects.contains_key(key) {
                return Ok(Upload::AlreadyThere);
            }
            world.objects.insert(key.to_owned(), bytes);
            Ok(Upload::Written)
        })
    }

    fn get<'a>(&'a self, _: &'a str, _: Owner<'a>, key: &'a str) -> Boxed<'a, Result<Vec<u8>, AwsError>> {
        self.with(format!("GetObject {key}"), |world| Ok(world.objects[key].clone()))
    }

    fn some_versions<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<Vec<ObjectVersion>, AwsError>> {
        // Pages of two, so that emptying has several.
        self.with(format!("ListObjectVersions {bucket}"), |world| {
            Ok(world.buckets[bucket].iter().take(2).cloned().collect())
        })
    }

    fn delete_versions<'a>(
        &'a self,
        bucket: &'a str,
        versions: Vec<ObjectVersion>,
    ) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("DeleteObjects {}", versions.len()), |world| {
            let left = world.buckets.get_mut(bucket).unwrap();
            left.retain(|version| !versions.contains(version));
            Ok(())
        })
    }

    fn delete_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("DeleteBucket {bucket}"), |world| {
            let left = world.buckets.remove(bucket).unwrap_or_default();
            assert!(left.is_empty(), "the bucket was not empty");
            Ok(())
        })
    }
}

impl Files for FakePeers {
    fn below<'a>(&'a self, _: &'a str, prefix: &'a str) -> Boxed<'a, Result<Vec<Listed>, AwsError>> {
        self.with(format!("ListObjectsV2 {prefix}"), |world| {
            let below = world.objects.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(below
                .map(|(key, bytes)| Listed { key: key.clone(), tag: super::tests::sha256(bytes) })
                .collect())
        })
    }

    fn read_file<'a>(&'a self, _: &'a str, key: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>, AwsError>> {
        self.with(format!("GetObject {key}"), |world| Ok(world.objects.get(key).cloned()))
    }

    fn write_file<'a>(
        &'a self,
        _: &'a str,
        key: &'a str,
        file: NewFile<'a>,
    ) -> Boxed<'a, Result<String, AwsError>> {
        let call = format!("PutObject {key} ({}, {})", file.media_type, file.cache_control);
        self.with(call, |world| {
            if world.full {
                return Err(super::tests::refused("PutObject"));
            }
            world.objects.insert(key.to_owned(), file.bytes.to_vec());
            Ok(super::tests::sha256(file.bytes))
        })
    }

    fn delete_file<'a>(&'a self, _: &'a str, key: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("DeleteObject {key}"), |world| {
            world.objects.remove(key);
            Ok(())
        })
    }
}

struct FakeFunctions(FakePeers);

impl Functions for FakeFunctions {
    fn exists<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        self.0.with(format!("GetFunction {name}"), |world| Ok(world.functions.iter().any(|f| f == name)))
    }

    fn delete<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("DeleteFunction {name}"), |world| match world.function_refusal.clone() {
            Some(refusal) => Err(refusal),
            None => {
                world.functions.retain(|function| function != name);
                Ok(())
            }
        })
    }
}

struct FakePools(FakePeers);

impl UserPools for FakePools {
    fn pool<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Option<UserPool>, AwsError>> {
        let call = format!("DescribeUserPool {id}");
        self.0.with(call, |world| Ok(world.pools.iter().find(|pool| pool.id == id).cloned()))
    }

    fn named<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Vec<String>, AwsError>> {
        self.0.with(format!("ListUserPools {name}"), |world| {
            Ok(world.pools.iter().filter(|pool| pool.name == name).map(|pool| pool.id.clone()).collect())
        })
    }

    fn unprotect<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("UpdateUserPool {id}"), |_| Ok(()))
    }

    fn delete<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("DeleteUserPool {id}"), |world| {
            world.pools.retain(|pool| pool.id != id);
            Ok(())
        })
    }
}

/// A context whose clock only waiting moves on.
pub(super) fn context() -> (Context, Arc<RecordedSink>) {
    let sink = Arc::new(RecordedSink::default());
    let minute = Duration::from_secs(60);
    let deadlines = Deadlines { change_set: minute, stack: minute, deletion: minute, others: minute };
    let settings = Settings { deadlines, ..Settings::new(false) };
    let clock = Arc::new(ManualClock::default());
    let work = super::Work::default();
    let context = Context { clock, sink: Arc::clone(&sink) as _, settings, templates: None, work };
    (context, sink)
}

pub(super) fn stack(status: &str) -> Stack {
    Stack { id: "arn:stack".into(), name: "s".into(), status: status.into(), ..Stack::default() }
}

pub(super) fn event(id: &str, logical_id: &str, status: &str, reason: Option<&str>) -> StackEvent {
    let of_stack = logical_id == "s";
    StackEvent {
        id: id.into(),
        logical_id: logical_id.into(),
        physical_id: of_stack.then(|| "arn:stack".into()),
        kind: if of_stack { "AWS::CloudFormation::Stack" } else { "AWS::Lambda::Function" }.into(),
        status: status.into(),
        reason: reason.map(str::to_owned),
        time: id.parse().unwrap_or_default(),
        token: None,
    }
}

pub(super) fn set(status: &str, reason: Option<&str>, changes: Vec<RawChange>) -> ChangeSet {
    ChangeSet {
        id: "arn:set".into(),
        name: "set".into(),
        stack_id: "arn:stack".into(),
        status: status.into(),
        status_reason: reason.map(str::to_owned),
        execution: if status == "CREATE_COMPLETE" { "AVAILABLE" } else { "UNAVAILABLE" }.into(),
        created: Some(0),
        changes,
    }
}

pub(super) fn error(code: &str, kind: AwsErrorKind) -> AwsError {
    AwsError {
        service: "cloudformation",
        operation: "Test",
        code: code.into(),
        message: "as the test wants it".into(),
        kind,
    }
}
