//! Servers that cannot prove that they are AWS. None of them is told anything, whatever is wrong with what they
//! show: no credential, no token, not the name of a secret.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    NameConstraints, PKCS_ED25519, SanType, date_time_ymd,
};
use signer::settings::Settings;
use signer::state::State;
use tempfile::TempDir;
use testkit::authority::{Authority, Identity, authority_params, below, below_with, root, server_params};
use testkit::fixture::{self, jwks};
use testkit::peer::{KEYRING, Peer, Serve};

use crate::faults::{ask, code, lasting, settings};
use crate::network::moment;

const HOUR: u64 = 3_600;
/// Where the peer listens, and what its certificate must therefore name.
const HOST: &str = "127.0.0.1";

/// A root that the function trusts, in the file that it is told of.
struct Trust {
    root: Authority,
    folder: TempDir,
}

impl Trust {
    fn new() -> Self {
        let trust =
            Self { root: root(authority_params("root")), folder: tempfile::tempdir().expect("a folder") };
        std::fs::write(trust.bundle(), trust.root.pem()).expect("a file");
        trust
    }

    fn bundle(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// A server as it should be: with one authority between it and the root.
    fn good(&self) -> Identity {
        let between = below(&self.root, authority_params("between"));
        Identity::signed_by(&between, &[&between], &server_params(HOST))
    }

    fn settings(&self, peer: &Peer) -> Settings {
        Settings { ca_bundle: Some(self.bundle()), ..settings(&peer.url) }
    }
}

fn peer(identity: Identity) -> Arc<Peer> {
    let keyring = fixture::keyring("K1", "ecdsa-p256");
    Peer::start_tls(fixture::config(), keyring, jwks(&["id", "access"]), identity)
}

fn changed(mut params: CertificateParams, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    change(&mut params);
    params
}

/// Everything that can be wrong with who a server says it is.
fn faults(trust: &Trust) -> Vec<(&'static str, Identity)> {
    let signed = |params: &CertificateParams| Identity::signed_by(&trust.root, &[], params);
    let leaf = |change: fn(&mut CertificateParams)| signed(&changed(server_params(HOST), change));
    // The server's certificate is good, and the one between it and the root is not.
    let through = |change: fn(&mut CertificateParams)| {
        let between = below(&trust.root, changed(authority_params("between"), change));
        Identity::signed_by(&between, &[&between], &server_params(HOST))
    };
    let stranger = root(authority_params("stranger"));
    // Who bears the name of the root, but not its key.
    let namesake = root(authority_params("root"));
    let between = below(&trust.root, authority_params("between"));
    let short = changed(authority_params("short"), |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let short = below(&trust.root, short);
    let too_far = below(&short, authority_params("too far"));
    // A server that signs certificates for others.
    let server = below(&trust.root, server_params("example.com"));
    let edwards = KeyPair::generate_for(&PKCS_ED25519).expect("a key pair");
    let edwards = below_with(&trust.root, authority_params("edwards"), edwards);
    vec![
        ("another host", signed(&server_params("secretsmanager.us-east-1.amazonaws.com"))),
        ("another address", signed(&server_params("127.0.0.2"))),
        (
            "the address as a name",
            leaf(|params| {
                let name = HOST.try_into().expect("a name");
                params.subject_alt_names = vec![SanType::DnsName(name)];
            }),
        ),
        (
            "no name but the common one",
            leaf(|params| {
                params.subject_alt_names.clear();
                params.distinguished_name.push(rcgen::DnType::CommonName, HOST);
            }),
        ),
        ("expired", leaf(|params| params.not_after = date_time_ymd(2026, 1, 1))),
        ("not yet valid", leaf(|params| params.not_before = date_time_ymd(2190, 1, 1))),
        ("an authority that expired", through(|params| params.not_after = date_time_ymd(2026, 1, 1))),
        (
            "an authority that is not yet valid",
            through(|params| params.not_before = date_time_ymd(2190, 1, 1)),
        ),
        ("self-signed", Identity::self_signed(&server_params(HOST))),
        (
            "an authority's own certificate",
            leaf(|params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }),
        ),
        ("signed by a stranger", Identity::signed_by(&stranger, &[&stranger], &server_params(HOST))),
        ("signed by a namesake", Identity::signed_by(&namesake, &[&namesake], &server_params(HOST))),
        ("no way to the root", Identity::signed_by(&between, &[], &server_params(HOST))),
        (
            "for clients only",
            leaf(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }),
        ),
        (
            "for signing code only",
            leaf(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
            }),
        ),
        (
            "an authority for clients only",
            through(|params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }),
        ),
        ("signed by a server", Identity::signed_by(&server, &[&server], &server_params(HOST))),
        (
            "an authority too far down",
            Identity::signed_by(&too_far, &[&too_far, &short], &server_params(HOST)),
        ),
        (
            "an authority for other hosts",
            through(|params| {
                let permitted_subtrees = vec![GeneralSubtree::DnsName("example.com".into())];
                params.name_constraints =
                    Some(NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
                // Addresses are held back only where a range of them is named.
                let elsewhere = rcgen::CidrSubnet::V4([192, 0, 2, 0], [255, 255, 255, 0]);
                if let Some(constraints) = &mut params.name_constraints {
                    constraints.permitted_subtrees.push(GeneralSubtree::IpAddress(elsewhere));
                }
            }),
        ),
        ("an altered signature", signed(&server_params(HOST)).altered()),
        ("somebody else's certificate", signed(&server_params(HOST)).stolen()),
        ("a kind of signature that AWS has not", {
            Identity::signed_by(&edwards, &[&edwards], &server_params(HOST))
        }),
    ]
}

