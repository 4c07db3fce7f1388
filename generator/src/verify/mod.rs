//! Proof that a deployed tenant does what it is for: refuses who should be refused, and opens for who is
//! signed in.

mod check;
mod cookies;
mod edge;
mod flow;
mod jwks;
mod target;
mod unready;
mod user;

pub use self::check::{Check, Verification};
pub use self::edge::{Answer, Edge, FunctionEdge, HttpEdge, Question};
pub use self::flow::{Token, verify};
pub use self::target::{Target, VerifyError};
pub use self::unready::{Unready, output};
pub use self::user::TestUser;
