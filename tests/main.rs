//! Acceptance tests: the real tenants, templates, runtimes and binary, and the local cloud.

mod architecture;
mod cli;
mod judges;
mod lifecycle;
mod render;
mod support;
