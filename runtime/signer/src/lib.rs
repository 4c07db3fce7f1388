//! Lambda@Edge viewer-request function that trades a Cognito access token for CloudFront signed cookies.
//!
//! It runs in Lambda's Node.js as an addon: the edge takes no native runtime. This file holds what Node
//! calls and nothing else. A request on a warm process is one synchronous call; where the network is needed
//! the work goes to Node's own thread pool.
//!
//! The release build aborts on a panic, so no code of this crate may panic: no indexing, no `unwrap`, no
//! arithmetic that can overflow on what a viewer sends. In builds that unwind, a panic is caught here and
//! answered with status 500.

pub mod aws;
pub mod cache;
pub mod clock;
pub mod event;
pub mod handler;
pub mod journal;
pub mod jwks;
pub mod keys;
pub mod refusal;
pub mod response;
pub mod settings;
pub mod sigv4;
pub mod slot;
pub mod state;
pub mod tls;
pub mod token;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use napi::bindgen_prelude::{AsyncTask, Either};
use napi::{Env, Task};
use napi_derive::napi;

use crate::clock::Moment;
use crate::refusal::Refusal;
use crate::response::Response;
use crate::settings::Settings;
use crate::state::State;

/// Answers a viewer-request event, given as [`event::Request::parse`] reads it and answered as JSON text: at
/// once on a warm process, else as a promise. Never throws.
#[napi]
pub fn handle(event: String) -> Either<String, AsyncTask<Reading>> {
    let answered = catch_unwind(AssertUnwindSafe(|| state().answer_at_once(&event, Moment::now())));
    match answered.unwrap_or_else(|_| Some(internal())) {
        Some(response) => Either::A(response.to_json()),
        None => Either::B(AsyncTask::new(Reading { event: Some(event) })),
    }
}

/// Reads configuration and keys while Lambda starts the process, which it does at a higher speed than it
/// runs requests. Never throws: what fails here is tried again by a later request.
#[napi]
pub fn prepare() -> AsyncTask<Reading> {
    AsyncTask::new(Reading { event: None })
}

/// Work that waits for the network.
pub struct Reading {
    event: Option<String>,
}

impl Task for Reading {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        let answered = catch_unwind(AssertUnwindSafe(|| match &self.event {
            Some(event) => state().answer_after_reading(event, Moment::now()).to_json(),
            None => {
                state().prepare(Moment::now());
                String::new()
            }
        }));
        Ok(answered.unwrap_or_else(|_| internal().to_json()))
    }

    fn resolve(&mut self, _: Env, output: String) -> napi::Result<String> {
        Ok(output)
    }
}

fn state() -> &'static Arc<State> {
    static STATE: OnceLock<Arc<State>> = OnceLock::new();
    STATE.get_or_init(|| Arc::new(State::new(&Settings::from_environment(), Box::new(journal::write))))
}

fn internal() -> Arc<Response> {
    Arc::new(Refusal::Internal.response(&[]))
}
