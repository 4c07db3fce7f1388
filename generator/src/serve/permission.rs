//! What a bucket's policy lets a distribution do. Our local cloud enforces no policy, so the edge does.

use serde_json::Value;

/// What a distribution may do with a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Permission {
    /// Read objects.
    pub(super) read: bool,
    /// See whether an object is there. Without it S3 answers 403 where there is none.
    pub(super) list: bool,
}

/// CloudFront, as a policy names it.
const PRINCIPAL: &str = "cloudfront.amazonaws.com";

impl Permission {
    /// What the policy `text` of `bucket` gives the distribution with this ARN, over TLS. Anything in it that is not
    /// understood gives nothing, and a denial that is not understood takes everything.
    #[must_use]
    pub(super) fn of(text: &str, bucket: &str, distribution: &str) -> Self {
        let Ok(policy) = serde_json::from_str::<Value>(text) else { return Self::default() };
        let whole = format!("arn:aws:s3:::{bucket}");
        let may = |action: &str, resource: &str| {
            let asked = Asked { action, resource, distribution };
            let statements = || list(&policy["Statement"]);
            statements().any(|statement| asked.allowed_by(statement))
                && !statements().any(|statement| asked.denied_by(statement))
        };
        Self { read: may("s3:GetObject", &format!("{whole}/any/object")), list: may("s3:ListBucket", &whole) }
    }
}

struct Asked<'a> {
    action: &'a str,
    resource: &'a str,
    distribution: &'a str,
}

impl Asked<'_> {
    fn allowed_by(&self, statement: &Value) -> bool {
        statement["Effect"] == "Allow"
            && self.concerned_by(statement)
            && self.conditions(statement) == Some(true)
    }

    fn denied_by(&self, statement: &Value) -> bool {
        statement["Effect"] != "Allow"
            && self.concerned_by(statement)
            && self.conditions(statement) != Some(false)
    }

    fn concerned_by(&self, statement: &Value) -> bool {
        let principal = &statement["Principal"];
        let to_us = principal == "*"
            || principal["AWS"] == "*"
            || list(&principal["Service"]).any(|service| service == PRINCIPAL);
        let names = |field: &str, asked: &str| {
            list(&statement[field]).filter_map(Value::as_str).any(|pattern| signing::matches(pattern, asked))
        };
        to_us && names("Action", self.action) && names("Resource", self.resource)
    }

    /// Whether all conditions hold; `None` where one is not understood.
    fn conditions(&self, statement: &Value) -> Option<bool> {
        let mut hold = true;
        for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
            for (key, wanted) in keys.as_object()? {
                let known = match key.to_ascii_lowercase().as_str() {
                    "aws:sourcearn" => self.distribution,
                    "aws:sourceaccount" => self.distribution.split(':').nth(4)?,
                    // An origin access control always speaks TLS.
                    "aws:securetransport" => "true",
                    _ => return None,
                };
                let mut wanted = list(wanted).filter_map(Value::as_str);
                hold &= match operator.as_str() {
                    "StringEquals" | "ArnEquals" | "Bool" => wanted.any(|value| value == known),
                    "StringLike" | "ArnLike" => wanted.any(|value| signing::matches(value, known)),
                    _ => return None,
                };
            }
        }
        Some(hold)
    }
}

/// One value, or each of a list.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let (one, many) = match value {
        Value::Array(items) => (None, items.as_slice()),
        Value::Null => (None, [].as_slice()),
        single => (Some(single), [].as_slice()),
    };
    one.into_iter().chain(many)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWN: &str = "arn:aws:cloudfront::000000000000:distribution/E1";

    fn policy(arn: &str) -> Value {
        json!({ "Statement": [
            { "Effect": "Deny", "Principal": "*", "Action": "s3:*",
              "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
              "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
            { "Effect": "Allow", "Principal": { "Service": "cloudfront.amazonaws.com" }, "Action": "s3:GetObject",
              "Resource": "arn:aws:s3:::b/*", "Condition": { "StringEquals": { "AWS:SourceArn": arn } } },
        ] })
    }

    #[test]
    fn only_the_named_distribution_reads_and_it_reads_only() {
        let of = |policy: Value, bucket: &str| Permission::of(&policy.to_string(), bucket, OWN);
        assert_eq!(of(policy(OWN), "b"), Permission { read: true, list: false });
        assert_eq!(
            of(policy("arn:aws:cloudfront::000000000000:distribution/E2"), "b"),
            Permission::default()
        );
        assert_eq!(of(policy(OWN), "other"), Permission::default());
        assert_eq!(Permission::of("", "b", OWN), Permission::default());
    }

    #[test]
    fn what_is_not_understood_closes() {
        let mut unknown = policy(OWN);
        unknown["Statement"][1]["Condition"]["IpAddress"] = json!({ "aws:SourceIp": "0.0.0.0/0" });
        assert_eq!(Permission::of(&unknown.to_string(), "b", OWN), Permission::default());
        let mut denied = policy(OWN);
        denied["Statement"][0]["Condition"] = json!({ "Null": { "aws:Referer": "true" } });
        assert_eq!(Permission::of(&denied.to_string(), "b", OWN), Permission::default());
    }
}
