//! Names and words that people choose.

use crate::tenant::declare::text;

text!(
    /// A free text of one line.
    Line {
        wanted: "a text of one line, of at most 200 characters",
        example: "Product pictures of the web shop",
        pattern: r"^[^\x00-\x1F\x7F-\x9F]+$",
        longest: 200,
    }
);

text!(
    /// Name of a tenant.
    TenantName {
        wanted: "the file's name without `.yaml`",
        example: "acme",
        pattern: r"^[a-z][a-z0-9-]*$",
        longest: 63,
    }
);

text!(
    /// Name of a file in `_tiers`, without `.yaml`.
    TierName {
        wanted: "the name of a file in `_tiers` without `.yaml`",
        example: "gold",
        pattern: r"^[a-z][a-z0-9-]*$",
        longest: 30,
    }
);

text!(
    /// A label's key.
    LabelKey {
        wanted: "a key of 1 to 63 letters, digits and `-_.`",
        example: "environment",
        pattern: r"^[A-Za-z0-9_.-]+$",
        longest: 63,
        but_not: r"^([Aa][Ww][Ss]|[Gg][Ee][Nn][Ee][Rr][Aa][Tt][Oo][Rr])",
        help: "labels become tags, where keys that begin with `aws` or `generator` are taken",
    }
);

text!(
    /// A label's value.
    Label {
        wanted: "a text of 1 to 63 letters, digits and `-_.`",
        example: "production",
        pattern: r"^[A-Za-z0-9_.-]+$",
        longest: 63,
    }
);

text!(
    /// A prefix of the sign-in domain.
    DomainPrefix {
        wanted: "1 to 63 lower-case letters, digits and inner hyphens",
        example: "acme-media",
        pattern: r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        longest: 63,
        but_not: r"aws|amazon|cognito",
        help: "Cognito refuses a sign-in domain that contains `aws`, `amazon` or `cognito`",
    }
);

text!(
    /// An OAuth scope: one that every user pool knows, or `server/scope` of a resource server.
    Scope {
        wanted: "`phone`, `email`, `openid`, `profile`, `aws.cognito.signin.user.admin` or `server/scope`",
        example: "openid",
        pattern: r"^(phone|email|openid|profile|aws\.cognito\.signin\.user\.admin|[A-Za-z0-9._:-]+/[A-Za-z0-9._:-]+)$",
        longest: 256,
    }
);

impl Scope {
    /// Resource server and name, where it is no scope that every user pool knows.
    #[must_use]
    pub fn custom(&self) -> Option<(&str, &str)> {
        self.as_str().split_once('/')
    }
}

text!(
    /// Identifier of a resource server.
    ResourceServerId {
        wanted: "an identifier of letters, digits and `._:-`",
        example: "media",
        pattern: r"^[A-Za-z0-9._:-]+$",
        longest: 100,
    }
);

text!(
    /// Name of a scope within its resource server.
    ScopeName {
        wanted: "a scope's name of letters, digits and `._:-`",
        example: "read",
        pattern: r"^[A-Za-z0-9._:-]+$",
        longest: 100,
    }
);

text!(
    /// Name of a group of users.
    GroupName {
        wanted: "a group's name of visible characters, without blanks",
        example: "subscribers",
        pattern: r"^[!-~]+$",
        longest: 128,
    }
);

text!(
    /// Name of an app client within its tenant.
    ClientName {
        wanted: "1 to 30 lower-case letters, digits and inner hyphens, a letter first",
        example: "studio",
        pattern: r"^[a-z]([a-z0-9-]*[a-z0-9])?$",
        longest: 30,
    }
);

text!(
    /// A colour.
    Color {
        wanted: "a colour such as `#0b5fff`, in quotes",
        example: "#0b5fff",
        pattern: r"^#[0-9A-Fa-f]{6}$",
        longest: 7,
    }
);

text!(
    /// Code of a country in ISO 3166-1.
    CountryCode {
        wanted: "the code of a country: two capital letters",
        example: "SE",
        pattern: r"^[A-Z]{2}$",
        longest: 2,
    }
);

text!(
    /// An e-mail address, perhaps with a name before it.
    EmailAddress {
        wanted: "an address such as `media@acme.example` or `Acme <media@acme.example>`",
        example: "Acme <media@acme.example>",
        pattern: r"^([A-Za-z0-9 ._-]+<[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>|[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)$",
        longest: 320,
    }
);
