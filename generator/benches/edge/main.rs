//! `cargo bench --bench edge`: the local edge at full speed, against Debian's nginx.
//!
//! Six tenants are deployed on a local cloud of their own and served by the real binary. First reads: pictures with
//! good cookies, some in part, some not again, from the edge and from nginx in turns, which has the same files, over
//! TLS and asked by the same code. Then a minute of mixed traffic for all tenants, in which the signing key of one of
//! them is rotated every five seconds. All the while viewers fetch new cookies, which live for a minute: what must open
//! is asked for with cookies of all keys and ages, up to their last seconds, and what must stay closed with none, with
//! another tenant's, with altered ones, and with those that have run out. With `-- --json`, one JSON object a line; with `-- --short`, some seconds in all.
//!
//! The load shares the processors with the server. `load_share` and `load_share_nginx` tell how much of their time it
//! took: a request costs it the same on both sides, so the faster a server is, the more of its lead the load hides.
//! `vs_nginx_cpu` leaves the load out: requests for each second of the server's own processor time. Linux only: it
//! reads `/proc`.

#![expect(clippy::print_stdout, reason = "what a benchmark says goes to stdout")]

#[path = "../../../tests/serve/debian.rs"]
mod debian;
mod issued;
mod load;
mod nginx;
#[path = "../../../tests/serve/started.rs"]
mod started;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark needs a part of it")]
mod support;
mod world;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ClientConfig, RootCertStore};

use self::issued::{Cookies, Issued};
use self::load::{Answer, Ask, Counts, Expected, Server, cpu};
use self::nginx::Nginx;
use self::support::{Figure, Report};
use self::world::{PICTURES, TENANTS, World};

/// Rounds in which edge and nginx take turns.
const ROUNDS: u32 = 4;
const ROUND: Duration = Duration::from_secs(5);
const MIXED: Duration = Duration::from_secs(60);
/// From the start of one rotation to that of the next.
const ROTATION: Duration = Duration::from_secs(5);
/// Least that reads may be, in times of nginx's.
const VS_NGINX_MIN: f64 = 0.5;
/// Where a viewer gets cookies.
const COOKIE: &str = "/cookie";

fn main() -> Result<(), Box<dyn Error>> {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    let part = if has("--short") { 10 } else { 1 };
    let world = World::start()?;
    let nginx = Nginx::start(world.files(), world.folder())?;
    let mut report = Report::new("edge");
    // Their first cookies run out while the traffic is mixed.
    let tenants: Vec<Tenant> =
        (0..TENANTS.len()).map(|number| Tenant::new(&world, number)).collect::<Result<_, _>>()?;
    reads(&world, &nginx, ROUND / part, &mut report)?;
    drop(nginx);
    mixed(&world, &tenants, MIXED / part, &mut report)?;
    let kept = report.all_bounds_hold();
    println!("{}", report.show(has("--json")));
    if kept { Ok(()) } else { Err("a figure is out of its bound".into()) }
}

