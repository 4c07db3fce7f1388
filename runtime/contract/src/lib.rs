//! Names and document shapes that the `generator` tool, the signer and the rotator share.
//!
//! One side writes each document and another reads it, in another process and often in another release,
//! so the shapes stand here once. Nothing in this crate does I/O.

pub mod cookies;
pub mod edge_config;
pub mod keyring;
pub mod keyring_resource;
pub mod names;
pub mod revocation;

/// Region that every edge resource lives in: CloudFront reads functions, and the edge functions read
/// their configuration and keys, from here whatever the viewer's place.
pub const EDGE_REGION: &str = "us-east-1";
