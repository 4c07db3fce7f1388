//! Every way through a rotation, by replay: no server, no waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::aws::logs::{FunctionLogs, LogLine};
use crate::aws::secretsmanager::{SecretStatus, Secrets};
use crate::aws::{AwsError, AwsErrorKind, Boxed, KeyPeers};
use crate::clock::{Clock, ManualClock};
use crate::report::RecordedSink;

/// What the services answer, in order; the last state of the secret stays.
#[derive(Default)]
struct Script {
    states: VecDeque<Option<&'static [(&'static str, &'static str)]>>,
    refusal: Option<(&'static str, AwsErrorKind)>,
    /// How many requests are refused; all of them where none is said.
    refusals: Option<usize>,
    lines: Vec<String>,
    calls: Vec<String>,
}

#[derive(Clone, Default)]
struct Fake {
    script: Arc<Mutex<Script>>,
    clock: ManualClock,
}

impl Secrets for Fake {
    fn describe<'a>(&'a self, _: &'a str) -> Boxed<'a, Result<Option<SecretStatus>, AwsError>> {
        let mut script = self.script.lock().unwrap();
        script.calls.push("describe".into());
        let state = match script.states.len() {
            0 | 1 => script.states.front().copied().expect("a state"),
            _ => script.states.pop_front().expect("a state"),
        };
        let state = state.map(|versions| {
            let mut stages = std::collections::BTreeMap::new();
            for (version, stage) in versions {
                stages.entry((*version).to_owned()).or_insert_with(Vec::new).push((*stage).to_owned());
            }
            let (last_rotated, next_rotation) = (None, None);
            SecretStatus { arn: "arn:s".into(), rotation_enabled: true, stages, last_rotated, next_rotation }
        });
        Box::pin(async move { Ok(state) })
    }

    fn rotate<'a>(&'a self, _: &'a str, token: &'a str) -> Boxed<'a, Result<String, AwsError>> {
        let mut script = self.script.lock().unwrap();
        script.calls.push(format!("rotate {token}"));
        let refusal = match &mut script.refusals {
            Some(0) => None,
            Some(left) => {
                *left -= 1;
                script.refusal
            }
            None => script.refusal,
        };
        let answer = match refusal {
            None => Ok(token.to_owned()),
            Some((code, kind)) => Err(AwsError {
                service: "secretsmanager",
                operation: "RotateSecret",
                code: code.into(),
                message: match kind {
                    AwsErrorKind::Other => "A previous rotation isn't complete.".into(),
                    _ => "refused".into(),
                },
                kind,
            }),
        };
        Box::pin(async move { answer })
    }
}

impl FunctionLogs for Fake {
    fn since<'a>(&'a self, _: &'a str, _: i64) -> Boxed<'a, Result<Vec<LogLine>, AwsError>> {
        let mut script = self.script.lock().unwrap();
        script.calls.push("log".into());
        let lines = script.lines.iter().map(|text| LogLine { at: i64::MAX, text: text.clone() }).collect();
        Box::pin(async move { Ok(lines) })
    }
}

type States = Vec<Option<&'static [(&'static str, &'static str)]>>;

struct Ended {
    result: Result<Rotated, RotateError>,
    cost: Cost,
    calls: Vec<String>,
    clock: ManualClock,
    warnings: usize,
}

impl Ended {
    fn calls(&self) -> Vec<&str> {
        self.calls.iter().map(String::as_str).collect()
    }
}

async fn rotated(pace: Pace, script: Script, change: impl FnOnce(&mut Request)) -> Ended {
    let fake = Fake { script: Arc::new(Mutex::new(script)), clock: ManualClock::default() };
    let peers = KeyPeers { secrets: Arc::new(fake.clone()), logs: Arc::new(fake.clone()) };
    let sink = Arc::new(RecordedSink::default());
    let context = Context { clock: Arc::new(fake.clock.clone()), sink: sink.clone(), pace };
    let mut request = Request {
        tenant: "demo".into(),
        secret: "s".into(),
        function: "f".into(),
        token: "new".into(),
        earlier: vec![],
        look_first: false,
    };
    change(&mut request);
    let (result, cost) = rotate(&context, &peers, &request).await;
    let calls = std::mem::take(&mut fake.script.lock().unwrap().calls);
    Ended { result, cost, calls, clock: fake.clock, warnings: sink.codes().len() }
}

