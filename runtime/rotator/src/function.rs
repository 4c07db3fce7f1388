//! One invocation: an event in, the right protocol run, the caller answered in time.

use std::time::{Duration, SystemTime};

use contract::revocation::{RevokeAnswer, RevokeRequest};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tokio::task;
use tokio::time::timeout;

use crate::custom_resource::{self, NOTHING_MADE};
use crate::error::Error;
use crate::event::{Event, ResourceEvent, ResourceKind};
use crate::log;
use crate::ports::World;
use crate::response::{self, Answer};
use crate::revocation;
use crate::steps::{self, Request};
use crate::tenant::{EnvironmentError, Tenant};

/// Time kept back from an invocation's end for the answer.
const RESERVE: Duration = Duration::from_secs(8);

/// Time kept back beyond that by what waits: enough for the round of calls that it is in.
const ROUND: Duration = Duration::from_secs(20);

/// The function between two invocations.
#[derive(Debug)]
pub struct Function<W> {
    world: W,
    tenant: Result<Tenant, EnvironmentError>,
}

impl<W: World> Function<W> {
    /// The function in `world`, with the environment that `variable` reads. A wrong environment is reported
    /// by the first rotation; CloudFormation's requests bring what they need along.
    pub fn new(world: W, variable: impl Fn(&str) -> Option<String>) -> Self {
        Self { world, tenant: Tenant::of_environment(variable) }
    }

    /// Serves one event of whichever caller.
    ///
    /// # Errors
    /// A rotation step was not done, the event is not understood, or CloudFormation could not be answered. A
    /// request of CloudFormation that fails is answered and no error.
    pub async fn serve(&self, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let time = remaining(&event.context);
        let deadline = self.world.now() + time.saturating_sub(ROUND).as_secs();
        let served = match Event::read(event.payload, deadline) {
            Ok(Event::Rotation(request)) => self.rotate(&request, time).await,
            Ok(Event::Resource(event)) => self.serve_resource(*event, time, deadline).await,
            Ok(Event::Revocation(request)) => self.revoke(&request, time).await,
            Err(error) => {
                log::ended("unknown", &Err(error.to_string()));
                Err(error)
            }
        };
        served.map_err(|error| Diagnostic {
            error_type: error.kind().to_owned(),
            error_message: error.to_string(),
        })
    }

    async fn rotate(&self, request: &Request, time: Duration) -> Result<Value, Error> {
        let run =
            async { steps::run(&self.world, self.tenant.as_ref().map_err(Clone::clone)?, request).await };
        let ended = timeout(time, run).await.unwrap_or(Err(Error::OutOfTime));
        let what = format!("{:?} {}", request.step, request.token);
        log::ended(&what, &ended.as_ref().map(|o| format!("{o:?}")).map_err(ToString::to_string));
        ended.map(|outcome| json!({"outcome": format!("{outcome:?}")}))
    }

    async fn revoke(&self, request: &RevokeRequest, time: Duration) -> Result<Value, Error> {
        let run = async {
            let tenant = self.tenant.as_ref().map_err(Clone::clone)?;
            if request.tenant != tenant.name {
                let (own, asked) = (tenant.name.clone(), request.tenant.clone());
                return Err(Error::OtherTenant { own, asked });
            }
            let secret = tenant.names.keyring_secret();
            revocation::revoke(&self.world, tenant, &secret, &request.token).await
        };
        let ended = timeout(time, run).await.unwrap_or(Err(Error::OutOfTime));
        let what = format!("Revoke {}", request.token);
        log::ended(&what, &ended.as_ref().map(Clone::clone).map_err(ToString::to_string));
        ended.map(|key_id| json!(RevokeAnswer { key_id }))
    }

    async fn serve_resource(
        &self,
        event: ResourceEvent,
        time: Duration,
        deadline: u64,
    ) -> Result<Value, Error> {
        let unmade = match &event.properties {
            Ok(properties) => custom_resource::unmade_id(properties),
            Err(_) => NOTHING_MADE.to_owned(),
        };
        response::owe(&event.owed, &unmade);
        let ended = timeout(time, self.answer(&event, deadline)).await.unwrap_or(Err(Error::OutOfTime));
        response::settle();
        let answer = match ended {
            Ok(answer) => answer,
            Err(error) => Answer::Failed { reason: error.to_string(), physical_id: unmade },
        };
        let outcome = match &answer {
            Answer::Failed { reason, .. } => Err(reason.clone()),
            done => Ok(format!("{done:?}")),
        };
        log::ended("CloudFormation", &outcome);
        let sent = task::spawn_blocking(move || event.owed.send(&answer)).await;
        let sent = sent.unwrap_or_else(|_| Err(Error::Unanswered("the sender panicked".to_owned())));
        if let Err(error) = &sent {
            log::ended("answer", &Err(error.to_string()));
        }
        sent.map(|()| Value::Null)
    }

    async fn answer(&self, event: &ResourceEvent, deadline: u64) -> Result<Answer, Error> {
        let physical_id = event.owed.physical_resource_id.as_deref().unwrap_or_default();
        if matches!(event.kind, ResourceKind::Delete) && physical_id == NOTHING_MADE {
            return Ok(Answer::Gone);
        }
        let properties = event.properties.as_ref().map_err(|why| Error::Event(why.clone()))?;
        let tenant = Tenant::of_properties(properties);
        match event.kind {
            ResourceKind::Create | ResourceKind::Update => {
                let secret = &properties.secret_arn;
                let token = &event.owed.request_id;
                let made = custom_resource::establish(&self.world, &tenant, secret, token, deadline).await;
                made.map(Answer::Standing)
            }
            ResourceKind::Delete => {
                custom_resource::remove(&self.world, &tenant, physical_id).await?;
                Ok(Answer::Gone)
            }
        }
    }
}

/// Time that the work may take, so that the answer still fits in.
fn remaining(context: &Context) -> Duration {
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    left.saturating_sub(RESERVE)
}
