//! Arguments of the command line.

mod deploy;
mod fleet;
mod plan;
mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::deploy::{ChangeArgs, DeployArgs, DestroyArgs, ExecutionArgs};
pub use self::fleet::{CallArgs, FleetArgs, JournalArgs, ResumeArgs, RotateArgs, StatusArgs};
pub use self::plan::{DriftArgs, GcArgs, ImportArgs, PlanArgs};
pub use self::serve::ServeArgs;

/// Private media CDNs on AWS, one YAML file per tenant.
#[derive(Debug, Parser)]
#[command(name = "generator", version, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Arguments of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  generator deploy --tenant demo --local --yes   try everything on this machine, without an AWS account
  generator validate --all                       check every tenant file
  generator render --tenant acme                 show the templates of a tenant
  generator deploy --label tier=gold             deploy the tenants with a label

Exit codes:
  0 ok, 1 failure, 2 usage or configuration, 3 credentials or account, 4 deployment failed,
  5 policy or guard, 6 not found, 7 changes or late rotations present (where asked), 8 cancelled,
  9 timeout, 10 some tenants failed, 70 a bug of generator";

/// Arguments of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Work on the local cloud instead of AWS; it is installed and started where it must be
    #[arg(long, global = true, env = "GENERATOR_LOCAL")]
    pub local: bool,
    /// Instance of the local cloud, to have several side by side
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "default",
        env = "GENERATOR_LOCAL_INSTANCE"
    )]
    pub local_instance: String,
    /// Answer questions with yes; data loss still needs its own flag
    #[arg(long, short, global = true, env = "GENERATOR_YES")]
    pub yes: bool,
    /// Form of the result on stdout; progress goes to stderr
    #[arg(long, global = true, value_enum, default_value_t = Output::Human, env = "GENERATOR_OUTPUT")]
    pub output: Output,
    /// Tell every resource's progress
    #[arg(long, short, global = true, env = "GENERATOR_VERBOSE")]
    pub verbose: bool,
    /// Settings file; by default the nearest `generator.yaml` at or above this folder
    #[arg(long, global = true, value_name = "FILE", env = "GENERATOR_CONFIG")]
    pub config: Option<PathBuf>,
    /// First part of every name
    #[arg(long, global = true, value_name = "NAME", env = "GENERATOR_ORGANISATION")]
    pub organisation: Option<String>,
    /// Folder with the tenant files
    #[arg(long, global = true, value_name = "DIR", env = "GENERATOR_TENANTS_DIR")]
    pub tenants_dir: Option<PathBuf>,
    /// Folder with the templates
    #[arg(long, global = true, value_name = "DIR", env = "GENERATOR_TEMPLATES_DIR")]
    pub templates_dir: Option<PathBuf>,
    /// Folder with the policies; by default `policies` beside the tenant files
    #[arg(long, global = true, value_name = "DIR", env = "GENERATOR_POLICIES_DIR")]
    pub policies_dir: Option<PathBuf>,
    /// Folder for the local cloud and built artifacts; by default in the user's cache folder
    #[arg(long, global = true, value_name = "DIR", env = "GENERATOR_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Profile of the shared AWS configuration
    #[arg(long, global = true, value_name = "NAME", env = "GENERATOR_PROFILE")]
    pub profile: Option<String>,
    /// Role to assume for every call
    #[arg(long, global = true, value_name = "ARN", env = "GENERATOR_ROLE_ARN")]
    pub role_arn: Option<String>,
    /// Endpoint of every AWS service, for an emulator of your own
    #[arg(long, global = true, value_name = "URL", conflicts_with = "local", env = "GENERATOR_ENDPOINT_URL")]
    pub endpoint_url: Option<String>,
    /// PEM file with the certificate authorities to trust
    #[arg(long, global = true, value_name = "FILE", env = "GENERATOR_CA_BUNDLE")]
    pub ca_bundle: Option<PathBuf>,
}

/// Form of what is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people
    Human,
    /// One JSON document
    Json,
    /// JSON lines: events as they happen, the first line naming the format
    Ndjson,
    /// Markdown
    Markdown,
    /// SARIF 2.1.0, of `policy check`
    Sarif,
    /// JUnit XML, of `policy check`
    Junit,
    /// Annotations of GitHub's workflow commands, of `policy check`
    Github,
}

