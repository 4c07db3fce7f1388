//! `generator package`: the runtime zips.

use serde_json::{Value, json};

use super::support::{build_progress, kept_zips, package_options};
use crate::cli::args::PackageArgs;
use crate::cli::context::{Answer, Context};
use crate::cli::failure::Failure;
use crate::package::{self, Output, PackedArtifact};

pub(super) async fn run(context: &Context, args: &PackageArgs) -> Result<Answer, Failure> {
    let settings = &context.settings;
    let out = args.out.clone().map_or_else(|| kept_zips(settings), Output::Folder);
    let options = package_options(settings);
    let mut progress = build_progress(context);
    let (packed, verified) = if args.verify {
        let scratch = settings.cache.root().join("verify");
        let verified = package::verify(&settings.root, &out, &scratch, &options, &mut progress).await?;
        (verified.into_iter().map(|artifact| artifact.packed).collect(), true)
    } else {
        (package::package(&settings.root, &out, &options, &mut progress).await?, false)
    };
    let line = |artifact: &PackedArtifact| {
        format!(
            "{:<8} {:>9} bytes  sha256 {}  {}\n",
            artifact.artifact.to_string(),
            artifact.bytes,
            artifact.sha256_hex,
            artifact.path.display()
        )
    };
    let mut human: String = packed.iter().map(line).collect();
    if verified {
        human.push_str("both were built again elsewhere, to the same bytes\n");
    }
    let json: Vec<Value> = packed
        .iter()
        .map(|artifact| {
            json!({
                "artifact": artifact.artifact.to_string(),
                "path": artifact.path,
                "bytes": artifact.bytes,
                "sha256": artifact.sha256_hex,
                "code_sha256": artifact.code_sha256,
                "key": artifact.key,
                "verified": verified,
            })
        })
        .collect();
    Ok(Answer::new(human, Value::Array(json)))
}
