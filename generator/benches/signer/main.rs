//! `cargo bench --bench signer`: the packed signer in Lambda's Node, against JavaScript that does the same.
//!
//! It builds the very zip that is deployed, installs Node and the peers' packages into the cache folder, and
//! starts a server on the loopback address that answers for AWS over TLS. Peers take turns in every round, so
//! that a busy machine slows all of them; figures are medians. With `-- --json`, one JSON object a line.

#![expect(clippy::print_stdout, reason = "what a benchmark says goes to stdout")]
#![expect(clippy::print_stderr, reason = "a build of minutes should say that it goes on")]

mod cloud;
mod contender;
mod fixture;
mod peers;
mod quota;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark needs a part of it")]
mod support;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use generator::local::{self, Cache};
use generator::package::{self, CallerEnvironment, PackageOptions};
use generator::render::Artifact;

use self::contender::{First, Handler, Stage};
use self::fixture::Fixture;
use self::quota::Quota;
use self::support::{Figure, Report, cache_folder, median};

/// Requests of the warm figures, in rounds that take turns, after as many to warm up as a round has.
const ROUNDS: usize = 20;
const REQUESTS_A_ROUND: usize = 500;
/// Processes of each kind for the cold figures, on a whole processor and on its share.
const COLD_ROUNDS: usize = 15;
const QUOTA_ROUNDS: usize = 5;

const MEGABYTE: f64 = 1_000_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the crate lies in no project")?;
    let cache = cache_folder()?;
    let say = |line: &str| eprintln!("{line}");
    let node = local::node(&Cache::new(&cache), &say)?;
    let peers = peers::install(&cache, &node)?;
    say("building the signer as it is deployed");
    let zip = build(root, &cache)?;

    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    contender::unpack(&zip, &at("zip"))?;
    let fixture = Fixture::new()?;
    fs::write(at("events.json"), serde_json::to_vec(&fixture.events())?)?;
    let endpoint = cloud::start(&fixture, &at("authority.pem"))?;
    let stage = Stage {
        node: node.program(),
        peers,
        zip: at("zip"),
        events: at("events.json"),
        endpoint,
        bundle: at("authority.pem"),
    };

    let mut report = Report::new("signer");
    say("warm requests");
    let bare_rss = warm(&stage, &fixture, &mut report)?;
    say("cold starts");
    cold(&stage, &mut report)?;
    say("cold starts on 7 % of a processor");
    cold_on_quota(&stage, &mut report)?;
    report.add(Figure::new("zip_bytes", zip.len() as f64, "B").at_most(1_500_000.0));
    report.add(bare_rss);
    let kept = report.all_bounds_hold();
    println!("{}", report.show(std::env::args().any(|argument| argument == "--json")));
    if kept { Ok(()) } else { Err("a figure is over its bound".into()) }
}

