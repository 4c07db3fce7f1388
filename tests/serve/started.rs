//! What a started `generator serve --output ndjson` tells: the port it listens on, and its authority.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

/// Reads until both were told; the reason where that does not happen.
pub(crate) fn started(
    lines: &mut impl Iterator<Item = io::Result<String>>,
) -> Result<(u16, PathBuf), String> {
    let (mut port, mut authority) = (None, None);
    loop {
        if let (Some(port), Some(authority)) = (port, &authority) {
            return Ok((port, PathBuf::clone(authority)));
        }
        let line = lines.next().ok_or("it does not serve")?.map_err(|error| error.to_string())?;
        let event: Value = serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
        let message = event["message"].as_str().unwrap_or_default();
        if let Some((_, rest)) = message.split_once(".localhost:") {
            port = rest.split('/').next().and_then(|port| port.parse().ok());
        }
        if let Some(rest) = message.strip_prefix("trust ") {
            authority = rest.split(" in ").next().map(PathBuf::from);
        }
    }
}
