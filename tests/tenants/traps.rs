//! What YAML does that people do not expect. `docs/tenant-files.md` tells each of these.

use std::time::{Duration, Instant};

use generator::tenant;
use serde_json::{Value, json};

use super::{read, structure};

fn value(text: &str) -> Value {
    read(text).unwrap_or_else(|error| panic!("{text:?}: {error}")).to_json()
}

#[test]
fn words_and_numbers_are_what_they_look_like() {
    for (text, wanted) in [
        ("[NO, no, yes, on, Off, y]", json!(["NO", "no", "yes", "on", "Off", "y"])),
        ("[true, false, True, FALSE]", json!([true, false, true, false])),
        ("[0777, 012345678901, 1_000]", json!(["0777", "012345678901", "1_000"])),
        ("[1e3, 60.0, 60, +60]", json!([1000, 60, 60, 60])),
        ("[0x1F, 0o17]", json!([31, 15])),
        ("[2026-11-22, 12:30, 1:30:00]", json!(["2026-11-22", "12:30", "1:30:00"])),
        ("[~, null, '']", json!([null, null, ""])),
        ("a: 'it''s: #1'", json!({ "a": "it's: #1" })),
    ] {
        assert_eq!(value(text), wanted, "{text}");
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    assert_eq!(
        value("\u{feff}description: x\r\nuploads:\r\n  mode: off\r\n"),
        json!({
            "description": "x", "uploads": { "mode": "off" },
        })
    );
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = "uploads: &u {mode: off}\ncors: {origins: &o [https://a.b]}\nx: *o\n";
    assert_eq!(value(text)["x"], json!(["https://a.b"]));
    assert_eq!(value("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n")["b"], json!({ "x": 1, "y": 3 }));
}

/// Nothing that is written takes long or brings the tool down, whatever it is.
#[test]
fn hostile_files_are_refused_fast() {
    let nested = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let hostile: Vec<(&str, Vec<u8>)> = vec![
        ("ten megabytes", vec![b'a'; 10_000_000]),
        ("ten megabytes of lines", "description: x\n".repeat(700_000).into_bytes()),
        ("deep lists", nested("[", "]", 100_000).into_bytes()),
        ("deep maps", nested("{a: ", "}", 100_000).into_bytes()),
        (
            "deep indents",
            (0..600).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>().into_bytes(),
        ),
        ("nought bytes", vec![0; 1000]),
        ("no text", (0..=255).cycle().take(4000).collect()),
        ("many keys", (0..50_000).map(|key| format!("k{key}: 1\n")).collect::<String>().into_bytes()),
        ("a long key", format!("{}: 1\n", "k".repeat(900_000)).into_bytes()),
        ("a long text", format!("description: {}\n", "d".repeat(900_000)).into_bytes()),
        ("an endless alias", b"a: &a [*a]\n".to_vec()),
        ("tabs", b"cookies:\n\tminutes: 1\n".to_vec()),
        ("a control character", b"description: \"a\\x07b\"\n".to_vec()),
        ("broken UTF-8", b"description: \xff\xfe\n".to_vec()),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    for (what, bytes) in hostile {
        std::fs::write(folder.path().join("hostile.yaml"), bytes).expect("a file");
        let start = Instant::now();
        let loaded = tenant::load(folder.path(), "example", &["hostile".to_string()]);
        let told = loaded.expect_err(what).to_string();
        // Milliseconds each; what grows faster than its file would take minutes, on however busy a machine.
        assert!(start.elapsed() < Duration::from_secs(30), "{what} takes {:?}", start.elapsed());
        assert!(told.len() < 20_000, "{what} is told in {} bytes", told.len());
    }
}

/// A setting that is refused is told in one line, however much was written.
#[test]
fn a_refused_value_is_shortened() {
    let problems = structure(read(&format!("region: {}\n", "x".repeat(5000))).expect("YAML"));
    assert!(problems.iter().all(|problem| problem.chars().count() < 300), "{problems:?}");
}
