//! What judging yields.

use serde::Serialize;
use serde_json::Value;

use super::evaluated::Evaluated;
use super::model::{Level, Severity, Stage};

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Id of the policy.
    pub policy: String,
    /// What the policy demands.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it leads to, after overrides.
    pub level: Level,
    /// What was judged.
    pub stage: Stage,
    /// The tenant.
    pub tenant: String,
    /// Which of the tenant's stacks; `None` for its settings.
    pub stack: Option<String>,
    /// Logical id of the resource, where one is concerned.
    pub resource: Option<String>,
    /// Keys and indices from the root of the document.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
    /// Whether the policy could not be evaluated. Such a finding blocks at any level.
    pub is_error: bool,
    /// Where it comes from in the tenant's files.
    pub place: Option<Spot>,
    /// `file:line` of the template, for what is rendered.
    pub template: Option<String>,
    /// What was set instead, at level `remediate`.
    pub remediation: Option<Remediation>,
    /// The exemption that covers it.
    pub exemption: Option<Exempted>,
    /// Id of an exemption that covered it until it expired, with that day.
    pub expired: Option<(String, String)>,
}

/// A line of a file, with what an excerpt shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// Path as messages show it.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// Length of the marked stretch in bytes.
    #[serde(skip)]
    pub length: usize,
    /// The whole line.
    #[serde(skip)]
    pub text: String,
}

/// A value that a policy sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Remediation {
    /// The value that the tenant's files say; `null` where none does.
    pub old: Value,
    /// The value that counts instead.
    pub new: Value,
    /// Whether `new` is what the tenant is rendered with.
    pub is_applied: bool,
}

/// Why a finding stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exempted {
    /// Id of the exemption.
    pub id: String,
    /// Who is responsible.
    pub owner: String,
    /// Who agreed.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// Last day.
    pub expires: String,
}

impl Finding {
    /// Whether it stops validation, rendering and deployment.
    #[must_use]
    pub fn blocks(&self) -> bool {
        if self.is_error {
            return true;
        }
        let remedied = self.remediation.as_ref().is_some_and(|remediation| remediation.is_applied);
        matches!(self.level, Level::Mandatory | Level::Remediate) && self.exemption.is_none() && !remedied
    }

    /// `tenant`, or `stack/Resource`.
    #[must_use]
    pub fn subject(&self) -> String {
        match (&self.stack, &self.resource) {
            (Some(stack), Some(resource)) => format!("{stack}/{resource}"),
            (Some(stack), None) => stack.clone(),
            _ => self.stage.as_str().to_string(),
        }
    }

    /// The path below the resource, as people write it.
    #[must_use]
    pub fn property(&self) -> String {
        let path = match self.path.as_slice() {
            [first, _, rest @ ..] if first == "Resources" => rest,
            all => all,
        };
        let path = path.strip_prefix(&["Properties".to_string()]).unwrap_or(path);
        path.join(".")
    }

    /// One word on what becomes of it: `error`, `blocked`, `warning`, `set` or `exempt`.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        if self.is_error {
            "error"
        } else if self.exemption.is_some() {
            "exempt"
        } else if self.blocks() {
            "blocked"
        } else if self.remediation.is_some() {
            "set"
        } else {
            "warning"
        }
    }
}

/// What judging one document yields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Everything that was found, in the order of the policies.
    pub findings: Vec<Finding>,
    /// How often each policy was evaluated. One that is not here was not, and has not passed.
    pub evaluated: Evaluated,
}

impl Judgement {
    /// Takes another document's judgement in.
    pub fn add(&mut self, other: Judgement) {
        self.findings.extend(other.findings);
        self.evaluated.add(other.evaluated);
    }

    /// Whether anything stops what was judged.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.findings.iter().any(Finding::blocks)
    }
}
