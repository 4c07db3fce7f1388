//! The peers, at work on the same templates and values.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use generator::local::{self, Cache, Judges};
use generator::render::{ArtifactFact, ParameterSource, RenderedStack, RenderedTenant, StackId};
use serde_json::{Value, json};

use super::Failed;

const SCEPTRE: &str = "4.7.0";
const REGION: &str = "us-east-1";

/// What stands in the cloud that parameters take their values from.
pub(crate) struct Deployed {
    cloud: generator::aws::Cloud,
    runtime: tokio::runtime::Runtime,
}

impl Deployed {
    pub(crate) fn read(endpoint: &str) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Runtime::new()?;
        let settings = generator::aws::CloudSettings {
            endpoint_url: Some(endpoint.to_owned()),
            local: true,
            ..generator::aws::CloudSettings::default()
        };
        let clock = std::sync::Arc::new(generator::clock::SystemClock::start());
        let cloud = runtime.block_on(generator::aws::Cloud::connect(&settings, clock))?;
        Ok(Self { cloud, runtime })
    }

    fn stack(&self, name: &str) -> Result<Option<generator::aws::cloudformation::Stack>, Failed> {
        let cloudformation = generator::aws::Peers::cloudformation(&self.cloud, REGION);
        Ok(self.runtime.block_on(cloudformation.stack(name))?)
    }

    /// The values of a stack's parameters: outputs of the other stack as far as it stands, facts of the runtimes as
    /// the warm tenant has them.
    fn values(
        &self,
        tenant: &RenderedTenant,
        stack: &RenderedStack,
    ) -> Result<BTreeMap<String, String>, Failed> {
        let mut values = BTreeMap::new();
        for parameter in &stack.parameters {
            let value = match &parameter.source {
                ParameterSource::Output { stack: from, output }
                | ParameterSource::LaterOutput { stack: from, output } => {
                    let name = &tenant.stack(*from).ok_or("no such stack")?.name;
                    self.stack(name)?.and_then(|found| found.outputs.get(output).cloned()).unwrap_or_default()
                }
                ParameterSource::Artifact { fact, .. } => {
                    let warm = self.stack("example-warm-edge")?.ok_or("the warm tenant is gone")?;
                    let value = warm.parameters.get(&parameter.name).cloned();
                    value.ok_or_else(|| format!("no `{}` ({})", parameter.name, fact_name(*fact)))?
                }
            };
            values.insert(parameter.name.clone(), value);
        }
        Ok(values)
    }
}

fn fact_name(fact: ArtifactFact) -> &'static str {
    match fact {
        ArtifactFact::Bucket => "bucket",
        ArtifactFact::Key => "key",
        ArtifactFact::CodeSha256 => "digest",
    }
}

/// Someone who deploys stacks.
pub(crate) trait Peer {
    /// Writes the files that it reads, before its time counts.
    fn prepare(&self, tenants: &[RenderedTenant], deployed: &Deployed) -> Result<(), Failed>;
    /// Deploys one stack of each tenant, files included.
    fn deploy(&self, tenants: &[RenderedTenant], stack: StackId, deployed: &Deployed) -> Result<(), Failed>;
    /// Deploys both stacks of each tenant from the files that are there.
    fn deploy_all(&self, tenants: &[RenderedTenant], deployed: &Deployed) -> Result<(), Failed>;
}

/// `aws cloudformation deploy`.
pub(crate) struct AwsCli {
    judges: Judges,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl AwsCli {
    pub(crate) fn new(cache: &Path, endpoint: &str) -> Result<Self, Failed> {
        let judges = local::judges(&Cache::new(cache), &|_| {})?;
        Ok(Self { judges, endpoint: endpoint.to_owned(), folder: tempfile::tempdir()? })
    }

    fn write(
        &self,
        tenant: &RenderedTenant,
        stack: &RenderedStack,
        deployed: &Deployed,
    ) -> Result<(), Failed> {
        fs::write(self.folder.path().join(&stack.name), &stack.template)?;
        let values = deployed.values(tenant, stack)?;
        let overrides: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok(fs::write(self.folder.path().join(format!("{}.json", stack.name)), json!(overrides).to_string())?)
    }

    fn run(&self, stack: &RenderedStack) -> Result<(), Failed> {
        let mut command = self.judges.aws();
        command.args(["cloudformation", "deploy", "--no-fail-on-empty-changeset", "--region", REGION]);
        command.args(["--endpoint-url", &self.endpoint, "--stack-name", &stack.name, "--template-file"]);
        command.arg(self.folder.path().join(&stack.name));
        command.args(["--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides"]);
        command.arg(format!("file://{}", self.folder.path().join(format!("{}.json", stack.name)).display()));
        command.arg("--tags").args(stack.tags.iter().map(|(key, value)| format!("{key}={value}")));
        finished(&mut command)
    }
}

impl Peer for AwsCli {
    fn prepare(&self, tenants: &[RenderedTenant], deployed: &Deployed) -> Result<(), Failed> {
        for tenant in tenants {
            tenant.stacks.iter().try_for_each(|stack| self.write(tenant, stack, deployed))?;
        }
        Ok(())
    }

