//! Visits to an edge that judges cookies as CloudFront does.

use std::time::{Instant, SystemTime};

use contract::keyring::KeyAlgorithm;
use rotator::aws::Edges;
use rotator::keypair;
use rotator::ports::KeyPair;
use signing::{CookieSet, PublicKey, TrustedKey, Viewing};

use super::server::Server;

/// An edge that trusts `pair` under the id `K1`, before a bucket without the object that is asked for.
fn edge(pair: &KeyPair) -> Server {
    let key = PublicKey::from_pem(&pair.public).expect("a public key");
    let trusted = [TrustedKey { id: "K1".into(), key }];
    Server::start(move |_, head| {
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let path = head.split(' ').nth(1).expect("a path");
        let url = format!("https://{}{path}", header("host").expect("a host"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
        let cookies = CookieSet::from_cookie_header(&header("cookie").unwrap_or_default()).expect("a set");
        let opened = signing::open(&cookies, &trusted, Viewing { url: &url, now, address: None });
        let error = |code: &str, more: &str| {
            let body = format!(
                "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message>{more}</Error>"
            );
            ("403 Forbidden".to_owned(), body)
        };
        match opened {
            // Told from a refusal by the edge by its code alone; the id is another each time.
            Ok(_) => error("NoSuchKey", &format!("<RequestId>{now}</RequestId>")),
            Err(_) => error("UnknownKey", ""),
        }
    })
}

#[test]
fn a_trusted_key_is_told_from_one_that_is_not_by_what_the_edge_answers() {
    let (pair, other) = [(); 2].map(|()| keypair::generate(KeyAlgorithm::EcdsaP256).expect("a pair")).into();
    let (server, edges) = (edge(&pair), Edges::over("http"));
    let host = server.host();
    let visit = |id: &str, pair: &KeyPair| edges.visit(&host, id, &pair.private).expect("an answer");
    let (trusted, again) = (visit("K1", &pair), visit("K1", &pair));
    assert_eq!(trusted, again, "the same viewer is answered twice");
    assert_ne!(trusted, visit("K2", &pair), "an unknown id");
    assert_ne!(trusted, visit("K1", &other), "another key under a known id");
    assert_eq!(visit("K2", &pair), visit("K3", &other), "two strangers");
}

#[test]
fn an_edge_that_is_out_of_order_or_silent_says_nothing() {
    let pair = keypair::generate(KeyAlgorithm::EcdsaP256).expect("a pair");
    let edges = Edges::over("http");
    let begun = Instant::now();
    for status in ["503 Service Unavailable", "429 Too Many Requests", "500 Internal Server Error"] {
        let server = Server::start(move |_, _| (status.to_owned(), String::new()));
        let fault = edges.visit(&server.host(), "K1", &pair.private).expect_err("nothing of the cookies");
        assert!(fault.to_string().contains("answers with status"), "{fault}");
    }
    let nobody = edges.visit("127.0.0.1:9", "K1", &pair.private).expect_err("nobody listens there");
    assert!(nobody.to_string().contains("does not answer"), "{nobody}");
    assert!(begun.elapsed().as_secs() < 30);
}
