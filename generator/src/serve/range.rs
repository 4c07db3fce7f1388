//! Which part of a file is asked for, and whether the viewer has it already.
//! Source: RFC 9110, sections 13 and 14.

use http::HeaderMap;
use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE};

use super::dates;

/// The part of a file that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// From the first byte to the last, both included.
    Bytes(u64, u64),
    /// None: what was asked for lies behind its end.
    Outside,
}

/// The part that a request asks for of a file of `length` bytes. Several parts at once are answered with the whole,
/// as S3 does.
pub(super) fn part(asked: &HeaderMap, file: &HeaderMap, length: u64) -> Part {
    let Some(range) = asked.get(RANGE).and_then(|range| range.to_str().ok()) else { return Part::Whole };
    if let Some(condition) = asked.get(IF_RANGE) {
        let weak = condition.as_bytes().starts_with(b"W/");
        let same = file.get(ETAG) == Some(condition) || file.get(LAST_MODIFIED) == Some(condition);
        if weak || !same {
            return Part::Whole;
        }
    }
    single(range, length)
}

fn single(range: &str, length: u64) -> Part {
    let Some((from, to)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (number(from.trim()), number(to.trim())) {
        (Some(from), Some(to)) if to < from => Part::Whole,
        (Some(from), _) if from >= length => Part::Outside,
        (Some(from), Some(to)) => Part::Bytes(from, to.min(length - 1)),
        (Some(from), None) if to.trim().is_empty() => Part::Bytes(from, length - 1),
        (None, Some(0)) if from.trim().is_empty() => Part::Outside,
        (None, Some(last)) if from.trim().is_empty() && length > 0 => {
            Part::Bytes(length.saturating_sub(last), length - 1)
        }
        _ => Part::Whole,
    }
}

/// Whether the viewer has the file already.
pub(super) fn is_known(asked: &HeaderMap, file: &HeaderMap) -> bool {
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    if let Some(tags) = asked.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()) {
        let own = file.get(ETAG).and_then(|tag| tag.to_str().ok()).map(weak);
        return tags.trim() == "*" || own.is_some_and(|own| tags.split(',').any(|tag| weak(tag) == own));
    }
    let time =
        |headers: &HeaderMap, name| headers.get(name).and_then(|value| dates::parse(value.to_str().ok()?));
    match (time(asked, IF_MODIFIED_SINCE), time(file, LAST_MODIFIED)) {
        (Some(since), Some(modified)) => modified <= since,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_at_the_end_of_the_file() {
        for (range, wanted) in [
            ("bytes=0-9", Part::Bytes(0, 9)),
            ("bytes=990-", Part::Bytes(990, 999)),
            ("bytes=-5", Part::Bytes(995, 999)),
            ("bytes=-5000", Part::Bytes(0, 999)),
            ("bytes=10-5000", Part::Bytes(10, 999)),
            ("bytes=1000-", Part::Outside),
            ("bytes=-0", Part::Outside),
            ("bytes=99999999999999999999999-", Part::Outside),
            ("bytes=9-0", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("items=0-1", Part::Whole),
        ] {
            assert_eq!(single(range, 1_000), wanted, "{range}");
        }
        assert_eq!(single("bytes=-5", 0), Part::Whole);
        assert_eq!(single("bytes=0-", 0), Part::Outside);
    }

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn a_part_of_another_version_is_the_whole() {
        let file = headers(&[(ETAG, "\"a\"")]);
        let asked = |tag| headers(&[(RANGE, "bytes=0-1"), (IF_RANGE, tag)]);
        assert_eq!(part(&asked("\"a\""), &file, 10), Part::Bytes(0, 1));
        assert_eq!(part(&asked("\"b\""), &file, 10), Part::Whole);
        assert_eq!(part(&asked("W/\"a\""), &file, 10), Part::Whole);
    }

    #[test]
    fn what_the_viewer_has_is_known_by_its_tag_or_else_its_time() {
        let file = headers(&[(ETAG, "\"a\""), (LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT")]);
        let known = |name, value| is_known(&headers(&[(name, value)]), &file);
        assert!(known(IF_NONE_MATCH, "\"b\", W/\"a\""));
        assert!(known(IF_NONE_MATCH, "*"));
        assert!(!known(IF_NONE_MATCH, "\"b\""));
        assert!(known(IF_MODIFIED_SINCE, "Thu, 01 Jan 2026 00:00:00 GMT"));
        assert!(!known(IF_MODIFIED_SINCE, "Wed, 31 Dec 2025 23:59:59 GMT"));
        assert!(!known(IF_MODIFIED_SINCE, "yesterday"));
    }
}
