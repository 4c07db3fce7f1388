//! Any bytes at all as a tenant file: a well-formed answer, without a panic, and soon.
//!
//! `fuzz/` gives this function to cargo-fuzz; a test below runs it for a bounded time on stable Rust.

use super::decode::{Decode, Decoder};
use super::layers::merge;
use super::load::layer_of;
use super::problem::Problems;
use super::reading::{self, BUILTIN, BUILTIN_NAME};
use super::rules;
use super::settings::Settings;
use super::source::Sources;

/// Reads bytes as a tenant's file over the built-in defaults, as far as they go, and writes out what is wrong
/// with them. `true` where nothing is.
#[must_use]
pub fn load(bytes: &[u8]) -> bool {
    let mut sources = Sources::default();
    // The places of the built-in defaults refer to the first file.
    sources.add(BUILTIN_NAME.into(), BUILTIN.into());
    let own = layer_of(&mut sources, "fuzz.yaml".into(), bytes.to_vec());
    let mut problems = own.problems;
    match reading::parse_builtin() {
        Ok(builtin) => {
            let mut decoder = if own.is_whole { Decoder::default() } else { Decoder::partial() };
            let settings = Settings::decode(&merge(builtin, own.node), &mut decoder);
            problems.append(&mut decoder.problems);
            problems.extend(settings.into_iter().flat_map(|settings| rules::check("fuzz", &settings)));
        }
        Err(more) => problems.extend(more),
    }
    let problems = Problems::new(sources, problems);
    // The excerpts cut the file at the places of the problems.
    let _ = problems.to_string();
    problems.list().is_empty()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use rand::rngs::StdRng;
    use rand::seq::SliceRandom;
    use rand::{Rng, SeedableRng};

    use super::load;

    /// How long the test goes on, with how many files at least on a busy machine, and the longest that one file
    /// may take.
    const TIME: Duration = Duration::from_secs(5);
    const LEAST: u32 = 200;
    const ONE: Duration = Duration::from_secs(2);

    const PIECES: [&str; 40] = [
        "\n",
        "\r",
        "\t",
        " ",
        "  ",
        ":",
        ": ",
        "-",
        "- ",
        "? ",
        "#",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a",
        "*a",
        "<<: *a",
        "!!binary ",
        "!x ",
        "'",
        "\"",
        "|\n",
        ">\n",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\u{FEFF}",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
        "\u{202E}",
        "é",
        "0777",
        "1e3",
        "NO",
        "99999999999999999999",
        "null",
        "edge:",
    ];

    fn seeds() -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project").join("tenants");
        let files = std::fs::read_dir(folder).expect("the tenants can be listed");
        let paths = files.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
        let mut seeds: Vec<_> = paths.map(|path| std::fs::read(path).expect("it can be read")).collect();
        seeds.sort();
        seeds.push(include_bytes!("builtin.yaml").to_vec());
        seeds
    }

    /// Changes a file a little: a byte, a piece put in, a stretch taken out, repeated or brought from elsewhere.
    fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut StdRng) {
        let at = random.gen_range(0..=bytes.len());
        let end = bytes.len().min(at + random.gen_range(0..40));
        match random.gen_range(0..6) {
            0 if at < bytes.len() => bytes[at] = random.r#gen(),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let stretch = bytes[at..end].to_vec();
                bytes.splice(at..at, stretch);
            }
            3 => {
                let from = random.gen_range(0..other.len());
                let to = other.len().min(from + random.gen_range(0..80));
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            4 => bytes.truncate(at.max(1)),
            _ => {
                let piece = PIECES.choose(random).expect("a piece");
                let times = if random.gen_bool(0.02) { 2000 } else { 1 };
                bytes.splice(at..at, piece.repeat(times).into_bytes());
            }
        }
    }

    #[test]
    fn no_bytes_stop_the_loader() {
        let seeds = seeds();
        let mut random = StdRng::seed_from_u64(3);
        let start = Instant::now();
        let mut tried = 0;
        while tried < LEAST || start.elapsed() < TIME {
            let mut bytes = seeds.choose(&mut random).expect("a file").clone();
            let other = seeds.choose(&mut random).expect("a file");
            for _ in 0..random.gen_range(1..6) {
                mutate(&mut bytes, other, &mut random);
            }
            let began = Instant::now();
            let outcome = std::panic::catch_unwind(|| load(&bytes));
            let shown = || String::from_utf8_lossy(&bytes).into_owned();
            assert!(outcome.is_ok(), "a panic; the file was:\n{}", shown());
            assert!(began.elapsed() < ONE, "{:?}; the file was:\n{}", began.elapsed(), shown());
            tried += 1;
        }
    }

    #[test]
    fn a_good_file_is_good_and_no_bytes_are_none() {
        let good = b"region: eu-north-1\nsign_in:\n  callback_urls: [https://a.example/]\n";
        assert!(load(good));
        assert!(!load(b""));
        assert!(!load(b"\xFF\xFE"));
    }
}
