//! What several tests need: the project's own files, rendered.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use generator::program::media_cdn;
use generator::render::{RenderedTenant, Templates, render};
use generator::tenant;
use time::OffsetDateTime;

/// Root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project").to_path_buf()
}

/// The binary in the project's root, with nothing of the environment but the search path.
pub(crate) fn generator(cache: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_generator"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("GENERATOR_CACHE_DIR", cache).env("GENERATOR_POLICIES_DIR", policies()).current_dir(root());
    command
}

/// The binary in the project's root, in the environment of the tests and with the cache that they share. Policies
/// are those beside the folder of tenants, where there are any.
pub(crate) fn generator_here() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_generator"));
    command.env("GENERATOR_CACHE_DIR", cache().root()).current_dir(root());
    command
}

/// Last day of the shipped exemption in [`policies`].
pub(crate) fn expiry() -> String {
    static DAY: OnceLock<String> = OnceLock::new();
    DAY.get_or_init(|| (OffsetDateTime::now_utc().date() + time::Duration::days(90)).to_string()).clone()
}

/// The shipped policies, with exemptions that hold on the day of the test: it is the same on any day.
pub(crate) fn policies() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("policies-{}", expiry()));
        copy_policies(&folder);
        folder
    })
}

/// Copies the shipped policies, with [`expiry`] as the last day of their exemption.
pub(crate) fn copy_policies(to: &Path) {
    copy(&root().join("policies"), to);
    let file = to.join("exemptions.yaml");
    let text = std::fs::read_to_string(&file).expect("the exemptions");
    let (before, day) = text.split_once("expires: ").expect("an exemption");
    let rest = day.get(10..).expect("a day");
    std::fs::write(file, format!("{before}expires: {}{rest}", expiry())).expect("written");
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// What a program wrote.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every tenant of the project.
pub(crate) fn tenants() -> Vec<tenant::Tenant> {
    let folder = root().join("tenants");
    let names = tenant::list(&folder).expect("the tenants can be listed");
    tenant::load(&folder, "example", &names).unwrap_or_else(|error| panic!("{error}"))
}

/// The project's templates.
pub(crate) fn templates() -> Templates {
    Templates::load(&root().join("templates")).unwrap_or_else(|error| panic!("{error}"))
}

/// Every tenant of the project, rendered.
pub(crate) fn rendered() -> Vec<RenderedTenant> {
    let templates = templates();
    let render = |tenant: &tenant::Tenant| {
        let deployment = media_cdn(tenant).unwrap_or_else(|error| panic!("{error}"));
        render(&templates, tenant, &deployment).unwrap_or_else(|error| panic!("{}: {error}", tenant.name))
    };
    tenants().iter().map(render).collect()
}

/// The cache folder that the tool itself uses: what tests install and build is there for the next run.
pub(crate) fn cache() -> generator::local::Cache {
    let folder = std::env::var_os("GENERATOR_CACHE_DIR").map_or_else(
        || {
            use etcetera::BaseStrategy;
            let folders = etcetera::choose_base_strategy().expect("a home folder");
            folders.cache_dir().join("generator")
        },
        PathBuf::from,
    );
    generator::local::Cache::new(folder)
}