/// A client's side of TLS: HTTP/1.1, which both servers speak alike.
fn trusting(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A request without anything.
fn plain(path: &str) -> Ask {
    Ask { path: path.into(), headers: String::new(), expected: Expected::Granted }
}

fn picture(number: u64) -> String {
    format!("/pictures/{}.jpg", number % PICTURES)
}

/// Tags of all pictures, by which they are not sent again.
fn tags(server: &Server, cookies: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut connection = server.connect().map_err(|error| error.to_string())?;
    let mut tags = Vec::new();
    for number in 0..PICTURES {
        let headers = format!("Cookie: {cookies}\r\n");
        let ask = Ask { path: picture(number), headers, expected: Expected::Granted };
        let (answer, _) = connection.ask(&ask)?;
        let tag = answer.header("etag").next().map(str::to_owned);
        tags.push(tag.ok_or_else(|| format!("picture {number} is not there: {}", answer.head))?);
    }
    Ok(tags)
}

/// The `n`th read of a connection: mostly whole pictures, some in part, some that are known already.
fn read(cookies: &str, tags: &[String], connection: usize, n: u64) -> Ask {
    let number = scattered(connection, n);
    let mut headers = format!("Cookie: {cookies}\r\n");
    match number % 20 {
        0..2 => {
            let tag = usize::try_from((number / 20) % PICTURES).ok().and_then(|at| tags.get(at));
            headers.push_str(&format!("If-None-Match: {}\r\n", tag.map_or("", String::as_str)));
        }
        2 => headers.push_str("Range: bytes=100-1123\r\n"),
        _ => {}
    }
    Ask { path: picture(number / 20), headers, expected: Expected::Granted }
}

/// Numbers that look like chance and are the same in every run.
fn scattered(connection: usize, n: u64) -> u64 {
    let mut value = (connection as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(n);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (value ^ (value >> 31)) >> 8
}

/// What some rounds have cost.
#[derive(Default)]
struct Cost {
    counts: Counts,
    wall: Duration,
    server: Duration,
    load: Duration,
}

impl Cost {
    fn round<N: Fn(usize, u64) -> Ask + Sync>(
        &mut self,
        server: &Server,
        used: impl Fn() -> Duration,
        time: Duration,
        next: N,
    ) -> Result<(), Box<dyn Error>> {
        let (before, own, start) = (used(), cpu(std::process::id()), Instant::now());
        self.counts.add(load::run(std::slice::from_ref(server), time, next, |_, _, _| Ok(()))?);
        self.wall += start.elapsed();
        self.server += used().saturating_sub(before);
        self.load += cpu(std::process::id()).saturating_sub(own);
        Ok(())
    }

    fn per_second(&self) -> f64 {
        self.counts.requests as f64 / self.wall.as_secs_f64()
    }

    fn per_cpu_second(&self) -> f64 {
        self.counts.requests as f64 / self.server.as_secs_f64()
    }

    /// The load's part of all the processors' time.
    fn load_share(&self) -> f64 {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.load.as_secs_f64() / (self.wall.as_secs_f64() * processors as f64)
    }
}

fn reads(world: &World, nginx: &Nginx, round: Duration, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let edge = world.edge(0);
    let first = world.cookies(0)?;
    let (ours, theirs) = (tags(&edge, &first)?, tags(&nginx.server, &first)?);
    let (mut own, mut peer) = (Cost::default(), Cost::default());
    for _ in 0..ROUNDS {
        let cookies = world.cookies(0)?;
        own.round(&edge, || cpu(world.process()), round, |one, n| read(&cookies, &ours, one, n))?;
        peer.round(&nginx.server, || nginx.cpu(), round, |one, n| read(&cookies, &theirs, one, n))?;
    }
    if own.counts.wrong_refusals + peer.counts.wrong_refusals > 0 {
        return Err("a read was refused".into());
    }
    let name = "Debian's nginx with the same files, load and machine";
    report.add(
        Figure::new("vs_nginx", own.per_second(), "1/s")
            .against(name, peer.per_second())
            .at_least(VS_NGINX_MIN),
    );
    let name = "nginx: requests for each second of the server's own processor time";
    report.add(Figure::new("vs_nginx_cpu", own.per_cpu_second(), "1/s").against(name, peer.per_cpu_second()));
    report.add(Figure::new("load_share", own.load_share(), ""));
    report.add(Figure::new("load_share_nginx", peer.load_share(), ""));
    Ok(())
}

/// What is known of one tenant while its keys are rotated.
struct Tenant {
    tags: Vec<String>,
    bearer: String,
    issued: Issued,
    first_key: String,
    /// Keys whose cookies have opened something.
    keys: Mutex<BTreeSet<String>>,
    /// Requests that cookies of a rotated key have opened, and that cookies have not because they had run out.
    opened_by_new: AtomicU64,
    refused_as_over: AtomicU64,
}

impl Tenant {
    fn new(world: &World, number: usize) -> Result<Self, Box<dyn Error>> {
        let first = Cookies::of(world.cookies(number)?)?;
        let tenant = Self {
            tags: tags(&world.edge(number), &first.header)?,
            bearer: world.bearer(number)?,
            issued: Issued::default(),
            first_key: first.key.clone(),
            keys: Mutex::default(),
            opened_by_new: AtomicU64::new(0),
            refused_as_over: AtomicU64::new(0),
        };
        tenant.issued.take(first);
        Ok(tenant)
    }

    /// What a viewer asks who has no cookies yet.
    fn fresh_cookies(&self) -> Ask {
        Ask { path: COOKIE.into(), headers: self.bearer.clone(), expected: Expected::Granted }
    }

    /// A read with cookies of any age.
    fn read(&self, connection: usize, n: u64) -> Ask {
        match self.issued.live(scattered(connection, n) / 50) {
            Some(cookies) => read(&cookies.header, &self.tags, connection, n),
            None => self.fresh_cookies(),
        }
    }

    /// Notes what has come back.
    fn note(&self, ask: &Ask, answer: &Answer) -> Result<(), Box<dyn Error>> {
        if ask.path == COOKIE {
            if answer.status == 200 {
                self.issued.take(Cookies::of(world::cookies_of(answer))?);
            }
            return Ok(());
        }
        if ask.expected == Expected::RunOut && answer.status == 403 {
            self.refused_as_over.fetch_add(1, Ordering::Relaxed);
        }
        let granted = ask.expected == Expected::Granted && matches!(answer.status, 200 | 206 | 304);
        let key = ask
            .headers
            .split("CloudFront-Key-Pair-Id=")
            .nth(1)
            .and_then(|rest| rest.split([';', '\r']).next());
        let Some(key) = key.filter(|_| granted) else { return Ok(()) };
        if key != self.first_key {
            self.opened_by_new.fetch_add(1, Ordering::Relaxed);
        }
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.contains(key) {
            keys.insert(key.to_owned());
        }
        Ok(())
    }
}

/// Everything that viewers and others do, while keys are rotated.
fn mixed(
    world: &World,
    tenants: &[Tenant],
    time: Duration,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    let edges: Vec<Server> = (0..TENANTS.len()).map(|number| world.edge(number)).collect();
    let (stop, rotations) = (AtomicBool::new(false), AtomicU64::new(0));
    let next = |connection: usize, n: u64| {
        let number = scattered(connection, n);
        let own = &tenants[connection % tenants.len()];
        let other = &tenants[(connection + 1) % tenants.len()];
        match number % 50 {
            0 => own.fresh_cookies(),
            1..3 => closed(number, None, Expected::Refused),
            3 => match own.issued.over(number / 50) {
                Some(over) => closed(number, Some(over), Expected::RunOut),
                None => closed(number, None, Expected::Refused),
            },
            4..6 => closed(number, other.issued.live(number / 50), Expected::Refused),
            6..8 => closed(number, own.issued.live(number / 50).map(altered), Expected::Refused),
            _ => own.read(connection, n),
        }
    };
    let seen =
        |connection: usize, ask: &Ask, answer: &Answer| tenants[connection % tenants.len()].note(ask, answer);
    let start = Instant::now();
    let (counts, wall) = std::thread::scope(|scope| {
        let rotating = scope.spawn(|| -> Result<(), String> {
            for number in (0..TENANTS.len()).cycle() {
                let begun = Instant::now();
                world.rotate(number).map_err(|error| error.to_string())?;
                rotations.fetch_add(1, Ordering::Relaxed);
                while begun.elapsed() < ROTATION && !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(())
        });
        let counts = load::run(&edges, time, next, seen);
        let wall = start.elapsed();
        stop.store(true, Ordering::Relaxed);
        rotating.join().map_err(|_| "the rotating thread has panicked")??;
        counts.map(|counts| (counts, wall))
    })?;
    if counts.odd > 0 {
        return Err(format!("{} requests were neither granted nor refused", counts.odd).into());
    }
    report.add(Figure::new("requests_per_second", counts.requests as f64 / wall.as_secs_f64(), "1/s"));
    report.add(Figure::new("wrong_refusals", counts.wrong_refusals as f64, "").at_most(0.0));
    report.add(Figure::new("wrong_grants", counts.wrong_grants as f64, "").at_most(0.0));
    report.add(Figure::new("rotations", rotations.load(Ordering::Relaxed) as f64, "").at_least(1.0));
    let keys = |tenant: &Tenant| tenant.keys.lock().unwrap_or_else(PoisonError::into_inner).len();
    let sum = |of: fn(&Tenant) -> &AtomicU64| -> f64 {
        tenants.iter().map(|tenant| of(tenant).load(Ordering::Relaxed)).sum::<u64>() as f64
    };
    // The old key of each tenant and the first new one, at least, where the minute is a whole one.
    let least = TENANTS.len() * if time < MIXED { 1 } else { 2 };
    let opened: usize = tenants.iter().map(keys).sum();
    report.add(Figure::new("keys_that_opened", opened as f64, "").at_least(least as f64));
    report.add(Figure::new("opened_by_rotated_keys", sum(|tenant| &tenant.opened_by_new), ""));
    report.add(Figure::new("refused_as_run_out", sum(|tenant| &tenant.refused_as_over), ""));
    Ok(())
}

/// A picture with cookies that must not open it, or with none.
fn closed(number: u64, cookies: Option<Cookies>, expected: Expected) -> Ask {
    let headers = cookies.map(|cookies| format!("Cookie: {}\r\n", cookies.header)).unwrap_or_default();
    Ask { path: picture(number / 50), headers, expected }
}

/// The same cookies with another signature.
fn altered(cookies: Cookies) -> Cookies {
    let change = |pair: &str| match pair.split_once("-Signature=") {
        Some((name, value)) => {
            let turned: String = value.chars().rev().collect();
            format!("{name}-Signature={turned}")
        }
        None => pair.to_owned(),
    };
    Cookies { header: cookies.header.split("; ").map(change).collect::<Vec<_>>().join("; "), ..cookies }
}
