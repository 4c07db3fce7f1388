//! The way data travels, held to: no module imports what stands to its right.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::root;

/// Each module of the library and the modules that it may import. `aws`, `clock`, `local` and `report` are
/// leaves; nothing imports `cli`.
const ALLOWED: [(&str, &[&str]); 18] = [
    ("aws", &["clock"]),
    (
        "cli",
        &[
            "aws", "clock", "deploy", "explain", "fleet", "local", "package", "plan", "policy", "program",
            "render", "report", "rotate", "serve", "tenant", "verify",
        ],
    ),
    ("clock", &[]),
    ("deploy", &["aws", "clock", "plan", "render", "report"]),
    ("explain", &["policy", "program", "render", "tenant"]),
    ("fleet", &["aws", "clock", "report"]),
    ("lib", &[]),
    ("local", &[]),
    ("package", &["render"]),
    ("plan", &["aws", "render"]),
    ("policy", &["tenant"]),
    ("program", &["tenant"]),
    ("render", &["program", "tenant"]),
    ("report", &[]),
    ("rotate", &["aws", "clock", "report"]),
    ("serve", &["aws", "clock", "render", "verify"]),
    ("tenant", &[]),
    ("verify", &["aws", "clock"]),
];

#[test]
fn no_module_imports_what_stands_to_its_right() {
    let mut broken = Vec::new();
    for (module, path) in sources(&root().join("generator/src")) {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            broken.push(format!("module `{module}` is not in the table of this test"));
            continue;
        };
        let text = fs::read_to_string(&path).expect("a source file");
        for (number, line) in text.lines().enumerate() {
            for imported in imports(line) {
                if imported != module && !allowed.contains(&imported.as_str()) {
                    broken.push(format!(
                        "{}:{}: `{module}` imports `{imported}`",
                        path.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Words for what only the command line may touch: environment, terminal, end of the process.
const OUTSIDE: [&str; 4] = ["env::var", "env::args", "process::exit", "is_terminal"];
/// Words for a clock that was not passed in. Waits for child processes and locks, which no test replays, may
/// read the computer's clock.
const CLOCKS: [&str; 2] = ["SystemTime::now", "Instant::now"];
const WAITS_FOR_PROCESSES: [&str; 3] = ["clock", "local", "package"];

#[test]
fn only_the_command_line_touches_environment_terminal_and_clock() {
    let mut broken = Vec::new();
    for (module, path) in sources(&root().join("generator/src")) {
        let tests = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "tests.rs" || name == "fake.rs");
        if module == "cli" || tests {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = product.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let clocks = CLOCKS.iter().filter(|_| !WAITS_FOR_PROCESSES.contains(&module.as_str()));
        for word in OUTSIDE.iter().chain(clocks).filter(|word| code.contains(**word)) {
            broken.push(format!("{}: `{word}`", path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Every source file with the module of the library that it belongs to.
fn sources(folder: &Path) -> Vec<(String, std::path::PathBuf)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inner = path.strip_prefix(folder).expect("below the folder");
                let first = inner.components().next().expect("a name").as_os_str().to_string_lossy();
                let module = first.trim_end_matches(".rs").to_string();
                if module != "main" {
                    found.push((module, path));
                }
            }
        }
    }
    found
}

/// The modules that a line names after `crate::`.
fn imports(line: &str) -> BTreeSet<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>())
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect()
}
