//! Policies as people and pipelines meet them: what blocks, what it leads back to, what is written.

use std::process::Output;

use crate::support::{self, root, text};

/// A copy of the project's tenants and policies that a test may change.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        support::copy(&root().join("tenants"), &folder.path().join("tenants"));
        support::copy_policies(&folder.path().join("policies"));
        Self(folder)
    }

    /// Replaces a text that a file holds once.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "{file}: {from}");
        std::fs::write(self.0.path().join(file), text.replace(from, to)).expect("written");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).expect("a file")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let cache = tempfile::tempdir().expect("a folder");
        let mut command = support::generator(cache.path());
        command.args(arguments).args(["--organisation", "example", "--templates-dir"]);
        command.env_remove("GENERATOR_POLICIES_DIR").arg(root().join("templates"));
        command.current_dir(self.0.path()).output().expect("the binary runs")
    }

    /// Runs, and expects an exit code; what was written to stdout and stderr.
    fn expect(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
        (out, err)
    }
}

#[test]
fn a_setting_that_breaks_a_policy_stops_validate_and_render_at_its_line() {
    let copy = Copy::new();
    copy.edit("tenants/globex.yaml", "minutes: 240", "minutes: 600");
    for command in
        [&["validate", "--tenant", "globex"][..], &["render", "--tenant", "globex", "--out", "out"]]
    {
        let (out, err) = copy.expect(5, command);
        assert!(out.is_empty(), "{out}");
        assert!(err.contains("error[BAS012]: globex tenant cookies.minutes: cookies live 600 min"), "{err}");
        assert!(err.contains("tenants/globex.yaml:12:12"), "{err}");
        assert!(err.contains("help: lower `cookies.minutes`"), "{err}");
    }
    assert!(!copy.0.path().join("out").exists(), "nothing was written");
    copy.expect(0, &["validate", "--all", "--exclude", "globex"]);
}

