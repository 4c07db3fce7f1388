//! Which behaviour a path falls under.

/// A behaviour's path pattern. `*` stands for any characters, `?` for one; the case counts, the query does not,
/// and a leading slash may be left out.
/// Source: AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior, path pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPattern(String);

impl PathPattern {
    /// The pattern as it stands in a template.
    #[must_use]
    pub(super) fn new(text: &str) -> Self {
        let slash = if text.starts_with('/') { "" } else { "/" };
        Self(format!("{slash}{text}"))
    }

    /// Whether it covers a path that [`normal`] has brought into its normal form.
    #[must_use]
    pub(super) fn covers(&self, path: &str) -> bool {
        // The wildcards are those of a policy's resource.
        signing::matches(&self.0, path)
    }
}

/// A path in the form in which CloudFront compares it: no dot segments, and unreserved characters not encoded
/// (RFC 3986, section 6.2.2). Only the choice of the behaviour looks at this form; the origin gets the path as
/// it was sent.
#[must_use]
pub(super) fn normal(path: &str) -> String {
    without_dots(&without_needless_encoding(path))
}

fn without_needless_encoding(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let byte = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                rest = &rest[at + 3..];
            }
            Some(byte) => {
                out.push_str(&format!("%{byte:02X}"));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_cloudfronts_documentation_says() {
        let covered = [
            ("/cookie", "/cookie"),
            ("/cookie/*", "/cookie/"),
            ("/cookie/*", "/cookie/remove"),
            ("cookie/*", "/cookie/remove"),
            ("images/*.jpg", "/images/a/b.jpg"),
            ("/a?.gif", "/ab.gif"),
            ("/a*.gif", "/a.gif"),
            ("*.gif", "/deep/er.gif"),
            ("*", "/"),
        ];
        for (pattern, path) in covered {
            assert!(PathPattern::new(pattern).covers(path), "{pattern} {path}");
        }
        let other = [
            ("/cookie", "/cookie/"),
            ("/cookie", "/Cookie"),
            ("/cookie/*", "/cookie"),
            ("/a?.gif", "/a.gif"),
            ("images/*.jpg", "/images/a.JPG"),
            ("images/*.jpg", "/other/images/a.jpg"),
        ];
        for (pattern, path) in other {
            assert!(!PathPattern::new(pattern).covers(path), "{pattern} {path}");
        }
    }

    #[test]
    fn no_way_of_writing_a_path_leads_under_another_pattern() {
        for path in
            ["/public/../a.jpg", "/public/%2e%2E/a.jpg", "/./a.jpg", "/x/../public/.././a.jpg", "/../a.jpg"]
        {
            assert_eq!(normal(path), "/a.jpg", "{path}");
        }
        assert_eq!(normal("/%61%2f%c3%a4"), "/a%2F%C3%A4");
        assert_eq!(normal("/a/.."), "/");
        assert_eq!(normal("/a/./"), "/a/");
        assert_eq!(normal("/a//b"), "/a//b");
        assert_eq!(normal("/100%"), "/100%");
        assert_eq!(normal("/%zz%é"), "/%zz%é");
    }
}