/// Which tenants.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Selection")]
pub struct Selection {
    /// Tenant by name; `*` and `?` match; can be repeated
    #[arg(long = "tenant", short, value_name = "NAME")]
    pub tenants: Vec<String>,
    /// Tenants that carry a label; several must all hold
    #[arg(long = "label", short, value_name = "KEY=VALUE")]
    pub labels: Vec<String>,
    /// Every tenant
    #[arg(long)]
    pub all: bool,
    /// Tenants whose files, or anything all tenants share, changed since a git revision
    #[arg(long, value_name = "REV")]
    pub changed_since: Option<String>,
    /// Leave out tenants by name; `*` and `?` match; can be repeated
    #[arg(long, value_name = "NAME")]
    pub exclude: Vec<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small, valid file for a new tenant
    #[command(
        after_help = "Examples:\n  generator new acme\n  generator new acme --tier gold --dry-run   show the file and write none"
    )]
    New(NewArgs),
    /// Print the JSON Schema of tenant files, for editors
    #[command(after_help = "Example:\n  generator schema > docs/tenant.schema.json")]
    Schema,
    /// Check tenant files without touching any cloud
    #[command(after_help = "Example:\n  generator validate --all")]
    Validate(Selection),
    /// Write the CloudFormation templates of tenants
    #[command(
        after_help = "Examples:\n  generator render --tenant demo\n  generator render --all --out build/templates\n  generator render --tenant demo --output json   templates, parameters and where each comes from"
    )]
    Render(RenderArgs),
    /// Tell where a setting's value comes from and where it goes, or what stands behind a rendered property
    #[command(
        after_help = "Examples:\n  generator explain --tenant acme edge.price_class\n  generator explain --tenant acme edge/Distribution.DistributionConfig.PriceClass\n  generator explain ROLLBACK_COMPLETE   what a code or a stack's status means, and what to do\n  generator explain codes"
    )]
    Explain(ExplainArgs),
    /// Build the runtime zips that all tenants share
    #[command(
        after_help = "Examples:\n  generator package\n  generator package --verify   build twice, in another folder and environment, and compare"
    )]
    Package(PackageArgs),
    /// Show what deploying tenants would do, and change nothing
    #[command(
        after_help = "Examples:\n  generator plan --tenant acme\n  generator plan --all --out plan.json   keep the change sets, for `deploy --plan plan.json`\n  generator plan --all --offline --output markdown   for a pull request, without an account"
    )]
    Plan(PlanArgs),
    /// Deploy tenants: regional stack, edge stack, and the bucket's policy
    #[command(
        after_help = "Examples:\n  generator deploy --tenant demo --local --yes\n  generator deploy --label tier=gold --profile production\n  generator deploy --tenant acme --dry-run   show the changes and make none\n  generator deploy --all --waves canary,10%,rest --bake 15m --max-failures 2%"
    )]
    Deploy(DeployArgs),
    /// Show the stack outputs of tenants
    #[command(after_help = "Example:\n  generator outputs --tenant demo --output json")]
    Outputs(Selection),
    /// Show the state of tenants: their stacks, and the age and rotation of their keys
    #[command(
        after_help = "Examples:\n  generator status --all\n  generator status --all --overdue   ends with 7 where a rotation is late"
    )]
    Status(StatusArgs),
    /// Ask a tenant's edge what it must refuse, and with a token what it must grant
    #[command(
        after_help = "Examples:\n  generator verify --tenant demo --local\n  generator verify --tenant acme --token-file token.txt\n  generator verify --tenant acme --test-user   sign in as a user made for this and deleted after it"
    )]
    Verify(VerifyArgs),
    /// Serve tenants of the local cloud on this machine, as CloudFront would
    #[command(
        after_help = "Examples:\n  generator serve --tenant demo --local\n  generator serve --all --local --watch --port 9443"
    )]
    Serve(ServeArgs),
    /// Rotate the signing keys of tenants; nobody who is logged in notices
    #[command(
        after_help = "Examples:\n  generator rotate --tenant demo --local\n  generator rotate --all --waves canary,10%,rest --bake 15m --max-failures 2%\n  generator rotate --label tier=gold --journal s3://example-runs/keys --report build/\n  generator rotate --tenant acme --revoke --confirm-revoke acme   a key has leaked: every cookie dies"
    )]
    Rotate(RotateArgs),
    /// Go on with a run that was stopped or cut off: what is done is not done again
    #[command(
        after_help = "Examples:\n  generator resume rotate-20261122-184501-7f3a9c\n  generator resume rotate-20261122-184501-7f3a9c --journal s3://example-runs/keys"
    )]
    Resume(ResumeArgs),
    /// Remove what was deployed for tenants
    #[command(
        after_help = "Examples:\n  generator destroy --tenant demo --local\n  generator destroy --tenant acme --delete-data ContentBucket --delete-data UserPool"
    )]
    Destroy(DestroyArgs),
    /// Tell what somebody has changed beside the templates; a rotation's keys are no drift
    #[command(
        after_help = "Examples:\n  generator drift --all\n  generator drift --all --exit-code   ends with 7 where anything has drifted"
    )]
    Drift(DriftArgs),
    /// Take a bucket or user pool that is there into a tenant's stack, without touching it
    #[command(
        after_help = "Examples:\n  generator import --tenant acme --dry-run\n  generator import --tenant acme   what an earlier destruction kept\n  generator import --tenant acme --resource UserPool=eu-north-1_AbCdEf123"
    )]
    Import(ImportArgs),
    /// Delete what no stack uses any more: artifacts, versions of functions, change sets nobody executed
    #[command(after_help = "Examples:\n  generator gc --all --dry-run\n  generator gc --all --min-age 7")]
    Gc(GcArgs),
    /// The organisation's rules: check, list, show, test, fix
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The local cloud: AWS's services on this machine, for trying and testing
    #[command(subcommand)]
    Local(LocalCommand),
    /// Print what a shell needs to complete commands and options
    #[command(
        after_help = "Examples:\n  generator completion bash > ~/.local/share/bash-completion/completions/generator\n  generator completion zsh > ~/.zfunc/_generator"
    )]
    Completion(CompletionArgs),
}

