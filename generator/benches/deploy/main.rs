//! `cargo bench --bench deploy`: what deploying costs, against the AWS CLI and Sceptre, on the local cloud.
//!
//! All sides deploy the same two templates of one tenant with the same parameters: a first deployment, a change of one
//! setting, and a run in which nothing has changed. The peers get the outputs of one stack that the other needs as
//! plain values, without a call for them, and leave out the second pass over the first stack that ours makes. They
//! are installed from PyPI into the cache folder. Each figure is one run; calls are counted by a proxy, with the pace
//! that the tool keeps on AWS. With `-- --json`, one JSON object a line.

#![expect(clippy::print_stdout, reason = "what a benchmark says goes to stdout")]

mod counter;
mod peers;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark needs a part of it")]
mod support;

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use generator::local::{self, Cache};
use generator::program::media_cdn;
use generator::render::{RenderedTenant, StackId, Templates, render};
use generator::tenant;

use self::counter::Counter;
use self::peers::{Deployed, Peer, Sceptre};
use self::support::{Figure, Report, cache_folder, step, timed};

type Failed = Box<dyn Error>;

/// Tenants of the run in which nothing has changed for any of them.
const MANY: usize = 100;
const ORGANISATION: &str = "example";
/// Most time that ours may take, in times of a peer's.
const TIME_MAX: f64 = 0.5;
const MANY_MAX: f64 = 0.1;
const CALLS_MAX: f64 = 1.0;

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "child") {
        return child(arguments.skip(1).collect());
    }
    let flags: Vec<_> = arguments.collect();
    let bench = Bench::start()?;
    let measured = bench.measure();
    bench.end();
    let report = measured?;
    println!("{}", report.show(flags.iter().any(|flag| flag == "--json")));
    if report.all_bounds_hold() { Ok(()) } else { Err("a figure is over its bound".into()) }
}

/// The tool itself, in a process of its own.
fn child(arguments: Vec<OsString>) -> Result<(), Failed> {
    let name = OsString::from("generator");
    let code = generator::cli::main(std::iter::once(name).chain(arguments));
    if code == std::process::ExitCode::SUCCESS { Ok(()) } else { Err("it failed".into()) }
}

/// An instance of the local cloud, and the folder with the tenants.
struct Bench {
    cache: PathBuf,
    instance: String,
    folder: tempfile::TempDir,
    endpoint: String,
}

/// One side's times: the first deployment, an update of one setting, nothing to do.
struct Times {
    first: Duration,
    update: Duration,
    noop: Duration,
}

impl Bench {
    fn start() -> Result<Self, Failed> {
        let (cache, folder) = (cache_folder()?, tempfile::tempdir()?);
        let instance = format!("bench-deploy-{}", std::process::id());
        let endpoint = local::up(&Cache::new(&cache), &instance, &|_| {})?.endpoint;
        fs::create_dir(folder.path().join("tenants"))?;
        Ok(Self { cache, instance, folder, endpoint })
    }

    fn end(&self) {
        // What cannot be removed now is in the cache folder, and the next reset finds it.
        let _ = local::reset(&Cache::new(&self.cache), &self.instance);
        let _ = fs::remove_dir_all(self.cache.join("local").join(&self.instance));
    }

