//! The fuzz targets for a bounded time on stable Rust: every seed and every finding, then changed ones.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use testkit::hostile::{Numbers, disturbed};
use testkit::targets::{ALL, Target, seeds};

/// How long each target goes on, and the longest that one text may take.
const TIME: Duration = Duration::from_secs(3);
const ONE: Duration = Duration::from_secs(2);

fn run(name: &str, target: Target) {
    let mut texts: Vec<(String, Vec<u8>)> = fs::read_dir(seeds(name))
        .expect("a folder of seeds")
        .map(|entry| entry.expect("a seed").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a seed")))
        .collect();
    texts.sort();
    assert!(!texts.is_empty(), "no seeds for {name}");
    let judge = |what: &str, bytes: &[u8]| {
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| target(bytes)));
        let shown = || String::from_utf8_lossy(bytes).into_owned();
        assert!(outcome.is_ok(), "{name}, {what}:\n{}", shown());
        assert!(began.elapsed() < ONE, "{name}, {what}: {:?}:\n{}", began.elapsed(), shown());
    };
    for (path, bytes) in &texts {
        judge(path, bytes);
    }
    let mut numbers = Numbers::new(0x9e37_79b9_7f4a_7c15);
    let (start, mut tried) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        let (path, bytes) = numbers.one(&texts);
        let (_, other) = numbers.one(&texts);
        judge(path, &disturbed(bytes, other, &mut numbers));
        tried += 1;
    }
    assert!(tried > 20, "only {tried} texts were tried");
}

#[test]
fn no_bytes_break_a_rule_of_the_signer() {
    std::thread::scope(|scope| {
        let running = ALL.map(|(name, target)| scope.spawn(move || run(name, target)));
        for thread in running {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
