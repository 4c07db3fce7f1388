//! Zips whose bytes depend on nothing but the names, modes and contents of their entries.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::{Artifact, PackageError};

/// Deflate at its most thorough. Zopfli makes a zip of the signer 1.2 percent smaller and takes 168 seconds
/// instead of 0.9 in a development build of this tool.
const COMPRESSION_LEVEL: i64 = 9;

/// Type bits of a regular file in a Unix mode.
const REGULAR_FILE: u32 = 0o100_000;

/// One file of a zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Name inside the zip.
    pub(super) name: &'static str,
    /// Unix permissions, for instance `0o755`.
    pub(super) mode: u32,
    /// The contents.
    pub(super) bytes: Vec<u8>,
}

/// Packs the entries, sorted by name, all dated 1980-01-01 (the earliest time that a zip can hold).
///
/// # Errors
/// [`PackageError::Archive`] for two entries of one name, [`PackageError::TooLarge`] over the artifact's limit.
pub(super) fn pack(artifact: Artifact, mut entries: Vec<Entry>) -> Result<Vec<u8>, PackageError> {
    entries.sort_by(|left, right| left.name.cmp(right.name));
    let bytes =
        write(&entries).map_err(|source| PackageError::Archive { action: "write", artifact, source })?;
    check_size(artifact, bytes.len() as u64)?;
    Ok(bytes)
}

/// Refuses a zip that Lambda would refuse.
pub(super) fn check_size(artifact: Artifact, bytes: u64) -> Result<(), PackageError> {
    let limit = artifact.size_limit();
    if bytes > limit {
        return Err(PackageError::TooLarge { artifact, bytes, limit });
    }
    Ok(())
}

fn write(entries: &[Entry]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(COMPRESSION_LEVEL))
            .last_modified_time(DateTime::DEFAULT)
            .system(System::Unix)
            .external_attributes((REGULAR_FILE | entry.mode) << 16);
        writer.start_file(entry.name, options)?;
        writer.write_all(&entry.bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// The two spellings of one SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sha256Text {
    /// Lower-case hexadecimal, 64 characters.
    pub(super) hex: String,
    /// Standard base64 with padding, as Lambda's `CodeSha256`.
    pub(super) base64: String,
}

/// SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> Sha256Text {
    let digest = Sha256::digest(bytes);
    Sha256Text { hex: hex::encode(digest), base64: base64::engine::general_purpose::STANDARD.encode(digest) }
}

/// Writes a file so that a reader sees the old bytes or the new ones, never a part.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), PackageError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = std::fs::write(&temporary, bytes)
        .map_err(PackageError::file("write", &temporary))
        .and_then(|()| std::fs::rename(&temporary, path).map_err(PackageError::file("replace", path)));
    if written.is_err() {
        // The first failure is the one to report; a left-over is only untidy.
        drop(std::fs::remove_file(&temporary));
    }
    written
}

/// Says in which entry two zips differ first, and how.
pub(super) fn first_difference(
    artifact: Artifact,
    first: &[u8],
    second: &[u8],
) -> Result<String, PackageError> {
    let unreadable = |source| PackageError::Archive { action: "read", artifact, source };
    let first = read(first).map_err(unreadable)?;
    let second = read(second).map_err(unreadable)?;
    for (left, right) in first.iter().zip(&second) {
        if left.0 != right.0 {
            return Ok(format!("entry `{}` stands where the other has `{}`", left.0, right.0));
        }
        if left.1 != right.1 {
            return Ok(format!("entry `{}` has mode {:o} and {:o}", left.0, left.1, right.1));
        }
        if left.2 != right.2 {
            let offset = left.2.iter().zip(&right.2).take_while(|(one, other)| one == other).count();
            let (one, other) = (left.2.len(), right.2.len());
            return Ok(format!("entry `{}` ({one} and {other} bytes) differs from byte {offset}", left.0));
        }
    }
    Ok(match first.len() == second.len() {
        true => "the entries are the same and only the zip around them differs".to_owned(),
        false => format!("one has {} entries and the other {}", first.len(), second.len()),
    })
}

