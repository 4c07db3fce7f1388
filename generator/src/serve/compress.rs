//! Compression as CloudFront does it by itself.
//! Source: AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.

use std::io::Write as _;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::cache::Stored;
use super::distribution::Behaviour;
use super::viewer::Viewer;

/// Sizes that CloudFront compresses, in bytes.
const SIZES: std::ops::RangeInclusive<usize> = 1_000..=10_000_000;
/// Media types that it compresses, beside everything that begins with `text/`.
const TYPES: [&str; 14] = [
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/manifest+json",
    "application/rss+xml",
    "application/vnd.apple.mpegurl",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/xhtml+xml",
    "application/xml",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
];

/// A coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// Its name in headers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The coding in which a viewer gets an answer; `None`: as it is.
    pub(super) fn of(behaviour: &Behaviour, viewer: &Viewer, stored: &Stored) -> Option<Self> {
        if !is_compressible(behaviour, &stored.headers, stored.body.len()) {
            return None;
        }
        let policy = &behaviour.cache;
        let offered = [(Self::Brotli, policy.brotli), (Self::Gzip, policy.gzip)];
        offered
            .into_iter()
            .find(|(coding, on)| *on && viewer.accepts(coding.name()))
            .map(|(coding, _)| coding)
    }

    /// The bytes of an answer in this coding, made once.
    pub(super) fn bytes(self, stored: &Stored) -> Bytes {
        let [brotli, gzip] = &*stored.coded;
        match self {
            Self::Brotli => brotli.get_or_init(|| self.encode(&stored.body)),
            Self::Gzip => gzip.get_or_init(|| self.encode(&stored.body)),
        }
        .clone()
    }

    /// In memory, so writing cannot fail; where it did, the empty answer would be seen at once.
    fn encode(self, bytes: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(bytes.len() / 2);
        let written = match self {
            Self::Brotli => brotli::CompressorWriter::new(&mut out, 64 * 1024, 5, 20).write_all(bytes),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::new(6));
                encoder.write_all(bytes).and_then(|()| encoder.finish().map(|_| ()))
            }
        };
        if written.is_ok() { out.into() } else { Bytes::new() }
    }
}

/// Whether an answer is one that CloudFront would compress for some viewer: then it depends on what the viewer takes.
pub(super) fn is_compressible(behaviour: &Behaviour, headers: &HeaderMap, size: usize) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    behaviour.compress
        && (behaviour.cache.gzip || behaviour.cache.brotli)
        && SIZES.contains(&size)
        && !headers.contains_key(CONTENT_ENCODING)
        && (kind.starts_with("text/") || TYPES.contains(&kind.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn both_codings_give_the_bytes_back() {
        let text = "all pictures of this page are private. ".repeat(200);
        let packed = Coding::Gzip.encode(text.as_bytes());
        let mut out = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut out).expect("gzip");
        assert_eq!(out, text);
        let packed = Coding::Brotli.encode(text.as_bytes());
        assert!(packed.len() < text.len() / 10);
        out.clear();
        brotli::Decompressor::new(&packed[..], 4_096).read_to_string(&mut out).expect("brotli");
        assert_eq!(out, text);
    }
}
