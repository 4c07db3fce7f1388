//! The answer that CloudFormation waits for: a `PUT` to an address that came with the request.
//!
//! A request that is never answered holds the stack up for an hour, so an answer is sent whatever happens:
//! also when time runs out, and when the code panics.

use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use contract::keyring_resource::KEY_GROUP_ID;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;

/// Longest reason sent, in bytes. CloudFormation takes answers of 4,096 bytes in all, and JSON may write a
/// byte as six.
const REASON_MAX: usize = 512;

/// Attempts at delivering an answer.
const ATTEMPTS: u32 = 5;

/// Longest time that one attempt may take.
const ATTEMPT_TIME: Duration = Duration::from_secs(3);

/// Pause after the first attempt; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// An answer that is owed to CloudFormation. Whoever knows the address can answer, so it is shown nowhere.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Owed {
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    /// Id of the request, the same when it is delivered again.
    pub request_id: String,
    logical_resource_id: String,
    /// Id of the resource; none on creation.
    #[serde(default)]
    pub physical_resource_id: Option<String>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The resource stands: id of its key group.
    Standing(String),
    /// The resource is gone.
    Gone,
    /// It was not done.
    Failed {
        /// What a person reads in the stack's events.
        reason: String,
        /// Id by which CloudFormation asks for removal later, where the resource had none yet.
        physical_id: String,
    },
}

impl Owed {
    /// The document to send.
    fn document(&self, answer: &Answer) -> Value {
        let known = self.physical_resource_id.as_deref();
        let (status, reason, physical, data) = match answer {
            Answer::Standing(id) => ("SUCCESS", "", id.as_str(), json!({KEY_GROUP_ID: id})),
            Answer::Gone => ("SUCCESS", "", known.unwrap_or("gone"), json!({})),
            Answer::Failed { reason, physical_id } => {
                let end = reason.floor_char_boundary(REASON_MAX);
                ("FAILED", &reason[..end], known.unwrap_or(physical_id), json!({}))
            }
        };
        json!({
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": physical,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
            "Data": data,
        })
    }

    /// Sends the answer, several times where that fails. Blocks for at most about 20 seconds.
    ///
    /// # Errors
    /// No attempt succeeded.
    pub fn send(&self, answer: &Answer) -> Result<(), Error> {
        let body = self.document(answer).to_string();
        let config = ureq::Agent::config_builder().timeout_global(Some(ATTEMPT_TIME)).build();
        let agent = ureq::Agent::new_with_config(config);
        let mut pause = PAUSE;
        for attempt in 1..=ATTEMPTS {
            // The address is signed for a request without a content type: none is sent.
            let why = match agent.put(&self.response_url).send(body.as_bytes()) {
                Ok(_) => return Ok(()),
                Err(ureq::Error::StatusCode(status)) => format!("status {status}"),
                // Other errors may repeat the address.
                Err(_) => "no connection".to_owned(),
            };
            if attempt == ATTEMPTS {
                return Err(Error::Unanswered(why));
            }
            thread::sleep(pause);
            pause *= 2;
        }
        Ok(())
    }
}

/// The answer that is owed while a request is being served.
static OWED: Mutex<Option<(Owed, String)>> = Mutex::new(None);

/// From here on a panic is answered with a failure. `physical_id` as in [`Answer::Failed`].
pub fn owe(owed: &Owed, physical_id: &str) {
    *OWED.lock().unwrap_or_else(PoisonError::into_inner) = Some((owed.clone(), physical_id.to_owned()));
}

/// Nothing is owed any more.
pub fn settle() {
    take();
}

fn take() -> Option<(Owed, String)> {
    OWED.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Answers a failure where the code panics while an answer is owed. A hook, because a build that aborts on
/// panic unwinds nothing that could be caught.
pub fn answer_panics() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        print(panic);
        if let Some((owed, physical_id)) = take() {
            let reason = "the rotator panicked; its log says where".to_owned();
            // Nobody is left to tell of a failure to answer.
            let _ = owed.send(&Answer::Failed { reason, physical_id });
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owed(physical: Option<&str>) -> Owed {
        Owed {
            response_url: "http://127.0.0.1:9/".into(),
            stack_id: "arn:stack".into(),
            request_id: "r".into(),
            logical_resource_id: "Keyring".into(),
            physical_resource_id: physical.map(str::to_owned),
        }
    }

    #[test]
    fn success_gives_the_group_as_physical_id_and_attribute() {
        let document = owed(None).document(&Answer::Standing("group-1".into()));
        assert_eq!(document["Status"], "SUCCESS");
        assert_eq!(document["PhysicalResourceId"], "group-1");
        assert_eq!(document["Data"]["KeyGroupId"], "group-1");
    }

    #[test]
    fn a_failed_update_keeps_the_physical_id() {
        let failed = Answer::Failed { reason: "r".into(), physical_id: "new".into() };
        assert_eq!(owed(Some("group-1")).document(&failed)["PhysicalResourceId"], "group-1");
        assert_eq!(owed(None).document(&failed)["PhysicalResourceId"], "new");
    }

    #[test]
    fn the_longest_reason_fits_into_an_answer() {
        let failed = Answer::Failed { reason: "\u{1}".repeat(5_000), physical_id: "p".repeat(64) };
        assert!(owed(None).document(&failed).to_string().len() < 4_096);
    }
}