/// Name, Unix mode and contents of every entry.
fn read(bytes: &[u8]) -> zip::result::ZipResult<Vec<(String, u32, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index)?;
            let mut contents = Vec::new();
            file.read_to_end(&mut contents)?;
            Ok((file.name()?.into_owned(), file.unix_mode().unwrap_or_default(), contents))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn entry(name: &'static str, mode: u32, bytes: &[u8]) -> Entry {
        Entry { name, mode, bytes: bytes.to_vec() }
    }

    fn sample() -> Vec<Entry> {
        vec![entry("index.mjs", 0o644, b"export {};\n"), entry("signer.node", 0o644, &[7; 5000])]
    }

    #[test]
    fn bytes_depend_on_neither_order_nor_file_times() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.mjs");
        let mut zips = Vec::new();
        for days in [0, 10_000] {
            std::fs::write(&path, "export {};\n").expect("written");
            let file = std::fs::File::options().write(true).open(&path).expect("opened");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400)).expect("time set");
            let mut entries = sample();
            entries[0].bytes = std::fs::read(&path).expect("read");
            if days > 0 {
                entries.reverse();
            }
            zips.push(pack(Artifact::Signer, entries).expect("packed"));
        }
        assert_eq!(zips[0], zips[1]);
    }

    #[test]
    fn bytes_are_those_of_every_other_machine() {
        let digest = sha256(&pack(Artifact::Signer, sample()).expect("packed"));
        assert_eq!(digest.hex, "fb223b7e10765df065d6e4534281b49a06455566f1740288f7785822802ffe53");
    }

    #[test]
    fn entries_are_sorted_dated_1980_and_keep_their_modes() {
        let bytes =
            pack(Artifact::Rotator, vec![entry("b", 0o644, b"2"), entry("a", 0o755, b"1")]).expect("packed");
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).expect("a zip");
        let mut seen = Vec::new();
        for index in 0..archive.len() {
            let file = archive.by_index(index).expect("an entry");
            assert_eq!(file.last_modified(), Some(DateTime::DEFAULT));
            assert_eq!(file.extra_data().as_deref().map_or(0, <[u8]>::len), 0);
            seen.push((file.name().expect("a name").into_owned(), file.unix_mode()));
        }
        assert_eq!(seen, [("a".to_owned(), Some(0o100_755)), ("b".to_owned(), Some(0o100_644))]);
    }

    #[test]
    fn a_zip_over_the_limit_is_refused_with_both_sizes() {
        let limit = Artifact::Signer.size_limit();
        check_size(Artifact::Signer, limit).expect("the limit itself is fine");
        let message = check_size(Artifact::Signer, limit + 1).expect_err("too large").to_string();
        assert!(message.contains("52428801 bytes") && message.contains("52428800"), "{message}");
    }

    #[test]
    fn the_first_differing_entry_is_named() {
        let first = pack(Artifact::Signer, sample()).expect("packed");
        let mut changed = sample();
        changed[1].bytes[1234] = 8;
        let second = pack(Artifact::Signer, changed).expect("packed");
        let difference = first_difference(Artifact::Signer, &first, &second).expect("readable");
        assert_eq!(difference, "entry `signer.node` (5000 and 5000 bytes) differs from byte 1234");
    }

    #[test]
    fn base64_is_the_digest_and_not_its_hex() {
        let digest = sha256(b"");
        assert_eq!(digest.base64, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert!(digest.hex.starts_with("e3b0c44298fc1c14"));
    }

    #[test]
    fn an_atomic_write_leaves_only_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("signer.zip");
        write_atomically(&path, b"one").expect("written");
        write_atomically(&path, b"two").expect("replaced");
        assert_eq!(std::fs::read(&path).expect("read"), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
