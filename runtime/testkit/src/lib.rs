//! What tests, fuzzers and benchmarks feed the signer with, and what must hold of its answers. Part of no zip.

pub mod authority;
pub mod cloudfront;
pub mod fixture;
pub mod hostile;
pub mod peer;
pub mod targets;