/// Arguments of `completion`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// What to do with the organisation's rules.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Judge tenants: their settings and their templates
    #[command(
        after_help = "Examples:\n  generator policy check --all\n  generator policy check --all --output sarif > policy.sarif\n  generator policy check --all --deployed   judge what stands by the rules of today"
    )]
    Check(PolicyCheckArgs),
    /// List every policy; as Markdown, the end of docs/policies.md
    List,
    /// Show one policy with its overrides and exemptions
    #[command(after_help = "Example:\n  generator policy show BAS020")]
    Show {
        /// Id of the policy
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Run the cases of every policy
    Test,
    /// Write what policies at level `remediate` set into the tenant files
    #[command(
        after_help = "Examples:\n  generator policy fix --all --dry-run   show what would be set\n  generator policy fix --tenant acme"
    )]
    Fix(PolicyFixArgs),
}

/// Arguments of `policy check`.
#[derive(Debug, Args)]
pub struct PolicyCheckArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Judge the templates and settings that are deployed instead of those that would be
    #[arg(long)]
    pub deployed: bool,
}

/// Arguments of `policy fix`.
#[derive(Debug, Args)]
pub struct PolicyFixArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Show what would be set, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Name of the tenant, and of its file without `.yaml`
    #[arg(value_name = "NAME")]
    pub name: String,
    /// File of `_tiers`, without `.yaml`, that lies under the tenant's own
    #[arg(long, value_name = "TIER")]
    pub tier: Option<String>,
    /// Show the file, and write none
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Write one file per stack into this folder instead of stdout
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// Setting such as `edge.price_class`, property such as `edge/Distribution.DistributionConfig.PriceClass`, or a
    /// code such as `STACK_BUSY`, without a tenant
    #[arg(required = true, value_name = "WHAT")]
    pub what: Vec<String>,
}

/// Arguments of `package`.
#[derive(Debug, Args)]
pub struct PackageArgs {
    /// Prove that the bytes depend on the sources only, by building twice
    #[arg(long)]
    pub verify: bool,
    /// Write the zips into this folder instead of the cache
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Which tenants.
    #[command(flatten)]
    pub selection: Selection,
    /// File with an access token, to check the whole flow; `-` reads it from stdin
    #[arg(long, value_name = "FILE", conflicts_with = "test_user")]
    pub token_file: Option<PathBuf>,
    /// Sign in as a user that is created for this and deleted after it; always so with `--local`
    #[arg(long)]
    pub test_user: bool,
}

/// What to do with the local cloud.
#[derive(Debug, Clone, Subcommand)]
pub enum LocalCommand {
    /// Install it where it must be, and start it
    Up,
    /// Stop it; what it holds is kept
    Down,
    /// Show whether it runs, and where
    Status,
    /// Show the end of its log
    Logs {
        /// Number of lines
        #[arg(long, value_name = "N", default_value_t = 50)]
        lines: usize,
    },
    /// Stop it and remove everything it holds
    Reset,
}
