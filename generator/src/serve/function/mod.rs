//! The viewer-request function: the deployed zip, run by the Node that Lambda uses.

mod process;
mod rules;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};

use self::process::{Failed, Instances, Launch};
use self::rules::is_disallowed;
pub(super) use self::rules::{Decision, read};
use super::error::ServeError;
use super::viewer::Viewer;
use crate::clock::Clock;

/// Where functions run, the same for all of them.
#[derive(Debug, Clone)]
pub(super) struct Workshop {
    /// The program `node`.
    pub(super) node: PathBuf,
    /// Folder for unpacked zips and logs.
    pub(super) folder: PathBuf,
    /// Endpoint of the local cloud.
    pub(super) endpoint: String,
    /// Account of the local cloud: also its access key.
    pub(super) account: String,
    /// Clock.
    pub(super) clock: Arc<dyn Clock>,
    /// Longest life of an instance.
    pub(super) life: Option<Duration>,
}

/// A deployed version of a function.
#[derive(Debug)]
pub(super) struct Function {
    instances: Instances,
}

/// Why a function did not decide, in CloudFront's words for its log and its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// It threw, ended, or took too long: 503.
    Execution(String),
    /// What it returned breaks a rule: 502.
    Validation(String),
}

impl Function {
    /// The function with the versioned ARN `arn`, whose code is `zip`. Started with the first request.
    ///
    /// # Errors
    /// A zip or folder that cannot be used.
    pub(super) fn new(workshop: &Workshop, arn: &str, key: &str, zip: Vec<u8>) -> Result<Self, ServeError> {
        let mut parts = arn.rsplit(':');
        let (version, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let code = workshop.folder.join("code").join(digest(&zip));
        unpack(key, zip, &code)?;
        let logs = workshop.folder.join("logs");
        std::fs::create_dir_all(&logs).map_err(ServeError::io("create", &logs))?;
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let variables = vec![
            // A replica, as at the edge.
            variable("AWS_LAMBDA_FUNCTION_NAME", &format!("us-east-1.{name}")),
            variable("AWS_LAMBDA_FUNCTION_VERSION", version),
            variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            variable("AWS_REGION", "us-east-1"),
            variable("AWS_ACCESS_KEY_ID", &workshop.account),
            variable("AWS_SECRET_ACCESS_KEY", "local"),
            variable("AWS_SESSION_TOKEN", "local"),
            variable("AWS_ENDPOINT_URL", &workshop.endpoint),
        ];
        let launch = Launch {
            node: workshop.node.clone(),
            runtime: process::runtime(&workshop.folder)?,
            code,
            variables,
            log: logs.join(format!("{name}.log")),
        };
        Ok(Self { instances: Instances::new(launch, Arc::clone(&workshop.clock), workshop.life) })
    }

    /// Shows the function a request.
    ///
    /// # Errors
    /// Where it does not decide as CloudFront wants it.
    pub(super) async fn decide(
        &self,
        viewer: &Viewer,
        distribution: &Names<'_>,
        id: &str,
    ) -> Result<Decision, Broken> {
        let event = event(viewer, distribution, id);
        let answer = self.instances.answer(&event).await;
        let answer = answer.map_err(|failed| match failed {
            Failed::Crashed(reason) => Broken::Execution(reason),
            Failed::TimedOut => Broken::Execution("it took longer than 5 s".into()),
        })?;
        read(&answer, &event["Records"][0]["cf"]["request"]).map_err(Broken::Validation)
    }
}

/// What an event says of the distribution.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    /// Host name that CloudFront gave it.
    pub(super) domain: &'a str,
    /// Id.
    pub(super) id: &'a str,
    /// Host name that the viewer asked for.
    pub(super) host: &'a str,
}

/// Source: AmazonCloudFront/latest/DeveloperGuide/lambda-event-structure.
fn event(viewer: &Viewer, distribution: &Names<'_>, id: &str) -> Value {
    let mut headers = headers(&viewer.headers, distribution.host);
    if viewer.origin().is_some_and(|origin| is_of(origin, &viewer.host)) {
        // A page of the same host: for the function it has the host that this one stands for.
        headers["origin"][0]["value"] = format!("https://{}", distribution.host).into();
    }
    json!({ "Records": [{ "cf": {
        "config": {
            "distributionDomainName": distribution.domain,
            "distributionId": distribution.id,
            "eventType": "viewer-request",
            "requestId": id,
        },
        "request": {
            "clientIp": viewer.address.to_string(),
            "headers": headers,
            "method": viewer.method.as_str(),
            "querystring": viewer.query.as_deref().unwrap_or_default(),
            "uri": viewer.path,
        },
    } }] })
}

fn is_of(origin: &str, host: &str) -> bool {
    let named = origin.strip_prefix("https://").unwrap_or_default();
    named.split(':').next() == Some(host)
}

fn headers(headers: &HeaderMap, host: &str) -> Value {
    let mut by_name = json!({ "host": [{ "key": "Host", "value": host }] });
    for name in headers.keys().filter(|name| *name != http::header::HOST && !is_disallowed(name.as_str())) {
        let values: Vec<Value> = headers
            .get_all(name)
            .iter()
            .map(|value| json!({ "key": name.as_str(), "value": String::from_utf8_lossy(value.as_bytes()) }))
            .collect();
        by_name[name.as_str()] = Value::Array(values);
    }
    by_name
}

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

/// Unpacks a zip into a folder of its digest, where that is not done yet.
fn unpack(key: &str, zip: Vec<u8>, folder: &Path) -> Result<(), ServeError> {
    if folder.is_dir() {
        return Ok(());
    }
    let refused = |reason: String| ServeError::Zip { key: key.to_owned(), reason };
    // Under another name first, so that a folder that is there is whole.
    let parent = folder.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(ServeError::io("create", parent))?;
    let partial = folder.with_extension(format!("partial-{}", std::process::id()));
    let archive = zip::ZipArchive::new(std::io::Cursor::new(zip));
    let unpacked = archive.and_then(|mut archive| archive.extract(&partial));
    unpacked.map_err(|error| refused(error.to_string()))?;
    if std::fs::rename(&partial, folder).is_err() && !folder.is_dir() {
        return Err(refused(format!("it cannot be moved to `{}`", folder.display())));
    }
    Ok(())
}
