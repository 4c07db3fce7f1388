//! From the folder `policies` to rules. Whatever is unknown in a file is an error with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;
use std::sync::Arc;

use serde_json::Value as Json;
use time::Date;

use super::condition::{Condition, unknown_setting};
use super::directory::Directory;
use super::fields::{Fields, text_map};
use super::judge::Rules;
use super::load_exemptions;
use super::model::{Level, Missing, Override, Policy, Severity, Target};
use super::path::Path;
use super::scope::Scope;
use crate::tenant::LoadError;
use crate::tenant::decode::{Decoder, nearest};
use crate::tenant::node::Node;
use crate::tenant::problem::{Problem, Problems};
use crate::tenant::reading::parse;
use crate::tenant::source::{Place, SourceId, Sources};

/// File with the exemptions, beside the packs.
pub const EXEMPTIONS_FILE: &str = "exemptions.yaml";
/// Folder with the cases, beside the packs.
pub const CASES_FOLDER: &str = "tests";

/// What packs may speak of.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Keys of the labels that tenants carry.
    pub labels: BTreeSet<String>,
    /// JSON Schema of tenant files.
    pub settings: Json,
    /// All tenants.
    pub directory: Arc<Directory>,
}

/// Reads every pack of a folder, and the exemptions. A folder that does not exist holds none.
///
/// # Errors
/// Files that cannot be read, and every mistake in them at once.
pub fn load(folder: &FilePath, known: &Known, today: Date) -> Result<Rules, LoadError> {
    let mut sources = Sources::default();
    let mut decoder = Decoder::default();
    let mut packs = Packs { known, rules: Rules::default(), retired: BTreeMap::new() };
    packs.rules.directory = known.directory.clone();
    let mut exemptions = None;
    for (path, stem) in files(folder)? {
        let Some(node) = read(&path, &mut sources, &mut decoder)? else { continue };
        if path.file_name().is_some_and(|name| name == EXEMPTIONS_FILE) {
            exemptions = Some(node);
        } else {
            packs.pack(&stem, &node, &mut decoder);
        }
    }
    packs.check_ids(&mut decoder);
    let mut rules = packs.rules;
    if let Some(node) = exemptions {
        let found = load_exemptions::read(&node, &rules, known, today, &mut decoder);
        rules.exemptions = found;
    }
    if decoder.problems.is_empty() {
        Ok(rules)
    } else {
        Err(Box::new(Problems::new(sources, decoder.problems)).into())
    }
}

/// The YAML files of a folder with their names, in alphabetic order.
pub(super) fn files(folder: &FilePath) -> Result<Vec<(std::path::PathBuf, String)>, LoadError> {
    let unreadable = |source| LoadError::Read { path: folder.display().to_string(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(unreadable)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_string);
        if let Some(stem) = stem.filter(|_| path.extension().is_some_and(|extension| extension == "yaml")) {
            found.push((path, stem));
        }
    }
    found.sort();
    Ok(found)
}

/// One file as a tree, or `None` after noting what is wrong with it.
pub(super) fn read(
    path: &FilePath,
    sources: &mut Sources,
    decoder: &mut Decoder,
) -> Result<Option<Node>, LoadError> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|source| LoadError::Read { path: shown.clone(), source })?;
    let id: SourceId = sources.add(shown, text.clone());
    Ok(parse(id, &text).map_err(|problems| problems.into_iter().for_each(|one| decoder.refuse(one))).ok())
}

struct Packs<'k> {
    known: &'k Known,
    rules: Rules,
    retired: BTreeMap<String, Place>,
}

const POLICY: [&str; 16] = [
    "id",
    "title",
    "severity",
    "level",
    "exemptable",
    "on",
    "match",
    "at",
    "missing",
    "params",
    "assert",
    "message",
    "fix",
    "set",
    "reason",
    "source",
];

