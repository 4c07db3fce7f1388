//! Keys, policy text, signatures and cookies of CloudFront.
//!
//! Pure: no I/O, no clock of its own (the time is always passed in). The signer issues cookies with it,
//! the rotator proves new keys with it, and the tools prove with it that an issued cookie opens.
//!
//! Source: AmazonCloudFront/latest/DeveloperGuide/private-content-setting-signed-cookie-custom-policy.

mod alphabet;
mod cookies;
mod expiry;
mod legacy;
mod opening;
mod pem;
mod policy;
mod private_key;
mod public_key;
mod resource;

pub use alphabet::{decode, encode};
pub use cookies::{Attributes, CookieError, CookieSet, removal};
pub use expiry::cookie_expiry;
pub use opening::{Closed, Opened, TrustedKey, Viewing, open};
pub use policy::{Network, Policy, PolicyError};
pub use private_key::{KeyError, SignError, SigningKey};
pub use public_key::PublicKey;
pub use resource::matches;