const OLD: &[(&str, &str)] = &[("old", "AWSCURRENT")];
const PENDING: &[(&str, &str)] = &[("old", "AWSCURRENT"), ("new", "AWSPENDING")];
const DONE: &[(&str, &str)] = &[("old", "AWSPREVIOUS"), ("new", "AWSCURRENT"), ("new", "AWSPENDING")];
const OTHER: &[(&str, &str)] = &[("old", "AWSCURRENT"), ("other", "AWSPENDING")];
const OTHER_DONE: &[(&str, &str)] = &[("old", "AWSPREVIOUS"), ("other", "AWSCURRENT")];

fn states(states: &[&'static [(&'static str, &'static str)]]) -> States {
    states.iter().copied().map(Some).collect()
}

fn script(of: &[&'static [(&'static str, &'static str)]]) -> Script {
    Script { states: states(of).into(), ..Script::default() }
}

fn failure(token: &str) -> Vec<String> {
    vec![format!(r#"{{"level":"ERROR","event":"Test {token}","error":"key group `g` does not exist"}}"#)]
}

#[tokio::test]
async fn a_rotation_is_started_and_watched_until_its_version_is_current() {
    let ended = rotated(Pace::of_aws(), script(&[PENDING, PENDING, DONE]), |_| {}).await;
    assert_eq!(ended.result, Ok(Rotated { version: "new".into(), how: How::Started }));
    assert_eq!(ended.calls(), ["rotate new", "describe", "describe", "describe"]);
    assert_eq!(ended.clock.elapsed(), Duration::from_millis(2_000 + 3_000 + 4_500));
    assert_eq!(ended.cost, Cost { waiting: ended.clock.elapsed(), calls: 4 });
}

#[tokio::test]
async fn one_that_an_earlier_process_finished_is_not_started_again() {
    let look = |request: &mut Request| request.look_first = true;
    let ended = rotated(Pace::of_aws(), script(&[DONE]), look).await;
    assert_eq!(ended.result, Ok(Rotated { version: "new".into(), how: How::FoundDone }));
    assert_eq!(ended.calls(), ["describe"]);
    let earlier = |request: &mut Request| {
        request.look_first = true;
        (request.token, request.earlier) = ("newer".into(), vec!["new".into()]);
    };
    let ended = rotated(Pace::of_aws(), script(&[DONE]), earlier).await;
    assert_eq!(ended.calls(), ["describe"]);
    assert_eq!(ended.result.map(|done| done.version), Ok("new".into()));
}

#[tokio::test]
async fn one_that_an_earlier_process_started_goes_on_under_the_same_token() {
    let look = |request: &mut Request| request.look_first = true;
    for before in [PENDING, OLD] {
        let ended = rotated(Pace::of_local(), script(&[before, DONE]), look).await;
        assert_eq!(ended.result.as_ref().map(|done| done.how), Ok(How::Started));
        assert_eq!(ended.calls(), ["describe", "rotate new", "describe"]);
    }
}

#[tokio::test]
async fn somebody_elses_rotation_is_watched_to_its_end() {
    let refusal = Some(("InvalidRequestException", AwsErrorKind::Other));
    let script = Script { refusal, ..script(&[OTHER, OTHER, OTHER_DONE]) };
    let ended = rotated(Pace::of_aws(), script, |_| {}).await;
    assert_eq!(ended.result, Ok(Rotated { version: "other".into(), how: How::TakenOver }));
    assert_eq!(ended.warnings, 1);
}

#[tokio::test]
async fn the_trial_of_a_schedule_gives_way_to_the_rotation_that_was_asked_for() {
    let refusal = Some(("InvalidRequestException", AwsErrorKind::Other));
    // Seen as a pending version that goes away again.
    let seen = Script { refusal, refusals: Some(1), ..script(&[OTHER, OTHER, OLD, DONE]) };
    let ended = rotated(Pace::of_aws(), seen, |_| {}).await;
    assert_eq!(ended.result, Ok(Rotated { version: "new".into(), how: How::Started }));
    assert_eq!(ended.calls(), ["rotate new", "describe", "describe", "describe", "rotate new", "describe"]);
    // Not seen at all.
    let unseen = Script { refusal, refusals: Some(2), ..script(&[OLD, OLD, DONE]) };
    let ended = rotated(Pace::of_aws(), unseen, |_| {}).await;
    assert_eq!(ended.result, Ok(Rotated { version: "new".into(), how: How::Started }));
    assert_eq!(ended.warnings, 0);
}

#[tokio::test]
async fn a_refusal_with_nothing_under_way_is_a_failure() {
    let refusal = Some(("InvalidRequestException", AwsErrorKind::Other));
    let ended = rotated(Pace::of_aws(), Script { refusal, ..script(&[OLD]) }, |_| {}).await;
    assert!(matches!(ended.result, Err(RotateError::Aws { .. })), "{:?}", ended.result);
    let passed = ended.clock.elapsed();
    assert!((180..210).contains(&passed.as_secs()), "{passed:?}");
    let denied = Some(("AccessDeniedException", AwsErrorKind::AccessDenied));
    let ended = rotated(Pace::of_aws(), Script { refusal: denied, ..script(&[OTHER]) }, |_| {}).await;
    assert!(matches!(ended.result, Err(RotateError::Aws { .. })), "{:?}", ended.result);
}

#[tokio::test]
async fn a_tenant_without_a_secret_is_not_deployed() {
    let refusal = Some(("ResourceNotFoundException", AwsErrorKind::NotFound));
    let ended = rotated(Pace::of_aws(), Script { refusal, ..Script::default() }, |_| {}).await;
    let error = ended.result.expect_err("a failure");
    assert_eq!(error.help().as_deref(), Some("run `generator deploy --tenant demo`"));
}

#[tokio::test]
async fn the_functions_own_error_is_the_reason() {
    let script = Script { lines: failure("new"), ..script(&[PENDING]) };
    let ended = rotated(Pace::of_local(), script, |_| {}).await;
    let error = ended.result.expect_err("a failure");
    assert_eq!(error.to_string(), "the rotation of `s` failed: key group `g` does not exist");
    assert!(error.help().is_some_and(|help| help.contains("`/aws/lambda/f`")));
    assert!(ended.clock.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn on_aws_a_failed_rotation_may_still_come_right() {
    let mut coming = vec![PENDING; 8];
    coming.push(DONE);
    let ended = rotated(Pace::of_aws(), Script { lines: failure("new"), ..script(&coming) }, |_| {}).await;
    assert_eq!(ended.result.map(|done| done.version), Ok("new".into()));
    assert_eq!(ended.warnings, 1, "the same reason is told once");

    let ended = rotated(Pace::of_aws(), Script { lines: failure("new"), ..script(&[PENDING]) }, |_| {}).await;
    assert!(matches!(ended.result, Err(RotateError::Failed { .. })));
    let passed = ended.clock.elapsed();
    assert!((600..720).contains(&passed.as_secs()), "{passed:?}");
}

#[tokio::test]
async fn a_version_that_lost_its_label_ends_the_watch_with_the_reason_where_there_is_one() {
    let script_with = |lines| Script { lines, ..script(&[PENDING, OLD]) };
    let ended = rotated(Pace::of_aws(), script_with(failure("new")), |_| {}).await;
    assert!(matches!(ended.result, Err(RotateError::Failed { .. })), "{:?}", ended.result);
    let ended = rotated(Pace::of_aws(), script_with(vec![]), |_| {}).await;
    assert!(matches!(ended.result, Err(RotateError::GivenUp { .. })), "{:?}", ended.result);
}

#[tokio::test]
async fn no_wait_is_without_an_end() {
    let ended = rotated(Pace::of_local(), script(&[PENDING]), |_| {}).await;
    let error = ended.result.expect_err("a failure");
    assert_eq!(error.to_string(), "the rotation of `s` is not done after 300 s");
}
