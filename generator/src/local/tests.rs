//! The local cloud as a whole: installed, started, used by the SDK, stopped. The first run installs it.

use std::env;
use std::fs;
use std::process::{self, Command};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::types::{Parameter, StackStatus};
use aws_sdk_secretsmanager::config::Credentials;
use etcetera::BaseStrategy;

use super::*;

mod packages;
mod rotation;
mod running;
mod stacks;

/// The cache that the tool itself uses, so that nothing is installed twice.
fn cache() -> Cache {
    let root = env::var_os("GENERATOR_CACHE_DIR").map(PathBuf::from).unwrap_or_else(|| {
        etcetera::choose_base_strategy().expect("a home folder").cache_dir().join("generator")
    });
    Cache::new(root)
}

/// An instance of a test's own that is stopped and removed however the test ends.
struct Fresh {
    cache: Cache,
    name: String,
}

impl Fresh {
    fn new(purpose: &str) -> Self {
        Self { cache: cache(), name: format!("test-{purpose}-{}", process::id()) }
    }

    fn up(&self) -> LocalCloud {
        up(&self.cache, &self.name, &|_| {}).expect("a local cloud")
    }

    fn folder(&self) -> PathBuf {
        self.cache.root().join("local").join(&self.name)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = down(&self.cache, &self.name);
        let _ = fs::remove_dir_all(self.folder());
    }
}

async fn sdk(cloud: &LocalCloud) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(&cloud.endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "local"))
        .load()
        .await
}

/// Creates a stack and waits for its last status; the reasons of its failed events come with it.
async fn create_stack(
    config: &SdkConfig,
    name: &str,
    template: &str,
    parameters: &[(&str, &str)],
) -> (StackStatus, String) {
    let client = aws_sdk_cloudformation::Client::new(config);
    let parameters = parameters
        .iter()
        .map(|(key, value)| Parameter::builder().parameter_key(*key).parameter_value(*value).build());
    client
        .create_stack()
        .stack_name(name)
        .template_body(template)
        .set_parameters(Some(parameters.collect()))
        .send()
        .await
        .expect("an accepted stack");
    settled(&client, name).await
}

async fn settled(client: &aws_sdk_cloudformation::Client, name: &str) -> (StackStatus, String) {
    let id = client.describe_stacks().stack_name(name).send().await.expect("the stack").stacks()[0]
        .stack_id()
        .expect("an id")
        .to_owned();
    let status = until("the stack settles", async || {
        let answer = client.describe_stacks().stack_name(&id).send().await.expect("the stack");
        let status = answer.stacks()[0].stack_status().expect("a status").clone();
        (!status.as_str().ends_with("_IN_PROGRESS")).then_some(status)
    })
    .await;
    let events = client.describe_stack_events().stack_name(&id).send().await.expect("events");
    let reasons = events.stack_events().iter().filter_map(|event| event.resource_status_reason());
    (status, reasons.collect::<Vec<_>>().join("\n"))
}

/// Asks again and again until there is an answer, for 30 s at most.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited 30 s until {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Processes whose command line names the instance's folder.
fn processes_of(fresh: &Fresh) -> Vec<String> {
    let output = Command::new("ps").args(["-eo", "pid,command"]).output().expect("ps");
    let folder = fresh.folder().to_string_lossy().into_owned();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| line.contains(&folder)).map(str::to_owned).collect()
}
