//! `serve --watch`: what is changed on the disk is served, and what cannot be read changes nothing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::client::Client;
use super::world::{World, host};

/// The tenant whose file is changed.
const ONE: usize = 1;

pub(super) fn holds(world: &World, client: &Client) {
    let file = world.tenant_file(ONE);
    let header = |name: &'static str| {
        move |client: &Client| client.get(&host(ONE), "/public/index.html", &[]).header(name).to_owned()
    };
    let robots = header("x-robots-tag");
    edit(&file, "edge:\n", "edge:\n  headers:\n    custom:\n      x-robots-tag: noindex\n");
    until("a changed tenant file", || robots(client) == "noindex");

    // Half a file, as an editor may leave it: what was served before goes on, and the whole one is served.
    let whole = edit(&file, "edge:\n", "edge: [\n");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(robots(client), "noindex");
    fs::write(&file, whole.replace("noindex", "noarchive")).expect("the tenant file");
    until("a mended tenant file", || robots(client) == "noarchive");

    let transport = header("strict-transport-security");
    assert!(transport(client).ends_with("; includeSubDomains"));
    edit(&world.template("distribution.yaml.hbs"), "IncludeSubdomains: true", "IncludeSubdomains: false");
    until("a changed template", || !transport(client).contains("includeSubDomains"));
}

/// Replaces a part of a file; returns what it was before.
fn edit(file: &Path, from: &str, to: &str) -> String {
    let text = fs::read_to_string(file).expect("a file");
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).expect("a file");
    text
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..300 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what} is not served");
}
