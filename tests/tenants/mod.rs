//! Tenant files: what is refused and how it is told, what the schema says of them, and what is shipped.

mod beside;
mod command;
mod corpus;
mod errors;
mod shipped;
mod traps;

use std::path::Path;
use std::sync::LazyLock;

use generator::tenant::decode::{Decode, Decoder};
use generator::tenant::layers::merge;
use generator::tenant::node::Node;
use generator::tenant::reading::{parse, parse_builtin};
use generator::tenant::settings::Settings;
use generator::tenant::source::Sources;

/// A text read as YAML, by the loader's own reader.
fn read(text: &str) -> Result<Node, String> {
    let mut sources = Sources::default();
    let id = sources.add("test.yaml".into(), text.into());
    parse(id, text).map_err(|problems| problems.into_iter().map(|problem| problem.message).collect())
}

/// What is wrong with the structure of a tenant file, which stands over what every tenant needs.
fn structure(file: Node) -> Vec<String> {
    static BELOW: LazyLock<Node> = LazyLock::new(|| {
        let needed = "region: eu-north-1\nsign_in:\n  callback_urls: [https://app.example.com/]\n";
        merge(parse_builtin().expect("the built-in defaults"), read(needed).expect("the needed keys"))
    });
    let mut decoder = Decoder::default();
    let decoded = Settings::decode(&merge(BELOW.clone(), file), &mut decoder);
    assert!(decoded.is_some() || !decoder.problems.is_empty(), "a refusal always says why");
    decoder.problems.into_iter().map(|problem| problem.message).collect()
}

/// The `*.yaml` files of a folder, by name without ending.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    found.sort();
    found
}
