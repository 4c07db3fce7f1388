//! Names and ARNs of things that AWS has already.

use crate::tenant::declare::text;

text!(
    /// Code of an AWS region.
    Region {
        wanted: "the code of an AWS region such as `eu-north-1`",
        example: "eu-north-1",
        pattern: r"^[a-z]{2}(-[a-z]+)+-[0-9]$",
        longest: 25,
    }
);

text!(
    /// Number of an AWS account. A text, as a number would lose leading zeros.
    AccountId {
        wanted: "an AWS account id: twelve digits in quotes",
        example: "111122223333",
        pattern: r"^[0-9]{12}$",
        longest: 12,
    }
);

text!(
    /// ARN of an IAM role.
    RoleArn {
        wanted: "the ARN of an IAM role such as `arn:aws:iam::111122223333:role/deploy`",
        example: "arn:aws:iam::111122223333:role/deploy",
        pattern: r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+$",
        longest: 2048,
    }
);

text!(
    /// ARN of a certificate in AWS Certificate Manager.
    CertificateArn {
        wanted: "the ARN of an ACM certificate such as `arn:aws:acm:us-east-1:111122223333:certificate/…`",
        example: "arn:aws:acm:us-east-1:111122223333:certificate/6f1d9a9e-8f0b-4a57-9a8c-3f3c8a1b2c4d",
        pattern: r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$",
        longest: 200,
    }
);

text!(
    /// ARN of a web ACL of AWS WAF for CloudFront.
    WebAclArn {
        wanted: "the ARN of a global web ACL, which stands in us-east-1",
        example: "arn:aws:wafv2:us-east-1:111122223333:global/webacl/media/0c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5",
        pattern: r"^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+$",
        longest: 256,
    }
);

text!(
    /// ARN of a key in AWS KMS. An alias would not tell which key a policy allows.
    KmsKeyArn {
        wanted: "the ARN of a KMS key such as `arn:aws:kms:eu-north-1:111122223333:key/…`, not an alias",
        example: "arn:aws:kms:eu-north-1:111122223333:key/1b2c3d4e-5f60-4a7b-8c9d-0e1f2a3b4c5d",
        pattern: r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
        longest: 200,
    }
);

text!(
    /// Name of a bucket in S3.
    BucketName {
        wanted: "a bucket name: 3 to 63 lower-case letters, digits and inner hyphens",
        example: "initech-media-archive",
        pattern: r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
        longest: 63,
        but_not: r"^xn--|^sthree-|-s3alias$|--ol-s3$",
        help: "S3 keeps this beginning or end for itself",
    }
);

text!(
    /// Host name of the bucket that takes access logs.
    LogBucketDomain {
        wanted: "the host name of a log bucket such as `logs.s3.amazonaws.com`",
        example: "example-access-logs.s3.amazonaws.com",
        pattern: r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\.s3(\.[a-z0-9-]+)?\.amazonaws\.com$",
        longest: 128,
    }
);

text!(
    /// What the names of access logs begin with.
    LogPrefix {
        wanted: "a prefix that does not begin with `/`, of at most 256 characters",
        example: "acme/",
        pattern: r"^[A-Za-z0-9_.=-][A-Za-z0-9_./=-]*$",
        longest: 256,
    }
);

text!(
    /// Id of a user pool.
    UserPoolId {
        wanted: "the id of a user pool such as `eu-north-1_AbCdEf123`",
        example: "eu-north-1_AbCdEf123",
        pattern: r"^[a-z]{2}(-[a-z]+)+-[0-9]_[A-Za-z0-9]+$",
        longest: 55,
    }
);

text!(
    /// Id of an app client of a user pool.
    ClientId {
        wanted: "the id of an app client: letters and digits",
        example: "1h57kf5cpq17m0eml12example",
        pattern: r"^[A-Za-z0-9_+]+$",
        longest: 128,
    }
);

text!(
    /// ARN of an address or domain that Amazon SES may send from.
    EmailIdentityArn {
        wanted: "the ARN of an SES identity such as `arn:aws:ses:eu-north-1:111122223333:identity/example.com`",
        example: "arn:aws:ses:eu-north-1:111122223333:identity/acme.example",
        pattern: r"^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/[!-~]+$",
        longest: 400,
    }
);

/// The fields of an ARN, counted from `arn`.
fn field(arn: &str, index: usize) -> &str {
    arn.split(':').nth(index).unwrap_or_default()
}

macro_rules! located {
    ($($name:ident),*) => {
        $(
            impl $name {
                /// Region that it stands in.
                #[must_use]
                pub fn region(&self) -> &str {
                    field(self.as_str(), 3)
                }

                /// Account that it belongs to.
                #[must_use]
                pub fn account(&self) -> &str {
                    field(self.as_str(), 4)
                }
            }
        )*
    };
}

located!(CertificateArn, WebAclArn, KmsKeyArn, RoleArn);

impl UserPoolId {
    /// Region that the pool stands in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.as_str().split('_').next().unwrap_or_default()
    }
}
