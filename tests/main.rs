//! Acceptance tests: the real tenants, templates, runtimes and binary, and the local cloud.

mod architecture;
mod aws_cli;
mod cli;
mod deploy;
mod explain;
mod initech;
mod judges;
mod lifecycle;
mod mutations;
mod plan;
mod policies;
mod policy_cli;
mod policy_outputs;
mod provenance;
mod render;
mod rotate;
mod rotation;
mod serve;
mod signer_zip;
mod support;
mod tenants;
mod wire;
