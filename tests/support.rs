//! What several tests need: the project's own files, rendered.

use std::path::{Path, PathBuf};
use std::process::Command;

use generator::program::media_cdn;
use generator::render::{RenderedTenant, Templates, render};
use generator::tenant;

/// Root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project").to_path_buf()
}

/// The binary in the project's root, with nothing of the environment but the search path.
pub(crate) fn generator(cache: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_generator"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("GENERATOR_CACHE_DIR", cache).current_dir(root());
    command
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