#[test]
fn a_rendered_finding_leads_to_the_line_of_the_tenant_file() {
    let copy = Copy::new();
    copy.edit("policies/exemptions.yaml", &support::expiry(), "2020-11-01");
    let (out, _) = copy.expect(5, &["policy", "check", "--tenant", "acme", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let finding = &json["findings"][0];
    assert_eq!(finding["policy"], "BAS020");
    assert_eq!(finding["subject"], "regional/UserPoolClient");
    assert_eq!(finding["expired"][0], "acme-implicit-grant");
    let line = finding["place"]["line"].as_u64().expect("a line") as usize;
    let text = copy.read("tenants/acme.yaml");
    assert_eq!(text.lines().nth(line - 1).map(str::trim), Some("implicit_grant: true"));
    assert!(
        finding["template"].as_str().is_some_and(|t| t.contains("user_pool_clients.yaml.hbs:")),
        "{finding}"
    );
}

#[test]
fn exemptions_are_told_and_left_over_ones_are_refused() {
    let copy = Copy::new();
    let (_, err) = copy.expect(0, &["validate", "--tenant", "acme"]);
    let told = format!("exempted by `acme-implicit-grant` until {}", support::expiry());
    assert!(err.contains(&told), "{err}");
    copy.edit("tenants/acme.yaml", "implicit_grant: true", "implicit_grant: false");
    let (_, err) = copy.expect(2, &["validate", "--all"]);
    assert!(err.contains("nothing is covered by the exemption `acme-implicit-grant`"), "{err}");
    copy.expect(0, &["validate", "--tenant", "demo"]);
}

#[test]
fn a_remediation_is_shown_rendered_and_written() {
    let copy = Copy::new();
    copy.edit("tenants/acme.yaml", "temporary_days: 3", "temporary_days: 30 # a month");
    let (_, err) = copy.expect(0, &["validate", "--tenant", "acme"]);
    assert!(err.contains("`sign_in.password.temporary_days` is set: 30 -> 7"), "{err}");
    let (out, _) = copy.expect(0, &["render", "--tenant", "acme"]);
    assert!(out.contains("TemporaryPasswordValidityDays: 7\n"));
    let before = copy.read("tenants/acme.yaml");
    copy.expect(0, &["policy", "fix", "--tenant", "acme", "--dry-run"]);
    assert_eq!(copy.read("tenants/acme.yaml"), before);
    let (out, _) = copy.expect(0, &["policy", "fix", "--tenant", "acme"]);
    assert!(out.contains("sign_in.password.temporary_days: 30 -> 7 (BAS023)"), "{out}");
    assert_eq!(copy.read("tenants/acme.yaml"), before.replace("temporary_days: 30 #", "temporary_days: 7 #"));
    let (out, _) = copy.expect(0, &["policy", "fix", "--tenant", "acme"]);
    assert_eq!(out, "nothing to set\n");
}

#[test]
fn a_remediation_that_is_not_enough_blocks() {
    let copy = Copy::new();
    copy.edit("policies/baseline.yaml", "    set: 7\n", "    set: 8\n");
    copy.edit("tenants/acme.yaml", "temporary_days: 3", "temporary_days: 30");
    let (_, err) = copy.expect(5, &["validate", "--tenant", "acme"]);
    assert!(err.contains("error[BAS023]") && err.contains("good for 8 days"), "{err}");
}

#[test]
fn a_mistake_in_a_pack_is_refused_with_its_line() {
    let copy = Copy::new();
    copy.edit("policies/baseline.yaml", "at: cookies.minutes", "at: cookies.minuets");
    let (_, err) = copy.expect(2, &["validate", "--tenant", "demo"]);
    assert!(err.contains("policies/baseline.yaml:") && err.contains("did you mean `minutes`?"), "{err}");
}

#[test]
fn policies_are_listed_shown_and_tested() {
    let copy = Copy::new();
    assert!(copy.expect(0, &["policy", "list"]).0.contains("EDG019  critical  mandatory"));
    let (out, _) = copy.expect(0, &["policy", "show", "BAS020"]);
    assert!(out.contains("exemption   acme-implicit-grant for acme") && out.contains("must hold"), "{out}");
    assert!(copy.expect(6, &["policy", "show", "BAS0200"]).1.contains("did you mean `BAS020`?"));
    assert!(copy.expect(0, &["policy", "test"]).0.contains("go as they should"));
    copy.edit(
        "policies/tests/baseline.yaml",
        "BAS001: { passes: [{ self: TLSv1.2_2021 }]",
        "BAS001: { passes: [{ self: TLSv1 }]",
    );
    assert!(copy.expect(5, &["policy", "test"]).0.contains("FAILED BAS001"));
}

#[test]
fn a_policy_without_cases_fails_its_test() {
    let copy = Copy::new();
    copy.edit(
        "policies/tests/baseline.yaml",
        "BAS012: { passes: [{ self: 60 }, { self: 480 }], fails: [{ self: 481 }] }\n",
        "",
    );
    let (out, _) = copy.expect(5, &["policy", "test"]);
    assert!(out.contains("FAILED BAS012") && out.contains("it has no case that it finds"), "{out}");
}

#[test]
fn forms_of_findings_are_for_findings() {
    let copy = Copy::new();
    assert!(copy.expect(2, &["render", "--tenant", "demo", "--output", "sarif"]).1.contains("policy check"));
    let (out, _) = copy.expect(0, &["policy", "check", "--tenant", "acme", "--output", "github"]);
    assert!(out.starts_with("::notice file=tenants/acme.yaml,line="), "{out}");
    let (out, _) = copy.expect(0, &["policy", "check", "--tenant", "acme", "--output", "sarif"]);
    assert!(out.contains("\"uri\": \"tenants/acme.yaml\""), "{out}");
}

#[test]
fn a_tenant_that_takes_anothers_bucket_is_refused() {
    let copy = Copy::new();
    // The loader finds tenants that share a name only among those it loads together; policies know all.
    copy.edit(
        "tenants/initech.yaml",
        "existing_name: initech-media-archive",
        "existing_name: example-acme-content-333344445555",
    );
    let output = copy.run(&["policy", "check", "--tenant", "initech"]);
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_ne!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("example-acme-content-333344445555"), "{text}");
}

#[test]
fn the_reference_is_what_the_packs_say() {
    let copy = Copy::new();
    let (list, _) = copy.expect(0, &["policy", "list", "--output", "markdown"]);
    let reference = std::fs::read_to_string(root().join("docs/policies.md")).expect("the reference");
    let marker = "<!-- Below: `generator policy list --output markdown`. -->\n";
    let (head, written) = reference.split_once(marker).expect("the marker");
    assert!(written == list, "write what `generator policy list --output markdown` prints below the marker");
    // Every policy that the text speaks of exists.
    for id in head.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| {
        w.len() == 6
            && ["BAS", "EDG", "CHG", "ISO"].iter().any(|pack| w.starts_with(pack))
            && w[3..].chars().all(|c| c.is_ascii_digit())
    }) {
        assert!(list.contains(&format!("| {id} |")), "{id}");
    }
}
