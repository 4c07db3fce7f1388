//! One tenant's signing keys, from outside: rotating them and watching that to its end, revoking them, telling
//! their state. The rotation itself is the work of Secrets Manager and the tenant's rotator function.

mod error;
mod log;
mod pace;
mod revoke;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod watch;

pub use error::RotateError;
pub use pace::Pace;
pub use revoke::{Revocation, RevokeError, revoke};
pub use state::{KeyPlaces, KeyState, Lateness, key_state};
pub use token::request_token;
pub use watch::{Context, Cost, How, Request, Rotated, rotate};
