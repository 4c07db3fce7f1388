//! Private media CDNs on AWS, one YAML file per tenant.
//!
//! A tenant's data travels one way: `tenant` -> `program` -> `render` -> `package` -> `plan` -> `deploy`.
//! Each module knows only what stands to its left; `aws` and `report` are leaves, and nothing imports `cli`.

pub mod aws;
pub mod cli;
pub mod clock;
pub mod deploy;
pub mod explain;
pub mod fleet;
pub mod local;
pub mod package;
pub mod plan;
pub mod policy;
pub mod program;
pub mod render;
pub mod report;
pub mod rotate;
pub mod serve;
pub mod tenant;
pub mod verify;
