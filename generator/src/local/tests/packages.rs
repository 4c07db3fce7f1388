//! What is installed: packages, judges, the extension's files and its pure rules.

use super::*;

#[test]
fn the_judges_run() {
    let judges = judges(&cache(), &|_| {}).expect("the judges");
    let folder = tempfile::tempdir().expect("a folder");
    let template = folder.path().join("bad.yaml");
    fs::write(&template, "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Nonsense: 1}}}")
        .expect("written");
    let lint = judges.cfn_lint().arg(&template).output().expect("cfn-lint");
    assert!(String::from_utf8_lossy(&lint.stdout).contains("Nonsense"), "{lint:?}");
    let validate = judges.cloudformation_validate().arg(&template).output().expect("the validator");
    assert!(String::from_utf8_lossy(&validate.stdout).contains("Nonsense"), "{validate:?}");
}

/// What the extension's own Python prints for an expression over `next_window(rules, since)`.
fn next_window(rules: &str, since: &str) -> String {
    let environment = CLOUD.install(&cache().environments(), &|_| {}).expect("the environment");
    let code = format!(
        "import sys; sys.path.insert(0, sys.argv[1])
from datetime import datetime, timezone
from schedule import InvalidRules, next_window
since = datetime.fromisoformat('{since}').replace(tzinfo=timezone.utc).timestamp()
try:
    window = [datetime.fromtimestamp(time, timezone.utc) for time in next_window({rules}, since)]
    print(*(time.strftime('%m-%d %H:%M:%S') for time in window), sep=' to ')
except InvalidRules as error:
    print('refused:', error)"
    );
    let mut python = Command::new(environment.python());
    let output = python.arg("-c").arg(code).arg(environment.ours()).output().expect("python");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn rotation_windows_follow_the_rules_of_secrets_manager() {
    let since = "2026-03-10 13:30:00";
    for (rules, window) in [
        ("{'AutomaticallyAfterDays': 10}", "03-20 00:00:00 to 03-20 23:59:59"),
        ("{'AutomaticallyAfterDays': 10, 'Duration': '3h'}", "03-20 00:00:00 to 03-20 03:00:00"),
        ("{'ScheduleExpression': 'rate(12 hours)'}", "03-11 01:30:00 to 03-11 02:30:00"),
        ("{'ScheduleExpression': 'rate(2 days)'}", "03-12 00:00:00 to 03-12 23:59:59"),
        ("{'ScheduleExpression': 'cron(0 8 1 * ? *)'}", "04-01 08:00:00 to 04-01 23:59:59"),
        ("{'ScheduleExpression': 'rate(1 hour)'}", "refused: A rate must be at least 4 hours."),
        ("{'ScheduleExpression': 'cron(nonsense)'}", "refused: Invalid ScheduleExpression: cron(nonsense)"),
        ("{'AutomaticallyAfterDays': 0}", "refused: AutomaticallyAfterDays must be between 1 and 1000."),
    ] {
        assert_eq!(next_window(rules, since), window, "{rules}");
    }
}

#[test]
fn every_package_is_pinned_with_hashes_and_names_no_host() {
    for text in [CLOUD.requirements, JUDGES.requirements] {
        assert!(!text.contains("://"), "a host");
        let joined = text.replace("\\\n", " ");
        for line in joined.lines().filter(|line| !line.trim().is_empty()) {
            assert!(line.contains("==") && line.contains("--hash=sha256:"), "{line}");
        }
    }
}

#[test]
fn the_whole_extension_is_packed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/local/extension");
    let mut files: Vec<String> = fs::read_dir(folder)
        .expect("the extension")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".py"))
        .collect();
    files.sort();
    let packed: Vec<&str> = CLOUD.files.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, packed);
}
