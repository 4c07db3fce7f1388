//! Acceptance tests: the real tenants, templates, runtimes and binary, and the local cloud.

mod render;
mod support;
