//! The events that the function serves, told apart and read.

use contract::keyring_resource::KeyringProperties;
use contract::revocation::RevokeRequest;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::ports::RotationToken;
use crate::response::Owed;
use crate::steps::{Request, Step};

/// An event of one of the two services, or of a person.
pub enum Event {
    /// CloudFormation's, for the custom resource.
    Resource(Box<ResourceEvent>),
    /// Secrets Manager's, for one step of a rotation.
    Rotation(Request),
    /// A person's, who revokes all keys.
    Revocation(RevokeRequest),
}

/// A request of CloudFormation.
pub struct ResourceEvent {
    /// What it asks for.
    pub kind: ResourceKind,
    /// The answer that is owed for it.
    pub owed: Owed,
    /// Properties of the resource, or why they cannot be read.
    pub properties: Result<KeyringProperties, String>,
}

/// What CloudFormation asks for.
pub enum ResourceKind {
    /// Make the resource.
    Create,
    /// Bring it to new properties.
    Update,
    /// Remove it.
    Delete,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawResource {
    request_type: RequestType,
    #[serde(flatten)]
    owed: Owed,
    resource_properties: Value,
}

#[derive(Deserialize)]
enum RequestType {
    Create,
    Update,
    Delete,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRotation {
    step: RawStep,
    secret_id: String,
    client_request_token: String,
    #[serde(default)]
    rotation_token: Option<RotationToken>,
}

/// Both spellings that the documentation of Secrets Manager has.
#[derive(Deserialize)]
enum RawStep {
    #[serde(rename = "createSecret", alias = "create_secret")]
    Create,
    #[serde(rename = "setSecret", alias = "set_secret")]
    Set,
    #[serde(rename = "testSecret", alias = "test_secret")]
    Test,
    #[serde(rename = "finishSecret", alias = "finish_secret")]
    Finish,
}

impl Event {
    /// Reads an event. A step of a rotation may wait until `deadline`, in seconds since the epoch.
    ///
    /// # Errors
    /// It is of no kind, or lacks what it must have. The message repeats nothing of the event, which
    /// holds the address that an answer may be sent to, and the rotation's proof.
    pub fn read(event: Value, deadline: u64) -> Result<Self, Error> {
        if event.get("RequestType").is_some() {
            let raw: RawResource = serde_json::from_value(event)
                .map_err(|_| Error::Event("a request of CloudFormation that lacks a field".into()))?;
            let kind = match raw.request_type {
                RequestType::Create => ResourceKind::Create,
                RequestType::Update => ResourceKind::Update,
                RequestType::Delete => ResourceKind::Delete,
            };
            let properties = serde_json::from_value(raw.resource_properties)
                .map_err(|cause| format!("properties of the resource: {cause}"));
            Ok(Self::Resource(Box::new(ResourceEvent { kind, owed: raw.owed, properties })))
        } else if event.get("Step").is_some() {
            let raw: RawRotation = serde_json::from_value(event)
                .map_err(|_| Error::Event("a rotation step that is unknown or lacks a field".into()))?;
            let step = match raw.step {
                RawStep::Create => Step::Create,
                RawStep::Set => Step::Set,
                RawStep::Test => Step::Test,
                RawStep::Finish => Step::Finish,
            };
            Ok(Self::Rotation(Request {
                step,
                secret: raw.secret_id,
                token: raw.client_request_token,
                rotation_token: raw.rotation_token,
                deadline,
            }))
        } else if event.get("action").is_some() {
            let request = serde_json::from_value(event);
            request.map(Self::Revocation).map_err(|cause| Error::Event(format!("a revocation: {cause}")))
        } else {
            Err(Error::Event("it has none of `RequestType`, `Step` and `action`".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(name: &str) -> Result<Event, Error> {
        Event::read(json!({"Step": name, "SecretId": "arn:s", "ClientRequestToken": "t"}), 9)
    }

    #[test]
    fn both_spellings_of_every_step_are_read() {
        let spellings = [
            (["createSecret", "create_secret"], Step::Create),
            (["setSecret", "set_secret"], Step::Set),
            (["testSecret", "test_secret"], Step::Test),
            (["finishSecret", "finish_secret"], Step::Finish),
        ];
        for (names, expected) in spellings {
            for name in names {
                match step(name) {
                    Ok(Event::Rotation(request)) => assert_eq!(request.step, expected, "{name}"),
                    _ => panic!("`{name}` is not read as a rotation step"),
                }
            }
        }
        assert!(step("rotateSecret").is_err());
    }

    #[test]
    fn a_resource_with_wrong_properties_can_still_be_answered() {
        let event = json!({
            "RequestType": "Create", "ResponseURL": "https://example.com/?sig=s", "StackId": "st",
            "RequestId": "r", "LogicalResourceId": "Keyring", "ResourceType": "Custom::SigningKeyring",
            "ServiceToken": "arn:f", "ResourceProperties": {"Tenant": "demo"},
        });
        match Event::read(event, 0) {
            Ok(Event::Resource(resource)) => {
                let why = resource.properties.expect_err("properties that lack a field");
                assert!(why.contains("Organisation"), "{why}");
            }
            _ => panic!("not read as a request of CloudFormation"),
        }
    }

    #[test]
    fn an_event_that_is_not_understood_is_not_repeated() {
        let unknown = Event::read(json!({"RequestType": "Create", "ResponseURL": "https://SECRET"}), 0);
        let text = unknown.err().map(|error| error.to_string()).expect("an error");
        assert!(!text.contains("SECRET"), "{text}");
    }
}