#[test]
fn a_server_that_cannot_prove_itself_is_told_nothing() {
    let trust = Trust::new();
    thread::scope(|scope| {
        for (fault, identity) in faults(&trust) {
            let trust = &trust;
            scope.spawn(move || {
                let peer = peer(identity);
                let lines = Arc::new(Mutex::new(String::new()));
                let sink = Arc::clone(&lines);
                let log =
                    move |written: &[String]| sink.lock().expect("no panic").push_str(&written.join("\n"));
                let state = Arc::new(State::new(&trust.settings(&peer), Box::new(log)));
                let refused = ask(&state, &fixture::good_token(), moment(0));
                assert_eq!(code(&refused), (503, "unavailable".into()), "{fault}");
                assert!(refused.values("set-cookie").is_empty(), "{fault}");
                assert_eq!((peer.heard(), peer.asked()), (0, [0, 0, 0]), "{fault}");
                let lines = lines.lock().expect("no panic").clone();
                assert!(lines.contains("\"error\":\"the certificate is not trusted\""), "{fault}: {lines}");
                // It was the certificate: with a good one the same process recovers.
                peer.present(trust.good());
                assert_eq!(ask(&state, &fixture::good_token(), moment(2)).status, 200, "{fault}");
                assert_eq!(peer.asked(), [1, 1, 1], "{fault}");
            });
        }
    });
}

#[test]
fn a_warm_process_lives_on_what_it_has_until_the_bound_and_tells_nobody_else() {
    let trust = Trust::new();
    thread::scope(|scope| {
        for (fault, identity) in faults(&trust) {
            let trust = &trust;
            scope.spawn(move || {
                let peer = peer(trust.good());
                let state = Arc::new(State::new(&trust.settings(&peer), Box::new(|_| {})));
                let signer = |second| {
                    let accepted = ask(&state, &lasting(), moment(second));
                    let cookies = accepted.values("set-cookie").join("\n");
                    let key = cookies.split("Key-Pair-Id=").nth(1).and_then(|rest| rest.split(';').next());
                    (accepted.status, key.unwrap_or_default().to_owned())
                };
                let (granted, refused) = ((200, "K1".to_owned()), (503, String::new()));
                assert_eq!(signer(0), granted, "{fault}");
                peer.present(identity);
                peer.serve(KEYRING, Serve::Document(fixture::keyring("K2", "ecdsa-p256")));
                let (heard, asked) = (peer.heard(), peer.asked());
                for second in [700, 2_000, HOUR - 1] {
                    assert_eq!(signer(second), granted, "{fault}");
                }
                assert_eq!(signer(HOUR), refused, "{fault}");
                assert_eq!((peer.heard(), peer.asked()), (heard, asked), "{fault}");
                peer.present(trust.good());
                assert_eq!(signer(HOUR + 60), (200, "K2".to_owned()), "{fault}");
            });
        }
    });
}

#[test]
fn only_the_authorities_that_are_named_count() {
    // A good server, of another root than the one in the file.
    let (ours, theirs) = (Trust::new(), Trust::new());
    let peer = peer(theirs.good());
    let state = Arc::new(State::new(&ours.settings(&peer), Box::new(|_| {})));
    assert_eq!(ask(&state, &fixture::good_token(), moment(0)).status, 503);
    // A file that is not there leaves nobody to trust.
    let nobody = Settings { ca_bundle: Some("/no/such/file".into()), ..settings(&peer.url) };
    let state = Arc::new(State::new(&nobody, Box::new(|_| {})));
    assert_eq!(ask(&state, &fixture::good_token(), moment(0)).status, 503);
    // Amazon's roots, which are trusted where no file is named, have not signed the peer's certificate either.
    let state = Arc::new(State::new(&settings(&peer.url), Box::new(|_| {})));
    assert_eq!(ask(&state, &fixture::good_token(), moment(0)).status, 503);
    assert_eq!((peer.heard(), peer.asked()), (0, [0, 0, 0]));
}