impl Packs<'_> {
    fn pack(&mut self, name: &str, node: &Node, decoder: &mut Decoder) {
        let known = ["description", "policies", "overrides", "retired"];
        let Some(fields) = Fields::of(node, decoder, &known) else { return };
        for item in fields.items("policies", decoder) {
            let policy = decoder.within("policies", |decoder| self.policy(name, item, decoder));
            self.rules.policies.extend(policy.map(Arc::new));
        }
        for item in fields.items("overrides", decoder) {
            let change = decoder.within("overrides", |decoder| self.overriding(item, decoder));
            self.rules.overrides.extend(change);
        }
        for (id, place) in fields.texts("retired", decoder).unwrap_or_default() {
            self.retired.insert(id, place);
        }
    }

    fn policy(&self, pack: &str, node: &Node, decoder: &mut Decoder) -> Option<Policy> {
        let fields = Fields::of(node, decoder, &POLICY)?;
        let id = fields.text("id", decoder);
        let (title, fix) = (fields.text("title", decoder), fields.text("fix", decoder));
        let (reason, source) = (fields.text("reason", decoder), fields.text("source", decoder));
        let severity = fields.word("severity", Severity::ALL, Severity::as_str, None, decoder);
        let level = fields.word("level", Level::ALL, Level::as_str, Some(Level::Mandatory), decoder);
        let missing = fields.word("missing", Missing::ALL, Missing::as_str, Some(Missing::Finding), decoder);
        let exemptable = fields.flag("exemptable", true, decoder);
        let on = self.target(&fields, decoder);
        let scope = self.scope(&fields, decoder);
        let at = self.at(&fields, on.as_ref(), decoder);
        let params = fields.values("params", decoder);
        let assert = self.condition("assert", &fields, decoder);
        let message = self.condition("message", &fields, decoder);
        let set = fields.get("set").map(Node::to_json);
        let level = level?;
        let on = on?;
        let at = at?;
        if level == Level::Remediate
            && (set.is_none() || on != Target::Tenant || at.keys().is_none_or(|k| k.is_empty()))
        {
            let problem =
                Problem::new(node.place, "a policy that remediates needs `on: tenant`, `at` and `set`");
            decoder.refuse(problem.help("only a setting can be written into a tenant file"));
        }
        let policy = Policy {
            id: id?,
            title: title?,
            pack: pack.to_string(),
            severity: severity?,
            level,
            exemptable: exemptable?,
            on,
            scope: scope?,
            at,
            missing: missing?,
            params: params?,
            assert: assert?,
            message: message?,
            fix: fix?,
            set,
            reason: reason?,
            source: source?,
            place: fields.get("id").map_or(node.place, |id| id.place),
        };
        Some(policy)
    }

    fn target(&self, fields: &Fields<'_>, decoder: &mut Decoder) -> Option<Target> {
        let node = fields.required("on", decoder)?;
        let words = decoder.within("on", |decoder| super::fields::texts(node, decoder))?;
        let is_type = |word: &str| {
            let parts: Vec<&str> = word.split("::").collect();
            parts.len() >= 2
                && parts
                    .iter()
                    .all(|part| part.chars().all(|c| c.is_ascii_alphanumeric()) && !part.is_empty())
        };
        match words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().as_slice() {
            ["tenant"] => Some(Target::Tenant),
            ["stack"] => Some(Target::Stack),
            ["change"] => Some(Target::Change),
            types if !types.is_empty() && types.iter().all(|word| is_type(word)) => {
                Some(Target::Resources(types.iter().map(|word| (*word).to_string()).collect()))
            }
            _ => {
                let wanted = "`tenant`, `stack`, `change` or CloudFormation types such as `AWS::S3::Bucket`";
                decoder.within("on", |decoder| decoder.wrong_kind(node, wanted));
                None
            }
        }
    }

    fn at(&self, fields: &Fields<'_>, on: Option<&Target>, decoder: &mut Decoder) -> Option<Path> {
        let Some(node) = fields.get("at") else { return Some(Path::default()) };
        let text = decoder.within("at", |decoder| super::fields::text(node, decoder))?;
        let path = match Path::parse(&text) {
            Ok(path) => path,
            Err(reason) => {
                decoder.refuse(Problem::new(node.place, format!("`{text}` is no path: {reason}")));
                return None;
            }
        };
        if on == Some(&Target::Tenant)
            && let Some(problem) = unknown_setting(&self.known.settings, &path.leading_keys())
        {
            decoder.refuse(Problem::new(node.place, problem));
        }
        Some(path)
    }

    fn condition(&self, key: &str, fields: &Fields<'_>, decoder: &mut Decoder) -> Option<Condition> {
        let node = fields.required(key, decoder)?;
        let text = decoder.within(key, |decoder| super::fields::text(node, decoder))?;
        let compiled = Condition::compile(&text, &self.known.settings);
        compiled.map_err(|reason| decoder.refuse(Problem::new(node.place, format!("`{key}`: {reason}")))).ok()
    }

    fn scope(&self, fields: &Fields<'_>, decoder: &mut Decoder) -> Option<Scope> {
        match fields.get("match") {
            None => Some(Scope::default()),
            Some(node) => decoder.within("match", |decoder| self.scope_of(node, decoder)),
        }
    }

    fn scope_of(&self, node: &Node, decoder: &mut Decoder) -> Option<Scope> {
        let fields = Fields::of(node, decoder, &["labels", "region", "environment", "tenant", "not"])?;
        let mut labels = BTreeMap::new();
        if let Some(node) = fields.get("labels") {
            for (key, (values, place)) in text_map(node, decoder)? {
                if !self.known.labels.contains(&key) {
                    let known: Vec<&str> = self.known.labels.iter().map(String::as_str).collect();
                    let help = nearest(&key, &known).replace("known keys here", "labels in use");
                    decoder.refuse(
                        Problem::new(place, format!("no tenant carries the label `{key}`")).help(help),
                    );
                }
                labels.insert(key, values);
            }
        }
        let plain = |all: Vec<(String, Place)>| all.into_iter().map(|(text, _)| text).collect();
        let not = match fields.get("not") {
            None => None,
            Some(node) => Some(Box::new(decoder.within("not", |decoder| self.scope_of(node, decoder))?)),
        };
        Some(Scope {
            labels,
            region: plain(fields.texts("region", decoder)?),
            environment: plain(fields.texts("environment", decoder)?),
            tenant: plain(fields.texts("tenant", decoder)?),
            not,
        })
    }

    fn overriding(&self, node: &Node, decoder: &mut Decoder) -> Option<Override> {
        let fields = Fields::of(node, decoder, &["policy", "match", "level", "params", "reason"])?;
        let level = match fields.get("level") {
            None => None,
            Some(_) => Some(fields.word("level", Level::ALL, Level::as_str, None, decoder)?),
        };
        Some(Override {
            policy: fields.text("policy", decoder)?,
            scope: self.scope(&fields, decoder)?,
            level,
            params: fields.values("params", decoder)?,
            reason: fields.text("reason", decoder)?,
            place: fields.get("policy").map_or(node.place, |policy| policy.place),
        })
    }
}

