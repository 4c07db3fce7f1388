//! What browsers and CloudFront speak of: hosts, origins, paths, headers, status codes.

use crate::tenant::declare::{status, text};

macro_rules! host {
    () => {
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
    };
}

/// A colon and a port from 1 to 65535.
macro_rules! port {
    () => {
        r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
    };
}

/// Scheme, host and port of a page; without TLS only on the developer's own machine.
macro_rules! origin {
    () => {
        concat!(r"(https://", host!(), r"|http://(([a-z0-9-]+\.)*localhost|127\.0\.0\.1))", port!())
    };
}

text!(
    /// A web origin as browsers send it: scheme, host and perhaps a port, without a path.
    WebOrigin {
        wanted: "a web origin such as `https://app.example.com`, without a path",
        example: "https://app.example.com",
        pattern: concat!("^", origin!(), "$"),
        longest: 300,
        but_not: r"\*",
        help: "cookies are credentials, which no browser sends to a wildcard origin: list each origin",
    }
);

text!(
    /// A URL that a browser is sent to after signing in or out.
    ReturnUrl {
        wanted: "a URL with `https`, or with `http` for localhost, without a fragment",
        example: "https://app.example.com/signed-in",
        pattern: concat!("^", origin!(), r#"([/?][!-"$-~]*)?$"#),
        longest: 1024,
    }
);

text!(
    /// A host name, lower case, without a wildcard.
    HostName {
        wanted: "a host name in lower case such as `media.example.com`",
        example: "media.example.com",
        pattern: r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$",
        longest: 253,
        but_not: r"\.cloudfront\.net$",
        help: "CloudFront gives out these names itself",
    }
);

text!(
    /// A path of the distribution; `*` stands for any characters, `?` for one.
    PathPattern {
        wanted: "a path that begins with `/`, in which `*` and `?` match",
        example: "/previews/*",
        pattern: r"^/[A-Za-z0-9_.*$/~@:+?&'-]+$",
        longest: 255,
        but_not: r"^/\*+$|^/cookie(/.*|\*.*)?$",
        help: "`/*` is what the default is for, and `/cookie` is answered by the signer",
    }
);

text!(
    /// A path of one page, without wildcards.
    PagePath {
        wanted: "the path of a page that begins with `/`",
        example: "/errors/not-found.html",
        pattern: r"^/[A-Za-z0-9_.$/~@:+&'-]+$",
        longest: 255,
    }
);

text!(
    /// The path that a page's files lie under: it begins and ends with `/`.
    PageRoot {
        wanted: "a path that begins and ends with `/`",
        example: "/gallery/",
        pattern: r"^/([A-Za-z0-9_-][A-Za-z0-9._-]*/)+$",
        longest: 200,
        but_not: r"^/$|^/cookie/",
        help: "everybody may read below it, so it cannot be `/`; and `/cookie` is answered by the signer",
    }
);

text!(
    /// A folder of the project, from its root.
    PageFolder {
        wanted: "a folder of the project, such as `examples/gallery`",
        example: "examples/gallery",
        pattern: r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
        longest: 255,
        but_not: r"^/|^\.\.?/|/\.\.?/|//",
        help: "it must lie within the project, so that whoever deploys has the same files",
    }
);

text!(
    /// Name of a response header, lower case.
    HeaderName {
        wanted: "the name of a header in lower case",
        example: "x-robots-tag",
        pattern: r"^[a-z0-9-]+$",
        longest: 128,
        but_not: concat!(
            r"^(connection|content-encoding|content-length|expect|host|keep-alive|te|trailer",
            r"|transfer-encoding|upgrade|via|warning|set-cookie|cookie|content-security-policy",
            r"|strict-transport-security|x-frame-options|referrer-policy|x-content-type-options)$",
            r"|^(access-control-|proxy-|x-amz-|x-amzn-|x-edge-|x-accel-|x-cache)"
        ),
        help: "CloudFront keeps this header for itself, or a setting of its own sets it",
    }
);

text!(
    /// Value of a response header.
    HeaderValue {
        wanted: "a header's value: visible characters and blanks",
        example: "noindex",
        pattern: r"^[!-~]([ -~]*[!-~])?$",
        longest: 1783,
    }
);

text!(
    /// Name of a request header that pages of other origins may send, or `*` for any.
    CorsHeader {
        wanted: "the name of a header, or `*`",
        example: "range",
        pattern: r"^(\*|[A-Za-z0-9-]+)$",
        longest: 128,
    }
);

status!(
    /// A status that CloudFront lets a page of one's own stand for.
    ErrorStatus: 400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504
);

status!(
    /// A status that is sent with a page of one's own.
    AnswerStatus: 200, 400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504
);
