//! The signatures of our requests to AWS, judged by the crate that signs for AWS's own SDK.

use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use signer::settings::Credentials;
use signer::sigv4::{Post, signature};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// `Authorization` and `X-Amz-Date` as the SDK would write them.
fn judged(post: &Post<'_>, credentials: &Credentials, epoch: u64) -> (String, String) {
    let Credentials { id, secret, session } = credentials;
    let identity = aws_credential_types::Credentials::new(id, secret, session.clone(), None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(post.region)
        .name(post.service)
        .time(UNIX_EPOCH + Duration::from_secs(epoch))
        .settings(SigningSettings::default())
        .build()
        .expect("parameters")
        .into();
    let headers = [("content-type", post.content_type), ("x-amz-target", post.target)];
    let url = format!("https://{}/", post.host);
    let body = SignableBody::Bytes(post.body);
    let request = SignableRequest::new("POST", url, headers.into_iter(), body).expect("a request");
    let (instructions, _) = sign(request, &parameters).expect("a signature").into_parts();
    let (headers, _) = instructions.into_parts();
    let value = |name: &str| {
        let header = headers.iter().find(|header| header.name() == name).expect("a header");
        header.value().to_owned()
    };
    (value("authorization"), value("x-amz-date"))
}

#[test]
fn our_signatures_are_those_of_the_sdk() {
    let (long, utf8) = ("x".repeat(5_000), "{\"Name\":\"/ä/config\"}");
    for host in ["ssm.us-east-1.amazonaws.com", "127.0.0.1:4566"] {
        for (service, target) in
            [("ssm", "AmazonSSM.GetParameter"), ("secretsmanager", "secretsmanager.GetSecretValue")]
        {
            for body in ["", "{}", utf8, &long] {
                for session in [None, Some("IQoJb3JpZ2luX2VjEA//+=="), Some("a")] {
                    for epoch in [0, 1_440_938_160, 1_767_225_599, 1_772_323_200] {
                        let credentials = Credentials {
                            id: "AKIDEXAMPLE".into(),
                            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
                            session: session.map(str::to_owned),
                        };
                        let body = body.as_bytes();
                        let post = Post {
                            service,
                            region: "us-east-1",
                            host,
                            target,
                            content_type: CONTENT_TYPE,
                            body,
                        };
                        let ours = signature(&post, &credentials, epoch);
                        let theirs = judged(&post, &credentials, epoch);
                        assert_eq!((ours.authorization, ours.date), theirs, "{service} {host} {epoch}");
                    }
                }
            }
        }
    }
}
