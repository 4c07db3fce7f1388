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
/// Media types that it compresses, in alphabetical order.
const TYPES: [&str; 47] = [
    "application/dash+xml",
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/javascript",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.apple.mpegurl",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/tab-separated-values",
    "text/x-component",
    "text/x-java-source",
    "text/x-script",
    "text/xml",
    "vnd.apple.mpegurl",
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
        && TYPES.binary_search(&kind.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::cache_policy::CachePolicy;
    use super::super::distribution::ViewerProtocol;
    use super::*;
    use std::io::Read as _;

    #[test]
    fn only_what_gains_by_it_is_compressed() {
        assert!(TYPES.is_sorted());
        let behaviour = |compress| Behaviour {
            pattern: None,
            protocol: ViewerProtocol::HttpsOnly,
            methods: Vec::new(),
            compress,
            cache: CachePolicy { minimum: 0, default: 0, maximum: 0, gzip: true, brotli: true },
            key_groups: Vec::new(),
            headers: None,
            viewer_request: None,
        };
        let of = |kind: &str| HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().expect("a value"))]);
        let on = behaviour(true);
        for kind in ["text/html; charset=utf-8", "Image/SVG+xml", "vnd.apple.mpegurl", "application/dash+xml"]
        {
            assert!(is_compressible(&on, &of(kind), 1_000), "{kind}");
        }
        for kind in ["image/jpeg", "text/calendar", "application/octet-stream"] {
            assert!(!is_compressible(&on, &of(kind), 1_000), "{kind}");
        }
        let html = of("text/html");
        assert!(is_compressible(&on, &html, 10_000_000));
        assert!(!is_compressible(&on, &html, 999) && !is_compressible(&on, &html, 10_000_001));
        assert!(!is_compressible(&behaviour(false), &html, 1_000));
        let mut coded = html.clone();
        coded.insert(CONTENT_ENCODING, "identity".parse().expect("a value"));
        assert!(!is_compressible(&on, &coded, 1_000), "whatever its coding is");
    }

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