    fn deploy(&self, tenants: &[RenderedTenant], stack: StackId, deployed: &Deployed) -> Result<(), Failed> {
        for tenant in tenants {
            let stack = tenant.stack(stack).ok_or("no such stack")?;
            self.write(tenant, stack, deployed)?;
            self.run(stack)?;
        }
        Ok(())
    }

    fn deploy_all(&self, tenants: &[RenderedTenant], _: &Deployed) -> Result<(), Failed> {
        tenants.iter().flat_map(|tenant| &tenant.stacks).try_for_each(|stack| self.run(stack))
    }
}

/// Sceptre's `launch` of a group of stacks.
pub(crate) struct Sceptre {
    program: PathBuf,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Sceptre {
    pub(crate) fn new(cache: &Path, endpoint: &str) -> Result<Self, Failed> {
        let environment = cache.join("python").join(format!("sceptre-{SCEPTRE}"));
        let program = environment.join("bin/sceptre");
        if !program.is_file() {
            finished(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            let mut install = Command::new(environment.join("bin/python"));
            finished(install.args(pip).arg(format!("sceptre=={SCEPTRE}")))?;
        }
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("config"))?;
        fs::create_dir_all(folder.path().join("templates"))?;
        let group = json!({ "project_code": "bench", "region": REGION });
        fs::write(folder.path().join("config/config.yaml"), group.to_string())?;
        Ok(Self { program, endpoint: endpoint.to_owned(), folder })
    }

    fn write(
        &self,
        group: &str,
        tenant: &RenderedTenant,
        stack: &RenderedStack,
        deployed: &Deployed,
    ) -> Result<(), Failed> {
        fs::create_dir_all(self.folder.path().join("config").join(group))?;
        let template = format!("{}.yaml", stack.name);
        fs::write(self.folder.path().join("templates").join(&template), &stack.template)?;
        let values: BTreeMap<String, Value> =
            deployed.values(tenant, stack)?.into_iter().map(|(name, value)| (name, value.into())).collect();
        // JSON is YAML.
        let config = json!({
            "template": { "path": template, "type": "file" },
            "stack_name": stack.name,
            "parameters": values,
            "stack_tags": stack.tags,
        });
        let path = self.folder.path().join("config").join(group).join(format!("{}.yaml", stack.name));
        Ok(fs::write(path, config.to_string())?)
    }

    fn launch(&self, group: &str) -> Result<(), Failed> {
        let mut command = Command::new(&self.program);
        command.arg("--dir").arg(self.folder.path()).args(["launch", "--yes", group]);
        command
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", generator::aws::LOCAL_ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_DEFAULT_REGION", REGION);
        finished(&mut command)
    }

    /// A new group, so that `launch` takes these stacks and no others.
    fn clear(&self, group: &str) -> Result<(), Failed> {
        let folder = self.folder.path().join("config").join(group);
        if folder.is_dir() {
            fs::remove_dir_all(folder)?;
        }
        Ok(())
    }
}

impl Peer for Sceptre {
    fn prepare(&self, tenants: &[RenderedTenant], deployed: &Deployed) -> Result<(), Failed> {
        self.clear("all")?;
        for tenant in tenants {
            tenant.stacks.iter().try_for_each(|stack| self.write("all", tenant, stack, deployed))?;
        }
        Ok(())
    }

    fn deploy(&self, tenants: &[RenderedTenant], stack: StackId, deployed: &Deployed) -> Result<(), Failed> {
        self.clear("one")?;
        for tenant in tenants {
            let stack = tenant.stack(stack).ok_or("no such stack")?;
            self.write("one", tenant, stack, deployed)?;
        }
        self.launch("one")
    }

    fn deploy_all(&self, _: &[RenderedTenant], _: &Deployed) -> Result<(), Failed> {
        self.launch("all")
    }
}

/// Runs a command to a good end.
fn finished(command: &mut Command) -> Result<(), Failed> {
    let output = command
        .env("AWS_ACCESS_KEY_ID", generator::aws::LOCAL_ACCOUNT)
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let end: Vec<_> = said.lines().rev().take(8).collect();
    Err(format!("{command:?} failed: {}", end.join("\n")).into())
}
