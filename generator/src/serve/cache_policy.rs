//! How long answers may be kept.

use serde_json::Value;

use super::dates;

/// A cache policy. Ours put neither headers nor cookies nor the query into the cache key: policies that do are not
/// understood here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CachePolicy {
    /// Shortest time, in seconds.
    pub(super) minimum: u64,
    /// Time where the origin says nothing, in seconds.
    pub(super) default: u64,
    /// Longest time, in seconds.
    pub(super) maximum: u64,
    /// Whether answers are compressed with gzip.
    pub(super) gzip: bool,
    /// Whether answers are compressed with Brotli.
    pub(super) brotli: bool,
}

/// `CachingOptimized`. Source: AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.
const OPTIMIZED: (&str, CachePolicy) = (
    "658327ea-f89d-4fab-a63d-7e88639e58f6",
    CachePolicy { minimum: 1, default: 86_400, maximum: 31_536_000, gzip: true, brotli: true },
);
/// `CachingDisabled`, from the same page.
const DISABLED: (&str, CachePolicy) = (
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    CachePolicy { minimum: 0, default: 0, maximum: 0, gzip: false, brotli: false },
);

impl CachePolicy {
    /// A policy of CloudFront's own, by its id.
    #[must_use]
    pub(super) fn managed(id: &str) -> Option<Self> {
        [OPTIMIZED, DISABLED].into_iter().find(|(known, _)| *known == id).map(|(_, policy)| policy)
    }

    /// A policy of a template, from the resource's properties.
    #[must_use]
    pub(super) fn of(properties: &Value) -> Option<Self> {
        let config = properties.get("CachePolicyConfig")?;
        let key = &config["ParametersInCacheKeyAndForwardedToOrigin"];
        let nothing = |group: &str, field: &str| key[group][field] == "none";
        let plain = nothing("CookiesConfig", "CookieBehavior")
            && nothing("HeadersConfig", "HeaderBehavior")
            && nothing("QueryStringsConfig", "QueryStringBehavior");
        let seconds = |name: &str| config[name].as_u64();
        plain.then_some(Self {
            minimum: seconds("MinTTL")?,
            default: seconds("DefaultTTL")?,
            maximum: seconds("MaxTTL")?,
            gzip: key["EnableAcceptEncodingGzip"] == true,
            brotli: key["EnableAcceptEncodingBrotli"] == true,
        })
    }

    /// How long an answer with this `Cache-Control` and this `Expires` is kept from `now` on, in seconds. The time of
    /// `Expires` and `now` are in seconds since the epoch; a time that is none is over.
    /// Source: AmazonCloudFront/latest/DeveloperGuide/Expiration.
    #[must_use]
    pub(super) fn seconds(&self, cache_control: Option<&str>, expires: Option<&str>, now: i64) -> u64 {
        let left = |time: &str| dates::parse(time).map_or(0, |time| u64::try_from(time - now).unwrap_or(0));
        let default = expires.map_or(self.default, left).clamp(self.minimum, self.maximum);
        let Some(text) = cache_control else { return default };
        let text = text.to_ascii_lowercase();
        let directives: Vec<&str> = text.split(',').map(str::trim).collect();
        if directives.iter().any(|word| ["no-cache", "no-store", "private"].contains(word)) {
            return self.minimum;
        }
        let age = |name: &str| {
            directives
                .iter()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"').parse().ok())
        };
        let told: Option<u64> = age("s-maxage").or_else(|| age("max-age"));
        told.map_or(default, |told| told.clamp(self.minimum, self.maximum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const NOW: i64 = 784_111_777;

    #[test]
    fn the_origin_chooses_within_the_bounds_of_the_policy() {
        let policy = CachePolicy { minimum: 10, default: 100, maximum: 1_000, gzip: true, brotli: true };
        let seconds = |text| policy.seconds(Some(text), None, NOW);
        assert_eq!(policy.seconds(None, None, NOW), 100);
        assert_eq!(seconds("public"), 100);
        assert_eq!(seconds("max-age=50"), 50);
        assert_eq!(seconds("max-age=50, S-MaxAge=60"), 60);
        assert_eq!(seconds("max-age=5"), 10);
        assert_eq!(seconds("max-age=5000"), 1_000);
        assert_eq!(seconds("no-store"), 10);
        assert_eq!(DISABLED.1.seconds(Some("max-age=50"), None, NOW), 0);
    }

    #[test]
    fn a_policy_of_the_template_is_read_and_one_with_more_in_its_key_is_not() {
        let policy = |cookies: &str, headers: &str, query: &str| {
            CachePolicy::of(&json!({ "CachePolicyConfig": {
                "MinTTL": 1, "DefaultTTL": 60, "MaxTTL": 3_600,
                "ParametersInCacheKeyAndForwardedToOrigin": {
                    "CookiesConfig": { "CookieBehavior": cookies },
                    "EnableAcceptEncodingBrotli": true,
                    "EnableAcceptEncodingGzip": false,
                    "HeadersConfig": { "HeaderBehavior": headers },
                    "QueryStringsConfig": { "QueryStringBehavior": query },
                },
            } }))
        };
        let read = CachePolicy { minimum: 1, default: 60, maximum: 3_600, gzip: false, brotli: true };
        assert_eq!(policy("none", "none", "none"), Some(read));
        assert_eq!(policy("all", "none", "none"), None);
        assert_eq!(policy("none", "whitelist", "none"), None);
        assert_eq!(policy("none", "none", "all"), None);
    }

    #[test]
    fn a_time_counts_where_no_age_is_told() {
        let policy = CachePolicy { minimum: 10, default: 100, maximum: 1_000, gzip: true, brotli: true };
        let seconds = |control, expires| policy.seconds(control, Some(expires), NOW);
        assert_eq!(seconds(None, "Sun, 06 Nov 1994 08:50:37 GMT"), 60);
        assert_eq!(seconds(Some("public"), "Sun, 06 Nov 1994 08:50:37 GMT"), 60);
        assert_eq!(seconds(Some("max-age=50"), "Sun, 06 Nov 1994 08:50:37 GMT"), 50);
        assert_eq!(seconds(None, "Mon, 07 Nov 1994 08:49:37 GMT"), 1_000);
        assert_eq!(seconds(None, "Sun, 06 Nov 1994 08:49:36 GMT"), 10);
        assert_eq!(seconds(None, "0"), 10);
        assert_eq!(DISABLED.1.seconds(None, Some("Mon, 07 Nov 1994 08:49:37 GMT"), NOW), 0);
    }
}
