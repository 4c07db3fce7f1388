//! What a policy is: the words of a pack.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::condition::Condition;
use super::path::Path;
use super::scope::Scope;
use crate::tenant::source::Place;

/// Declares an enumeration with its words in files and outputs.
macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $variant_doc:literal])* $variant:ident = $word:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant,)*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in files and outputs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How bad a violation is.
    Severity {
        /// Untidy.
        Low = "low",
        /// Weakens something.
        Medium = "medium",
        /// Opens or breaks something.
        High = "high",
        /// Loses data or opens everything.
        Critical = "critical",
    }
}

words! {
    /// What a violation leads to.
    Level {
        /// The policy is not evaluated.
        Disabled = "disabled",
        /// A warning.
        Advisory = "advisory",
        /// Nothing goes on.
        Mandatory = "mandatory",
        /// The value is set as the policy says; what violates it still is judged as mandatory.
        Remediate = "remediate",
    }
}

words! {
    /// What a node that a path does not find means.
    Missing {
        /// The policy is violated.
        Finding = "finding",
        /// There is nothing to judge.
        Skip = "skip",
    }
}

words! {
    /// What is judged.
    Stage {
        /// A tenant's settings, all layers merged.
        Tenant = "tenant",
        /// A rendered or deployed template: each of its resources, and the whole.
        Stack = "stack",
        /// A change set that is about to be executed.
        Change = "change",
    }
}

/// What a policy is evaluated on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The settings of a tenant.
    Tenant,
    /// Each resource of these CloudFormation types.
    Resources(Vec<String>),
    /// A whole template.
    Stack,
    /// Each entry of a change set.
    Change,
}

impl Target {
    /// The stage at which the policy is evaluated.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Tenant => Stage::Tenant,
            Self::Resources(_) | Self::Stack => Stage::Stack,
            Self::Change => Stage::Change,
        }
    }

    /// The words of the pack.
    #[must_use]
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Tenant => vec!["tenant"],
            Self::Resources(types) => types.iter().map(String::as_str).collect(),
            Self::Stack => vec!["stack"],
            Self::Change => vec!["change"],
        }
    }
}

/// One rule of the organisation.
#[derive(Debug)]
pub struct Policy {
    /// Never changes, and is never given to another policy.
    pub id: String,
    /// What it demands, in one line.
    pub title: String,
    /// Pack that it stands in.
    pub pack: String,
    /// How bad a violation is.
    pub severity: Severity,
    /// What a violation leads to, unless an override says otherwise.
    pub level: Level,
    /// Whether exemptions may name it.
    pub exemptable: bool,
    /// What it is evaluated on.
    pub on: Target,
    /// Which tenants it concerns.
    pub scope: Scope,
    /// The nodes that `self` stands for, one after the other.
    pub at: Path,
    /// What it means that there is none.
    pub missing: Missing,
    /// Values that overrides may change.
    pub params: Map<String, Value>,
    /// Holds where the policy is kept.
    pub assert: Condition,
    /// Says what is wrong.
    pub message: Condition,
    /// What to do about it.
    pub fix: String,
    /// What the value becomes at level `remediate`.
    pub set: Option<Value>,
    /// Why the policy exists.
    pub reason: String,
    /// Where the fact behind it is documented.
    pub source: String,
    /// Where it stands.
    pub place: Place,
}

/// A change of level or params for some tenants.
#[derive(Debug, Clone)]
pub struct Override {
    /// The policy.
    pub policy: String,
    /// Which tenants.
    pub scope: Scope,
    /// Another level.
    pub level: Option<Level>,
    /// Other params, key by key.
    pub params: Map<String, Value>,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub place: Place,
}