    fn measure(&self) -> Result<Report, Failed> {
        let mut report = Report::new("deploy");
        step("ours: the runtimes, then one tenant");
        // Packs the runtimes and makes their bucket, which the peers are given too.
        self.write("warm", 30)?;
        self.ours(&["deploy", "--tenant", "warm"])?;
        let calls = self.calls()?;

        self.write("ours", 30)?;
        let deploy = ["deploy", "--tenant", "ours"];
        let ours = Times {
            first: timed(|| self.ours(&deploy))?,
            update: self.write("ours", 31).and_then(|()| timed(|| self.ours(&deploy)))?,
            noop: timed(|| self.ours(&deploy))?,
        };
        let deployed = Deployed::read(&self.endpoint)?;
        step("the AWS CLI: the same");
        let cli = self.peer("cli", &peers::AwsCli::new(&self.cache, &self.endpoint)?, &deployed)?;
        step("Sceptre: the same");
        let sceptre = Sceptre::new(&self.cache, &self.endpoint)?;
        let theirs = self.peer("sceptre", &sceptre, &deployed)?;
        let aws = "`aws cloudformation deploy`, once for each stack";
        let launch = "Sceptre `launch`";
        let against = |name, ours: Duration, peer: &'static str, theirs: Duration| {
            Figure::seconds(name, ours).against(peer, theirs.as_secs_f64()).at_most(TIME_MAX)
        };
        report.add(against("first_vs_aws_cli", ours.first, aws, cli.first));
        report.add(against("first_vs_sceptre", ours.first, launch, theirs.first));
        report.add(against("update_vs_aws_cli", ours.update, aws, cli.update));
        report.add(against("noop_vs_aws_cli", ours.noop, aws, cli.noop));
        report.add(against("noop_vs_sceptre", ours.noop, launch, theirs.noop));
        report.add(calls);
        report.add(self.many(&sceptre, &deployed)?);
        Ok(report)
    }

    /// A peer's times, on stacks of its own.
    fn peer(&self, name: &str, peer: &dyn Peer, deployed: &Deployed) -> Result<Times, Failed> {
        let rendered = |minutes| self.write(name, minutes).and_then(|()| self.rendered(name));
        let (before, after) = (rendered(30)?, rendered(31)?);
        // The outputs of the first stack are known to the second one once it stands.
        let first = timed(|| {
            peer.deploy(std::slice::from_ref(&before), StackId::Regional, deployed)?;
            peer.deploy(std::slice::from_ref(&before), StackId::Edge, deployed)
        })?;
        let whole = |tenant: &RenderedTenant| {
            peer.prepare(std::slice::from_ref(tenant), deployed)?;
            timed(|| peer.deploy_all(std::slice::from_ref(tenant), deployed))
        };
        Ok(Times { first, update: whole(&after)?, noop: whole(&after)? })
    }

    /// Nothing to do for many tenants, which ours has deployed; Sceptre finds the same stacks, templates and values.
    fn many(&self, sceptre: &Sceptre, deployed: &Deployed) -> Result<Figure, Failed> {
        step("ours: many tenants, then nothing to do for them");
        let names: Vec<_> = (0..MANY).map(|number| format!("many-{number:03}")).collect();
        names.iter().try_for_each(|name| self.write(name, 30))?;
        let deploy = ["deploy", "--tenant", "many-*", "--concurrency", "16"];
        self.ours(&deploy)?;
        let ours = timed(|| self.ours(&deploy))?;
        step("Sceptre: nothing to do for the same");
        let rendered = names.iter().map(|name| self.rendered(name)).collect::<Result<Vec<_>, _>>()?;
        sceptre.prepare(&rendered, deployed)?;
        let theirs = timed(|| sceptre.deploy_all(&rendered, deployed))?;
        let figure = Figure::seconds("noop_100_tenants_vs_sceptre", ours);
        Ok(figure
            .against("Sceptre `launch` over the same 200 stacks", theirs.as_secs_f64())
            .at_most(MANY_MAX))
    }

    /// Calls of CloudFormation for all three runs, with the pace that each side keeps on AWS.
    fn calls(&self) -> Result<Figure, Failed> {
        step("calls of both, at the pace for AWS");
        let counter = Counter::start(self.endpoint.trim_start_matches("http://"))?;
        let endpoint = format!("http://{}", counter.address());
        for minutes in [30, 31, 31] {
            self.write("counted", minutes)?;
            self.run(&["deploy", "--tenant", "counted", "--endpoint-url", &endpoint])?;
        }
        let ours = counter.take();
        let deployed = Deployed::read(&self.endpoint)?;
        self.peer("counted-cli", &peers::AwsCli::new(&self.cache, &endpoint)?, &deployed)?;
        let figure = Figure::new("calls_vs_aws_cli", ours as f64, "calls");
        Ok(figure
            .against("the AWS CLI, for a first deployment, an update and nothing", counter.take() as f64)
            .at_most(CALLS_MAX))
    }

    fn write(&self, tenant: &str, minutes: u32) -> Result<(), Failed> {
        let text = format!(
            "region: us-east-1\nsign_in:\n  callback_urls: [http://localhost:8080/]\nkeys:\n  algorithm: ecdsa-p256\n\
             cookies:\n  minutes: {minutes}\n"
        );
        Ok(fs::write(self.folder.path().join("tenants").join(format!("{tenant}.yaml")), text)?)
    }

    fn rendered(&self, tenant: &str) -> Result<RenderedTenant, Failed> {
        let templates = Templates::load(&root()?.join("templates"))?;
        let tenants = tenant::load(&self.folder.path().join("tenants"), ORGANISATION, &[tenant.to_owned()])?;
        let tenant = tenants.first().ok_or("no tenant")?;
        Ok(render(&templates, tenant, &media_cdn(tenant)?)?)
    }

    fn ours(&self, arguments: &[&str]) -> Result<(), Failed> {
        self.run(&[arguments, &["--local", "--local-instance", &self.instance]].concat())
    }

    fn run(&self, arguments: &[&str]) -> Result<(), Failed> {
        let output = Command::new(std::env::current_exe()?)
            .arg("child")
            .args(arguments)
            .args(["--yes", "--no-verify", "--cache-dir"])
            .arg(&self.cache)
            .arg("--tenants-dir")
            .arg(self.folder.path().join("tenants"))
            .env("GENERATOR_JOURNAL", self.folder.path().join("runs"))
            .env("AWS_ACCESS_KEY_ID", generator::aws::LOCAL_ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_REGION", "us-east-1")
            .current_dir(root()?)
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("{arguments:?} failed: {}", stderr.lines().rev().take(8).collect::<Vec<_>>().join("\n"))
            .into())
    }
}

fn root() -> Result<&'static Path, Failed> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or_else(|| "the crate lies in no project".into())
}
