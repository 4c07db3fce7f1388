//! The organisation's rules: packs, conditions, levels, exemptions, findings. One [`judge`] for every stage.
//!
//! Everything here is pure but for reading the files: what is judged comes in as JSON, and who asks decides
//! what becomes of the findings.

mod cases;
mod condition;
mod directory;
mod edge;
mod evaluated;
mod exemption;
mod facts;
mod fields;
mod finding;
mod fix;
mod functions;
mod input;
mod judge;
mod load;
mod load_exemptions;
mod model;
mod output;
mod path;
mod scope;
mod survey;
mod value;

pub use self::cases::{CaseResult, run_cases};
pub use self::condition::Condition;
pub use self::directory::Directory;
pub use self::evaluated::Evaluated;
pub use self::exemption::{DAYS_MAX, Exemption, digest, unused};
pub use self::finding::{Exempted, Finding, Judgement, Remediation, Spot};
pub use self::fix::set;
pub use self::judge::{Document, Rules, judge};
pub use self::load::{CASES_FOLDER, EXEMPTIONS_FILE, Known, load};
pub use self::model::{Level, Missing, Override, Policy, Severity, Stage, Target};
pub use self::output::{excerpt, github, human, junit, markdown, reference, sarif};
pub use self::path::Path;
pub use self::scope::{ENVIRONMENT, Scope, Subject};
pub use self::survey::survey;
pub use time::Date;