/// The zip, built as for a deployment and into the same folder.
fn build(root: &Path, cache: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let options =
        PackageOptions::new(cache.join("runtime-target"), CallerEnvironment::new(std::env::vars_os()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut progress = |line: &str| eprintln!("{line}");
    Ok(runtime.block_on(package::zip_of(Artifact::Signer, root, &options, &mut progress))?)
}

/// The figures of warm processes; the last of them, resident memory, is given back to stand at the end.
fn warm(stage: &Stage, fixture: &Fixture, report: &mut Report) -> Result<Figure, Box<dyn Error>> {
    let kinds = [Handler::Bare, Handler::Addon, Handler::Sdk, Handler::Best];
    let mut all = Vec::new();
    for kind in kinds {
        let mut process = stage.start(kind, None)?;
        process.round(REQUESTS_A_ROUND)?;
        all.push(process);
    }
    let verification = Verification::new(fixture)?;
    verification.round(REQUESTS_A_ROUND)?;
    let mut times = kinds.map(|_| Vec::new());
    let (mut rss, mut verified) = (kinds.map(|_| 0.0), Vec::new());
    for _ in 0..ROUNDS {
        for ((process, times), rss) in all.iter_mut().zip(&mut times).zip(&mut rss) {
            let round = process.round(REQUESTS_A_ROUND)?;
            times.extend(round.us);
            *rss = round.rss_bytes;
        }
        verified.extend(verification.round(REQUESTS_A_ROUND)?);
    }
    let [_, addon, sdk, best] = times.map(|times| median(times).unwrap_or(f64::NAN));
    let verified = median(verified).unwrap_or(f64::NAN);
    let warm = |name| Figure::new(name, addon, "us");
    report.add(
        warm("warm_p50_vs_js_sdk")
            .against("aws-jwt-verify and @aws-sdk/cloudfront-signer", sdk)
            .at_most(1.0 / 40.0),
    );
    report.add(
        warm("warm_p50_vs_js_best")
            .against("aws-jwt-verify, key parsed once, cookies kept for their slot", best)
            .at_most(1.0 / 1.6),
    );
    report.add(
        warm("warm_p50_vs_rsa_verify")
            .against("the bare RSA-2048 verification by aws-lc", verified)
            .at_most(1.6),
    );
    let [bare, addon, ..] = rss;
    Ok(Figure::new("rss_above_node_mb", (addon - bare) / MEGABYTE, "MB").at_most(8.0))
}

/// Processor time from the start of a process to its first answer.
fn cold(stage: &Stage, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let [addon, sdk] = above_bare(stage, None, COLD_ROUNDS, |first| first.cpu_us / 1_000.0)?;
    report.add(Figure::new("cold_cpu_above_node_ms", addon, "ms").at_most(10.0));
    report.add(
        Figure::new("cold_cpu_vs_js_sdk", addon, "ms")
            .against("aws-jwt-verify, @aws-sdk/cloudfront-signer, client-ssm and client-secrets-manager", sdk)
            .at_most(0.1),
    );
    Ok(())
}

/// Time on the wall from the start of a process to its first answer, on a share of a processor.
fn cold_on_quota(stage: &Stage, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let quota = Quota::new();
    eprintln!("held back by {}", quota.kind());
    let wall = |first: &First| first.after.as_secs_f64() * 1_000.0;
    let [addon, sdk] = above_bare(stage, Some(&quota), QUOTA_ROUNDS, wall)?;
    report.add(
        Figure::new("cold_quota_vs_js_sdk", addon, "ms")
            .against("the same JavaScript, on 7 % of a processor", sdk)
            .at_most(0.2),
    );
    Ok(())
}

/// How much the addon and the JavaScript with its SDK take above a bare Node: the medians of the rounds'
/// differences, each round with a process of each kind.
fn above_bare(
    stage: &Stage,
    quota: Option<&Quota>,
    rounds: usize,
    measure: impl Fn(&First) -> f64,
) -> Result<[f64; 2], Box<dyn Error>> {
    let mut above = [Vec::new(), Vec::new()];
    // The first processes read from the disk what later ones find in memory.
    for round in 0..=rounds {
        let bare = measure(&stage.start(Handler::Bare, quota)?.first);
        for (kind, above) in [Handler::Addon, Handler::Sdk].into_iter().zip(&mut above) {
            let taken = measure(&stage.start(kind, quota)?.first);
            if round > 0 {
                above.push(taken - bare);
            }
        }
    }
    Ok(above.map(|above| median(above).unwrap_or(f64::NAN)))
}

/// What a token check cannot do without: the signature, checked by the library that the signer uses.
struct Verification {
    key: ParsedPublicKey,
    signed: Vec<(String, Vec<u8>)>,
}

impl Verification {
    fn new(fixture: &Fixture) -> Result<Self, Box<dyn Error>> {
        let (n, e) = &fixture.token_key;
        let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?;
        let mut signed = Vec::new();
        for token in &fixture.tokens {
            let (text, signature) = token.rsplit_once('.').ok_or("a token without a signature")?;
            signed.push((text.to_owned(), URL_SAFE_NO_PAD.decode(signature)?));
        }
        Ok(Self { key, signed })
    }

    /// How long each of so many took, in microseconds.
    fn round(&self, count: usize) -> Result<Vec<f64>, Box<dyn Error>> {
        let mut times = Vec::with_capacity(count);
        for (text, signature) in self.signed.iter().cycle().take(count) {
            let begun = Instant::now();
            self.key.verify_sig(text.as_bytes(), signature)?;
            times.push(begun.elapsed().as_nanos() as f64 / 1_000.0);
        }
        Ok(times)
    }
}
