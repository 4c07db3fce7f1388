//! Signed cookies and signed URLs, judged as CloudFront judges them: written against its documentation alone, and
//! apart from the code that issues them.
//!
//! Sources: AmazonCloudFront/latest/DeveloperGuide/private-content-signed-cookies and -signed-urls with their
//! pages for canned and custom policies.

mod grant;
mod judge;
mod policy;
#[cfg(test)]
mod tests;

pub(super) use grant::{Grant, own_query};
pub(super) use judge::{Refusal, Seen, Verified, judge};
