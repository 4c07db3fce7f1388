//! Signed cookies and signed URLs, judged as CloudFront judges them: written against its documentation alone, and
//! apart from the code that issues them.
//!
//! Sources: AmazonCloudFront/latest/DeveloperGuide/private-content-signed-cookies and -signed-urls with their
//! pages for canned and custom policies.

#[cfg(test)]
mod flips;
mod grant;
mod judge;
mod policy;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub(super) use grant::{Grant, own_query};
pub(super) use judge::{Refusal, Seen, Verified, judge};