impl Packs<'_> {
    /// Ids are given once and never again, and whatever names one names one that exists.
    fn check_ids(&self, decoder: &mut Decoder) {
        let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
        for policy in &self.rules.policies {
            if let Some(first) = seen.insert(&policy.id, policy.place) {
                let problem = Problem::new(policy.place, format!("the id `{}` is taken", policy.id));
                decoder.refuse(
                    problem.related(first, "by this policy").help("give it an id that was never used"),
                );
            }
            if let Some(retired) = self.retired.get(&policy.id) {
                let problem = Problem::new(policy.place, format!("the id `{}` is retired", policy.id));
                decoder.refuse(problem.related(*retired, "here").help("give it an id that was never used"));
            }
        }
        let known: Vec<&str> = seen.keys().copied().collect();
        for change in &self.rules.overrides {
            let Some(policy) = self.rules.policy(&change.policy) else {
                let problem = Problem::new(change.place, format!("there is no policy `{}`", change.policy));
                decoder.refuse(
                    problem.help(nearest(&change.policy, &known).replace("known keys here", "policies")),
                );
                continue;
            };
            for key in change.params.keys().filter(|key| !policy.params.contains_key(*key)) {
                let params: Vec<&str> = policy.params.keys().map(String::as_str).collect();
                let problem =
                    Problem::new(change.place, format!("policy `{}` has no param `{key}`", policy.id));
                decoder.refuse(problem.help(nearest(key, &params).replace("known keys here", "its params")));
            }
            if change.level == Some(Level::Remediate) && (policy.set.is_none() || policy.on != Target::Tenant)
            {
                let message = format!("policy `{}` sets nothing, so it cannot remediate", policy.id);
                decoder.refuse(Problem::new(change.place, message));
            }
        }
    }
}

#[cfg(test)]
mod tests;
