//! Checks that a built binary can run where Lambda runs it: x86_64, Amazon Linux 2023 with glibc 2.34.

use std::fmt;

use object::elf;
use object::endian::LittleEndian;
use object::read::StringTable;
use object::read::elf::{Dyn as _, FileHeader, SectionTable, Sym as _};

use super::glibc::{GlibcVersion, LAMBDA_GLIBC};

/// Shared libraries that every Lambda runtime has. Since glibc 2.34 threads and `dlopen` live in libc itself;
/// older hosts still name them apart.
const PROVIDED_LIBRARIES: [&str; 7] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
];

type Header = elf::FileHeader64<LittleEndian>;

/// Why a binary was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ElfError {
    /// Not a little-endian 64-bit ELF file, or a damaged one.
    #[error("it is not a readable 64-bit ELF file ({reason}); build for x86_64-unknown-linux-gnu")]
    Unreadable {
        /// What the parser stumbled over.
        reason: String,
    },
    /// Built for another processor.
    #[error(
        "it is built for machine {machine}, and Lambda@Edge runs x86_64 only; build for \
         x86_64-unknown-linux-gnu"
    )]
    WrongMachine {
        /// The number in the ELF header, with its name where it is a usual one.
        machine: String,
    },
    /// An object file or a core dump where a program or a shared library is needed.
    #[error("it is ELF type {found} and not {wanted}; check the crate type")]
    WrongType {
        /// The number in the ELF header.
        found: u16,
        /// What the artifact needs.
        wanted: Kind,
    },
    /// Linked against a newer glibc.
    #[error(
        "`{symbol}` needs {version} and Lambda has GLIBC_{LAMBDA_GLIBC}; build on a host with an older glibc, \
         or with cargo-zigbuild"
    )]
    NewerGlibc {
        /// The symbol, or `(no symbol)` where the linker asks for a feature of the loader.
        symbol: String,
        /// The version as it stands in the file, for instance `GLIBC_2.38`.
        version: String,
    },
    /// Needs a shared library that Lambda does not have.
    #[error("it needs the shared library `{library}`, which Lambda does not have; link it statically")]
    ForeignLibrary {
        /// The file name.
        library: String,
    },
}

/// What a binary has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Loaded by Node.
    SharedLibrary,
    /// Started by Lambda.
    Program,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::SharedLibrary => "a shared library",
            Kind::Program => "a program",
        })
    }
}

/// Refuses a binary that Lambda could not load.
///
/// # Errors
/// The first reason found, in the order: machine, type, libraries, symbol versions.
pub(super) fn check(data: &[u8], kind: Kind) -> Result<(), ElfError> {
    let header = Header::parse(data).map_err(unreadable)?;
    let endian = header.endian().map_err(unreadable)?;
    check_machine(header.e_machine(endian))?;
    check_type(header.e_type(endian), kind)?;
    let sections = header.sections(endian, data).map_err(unreadable)?;
    for library in needed_libraries(&sections, endian, data)? {
        if !PROVIDED_LIBRARIES.contains(&library.as_str()) {
            return Err(ElfError::ForeignLibrary { library });
        }
    }
    check_versions(&needed_versions(&sections, endian, data)?)
}

fn check_machine(machine: u16) -> Result<(), ElfError> {
    let name = match machine {
        elf::EM_X86_64 => return Ok(()),
        elf::EM_AARCH64 => " (arm64)",
        elf::EM_386 => " (x86, 32 bit)",
        _ => "",
    };
    Err(ElfError::WrongMachine { machine: format!("{machine}{name}") })
}

fn check_type(found: u16, wanted: Kind) -> Result<(), ElfError> {
    match (found, wanted) {
        // A position-independent program has the type of a shared library too.
        (elf::ET_DYN, _) | (elf::ET_EXEC, Kind::Program) => Ok(()),
        _ => Err(ElfError::WrongType { found, wanted }),
    }
}

/// A symbol version that the loader must find, or the program does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NeededVersion {
    symbol: String,
    version: String,
}

fn check_versions(needed: &[NeededVersion]) -> Result<(), ElfError> {
    // Marks of the loader's features (`GLIBC_ABI_…`) have no number: every one so far is newer than Lambda's
    // glibc, and `GLIBC_PRIVATE` promises nothing. They count as newest of all.
    let newest = needed
        .iter()
        .filter(|needed| needed.version.starts_with("GLIBC_"))
        .map(|needed| (GlibcVersion::parse(&needed.version), needed))
        .max_by_key(|(version, _)| (version.is_none(), *version));
    match newest {
        Some((version, needed)) if version.is_none_or(|version| version > LAMBDA_GLIBC) => {
            Err(ElfError::NewerGlibc { symbol: needed.symbol.clone(), version: needed.version.clone() })
        }
        _ => Ok(()),
    }
}

fn needed_libraries(
    sections: &SectionTable<'_, Header>,
    endian: LittleEndian,
    data: &[u8],
) -> Result<Vec<String>, ElfError> {
    let Some((entries, link)) = sections.dynamic(endian, data).map_err(unreadable)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, data, link).map_err(unreadable)?;
    entries
        .iter()
        .filter(|entry| entry.tag32(endian) == Some(elf::DT_NEEDED))
        .map(|entry| Ok(lossy(entry.string(endian, strings).map_err(unreadable)?)))
        .collect()
}

/// The versions asked for of other libraries, each with a symbol that asks for it.
///
/// Weak ones are left out: the standard library asks for newer system calls that way, and the loader starts a
/// program without them (glibc, `elf/dl-version.c`: a missing version of a weak reference is not fatal).
fn needed_versions(
    sections: &SectionTable<'_, Header>,
    endian: LittleEndian,
    data: &[u8],
) -> Result<Vec<NeededVersion>, ElfError> {
    let Some((libraries, link)) = sections.gnu_verneed(endian, data).map_err(unreadable)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, data, link).map_err(unreadable)?;
    let mut needed = Vec::new();
    for library in libraries {
        let (_, versions) = library.map_err(unreadable)?;
        for version in versions {
            let version = version.map_err(unreadable)?;
            if version.vna_flags.get(endian) & elf::VER_FLG_WEAK != 0 {
                continue;
            }
            needed.push(NeededVersion {
                symbol: symbol_of_version(sections, endian, data, version.vna_other.get(endian))?,
                version: lossy(version.name(endian, strings).map_err(unreadable)?),
            });
        }
    }
    Ok(needed)
}

/// The first dynamic symbol that carries a version, by the version's number in this file.
fn symbol_of_version(
    sections: &SectionTable<'_, Header>,
    endian: LittleEndian,
    data: &[u8],
    number: u16,
) -> Result<String, ElfError> {
    let symbols = sections.symbols(endian, data, elf::SHT_DYNSYM).map_err(unreadable)?;
    let numbers =
        sections.gnu_versym(endian, data).map_err(unreadable)?.map_or(&[][..], |(numbers, _)| numbers);
    let strings: StringTable<'_> = symbols.strings();
    for (symbol, own) in symbols.iter().zip(numbers) {
        if own.0.get(endian) & elf::VERSYM_VERSION == number {
            return Ok(lossy(symbol.name(endian, strings).map_err(unreadable)?));
        }
    }
    Ok("(no symbol)".to_owned())
}

fn unreadable(error: object::read::Error) -> ElfError {
    ElfError::Unreadable { reason: error.to_string() }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_executable() -> Vec<u8> {
        std::fs::read(std::env::current_exe().expect("a path")).expect("readable")
    }

    fn needed(pairs: &[(&str, &str)]) -> Vec<NeededVersion> {
        pairs
            .iter()
            .map(|(symbol, version)| NeededVersion { symbol: (*symbol).into(), version: (*version).into() })
            .collect()
    }

    #[test]
    fn a_newer_glibc_is_refused_by_its_newest_symbol() {
        let list = needed(&[("a", "GLIBC_2.35"), ("__isoc23_strtol", "GLIBC_2.38"), ("b", "GLIBC_2.2.5")]);
        let error = check_versions(&list).expect_err("too new");
        let message = error.to_string();
        assert!(
            message.starts_with("`__isoc23_strtol` needs GLIBC_2.38 and Lambda has GLIBC_2.34"),
            "{message}"
        );
        assert!(message.contains("older glibc") && message.contains("cargo-zigbuild"), "{message}");
    }

    #[test]
    fn lambdas_own_glibc_and_other_libraries_versions_pass() {
        let list = needed(&[("a", "GLIBC_2.34"), ("b", "GLIBC_2.2.5"), ("_Unwind_Resume", "GCC_3.0")]);
        assert_eq!(check_versions(&list), Ok(()));
        assert_eq!(check_versions(&[]), Ok(()));
    }

    #[test]
    fn a_mark_of_the_loader_is_refused() {
        let list = needed(&[("a", "GLIBC_2.2.5"), ("(no symbol)", "GLIBC_ABI_DT_RELR")]);
        assert!(
            matches!(check_versions(&list), Err(ElfError::NewerGlibc { version, .. }) if version.ends_with("RELR"))
        );
    }

    #[test]
    fn another_machine_is_refused() {
        let mut data = own_executable();
        // Bytes 18 and 19 of an ELF header are the machine.
        data[18..20].copy_from_slice(&elf::EM_AARCH64.to_le_bytes());
        let error = check(&data, Kind::Program).expect_err("wrong machine");
        assert_eq!(error, ElfError::WrongMachine { machine: "183 (arm64)".into() });
    }

    #[test]
    fn another_type_is_refused() {
        let mut data = own_executable();
        // Bytes 16 and 17 of an ELF header are the type.
        data[16..18].copy_from_slice(&elf::ET_EXEC.to_le_bytes());
        let error = check(&data, Kind::SharedLibrary).expect_err("not a library");
        assert_eq!(error, ElfError::WrongType { found: elf::ET_EXEC, wanted: Kind::SharedLibrary });
        data[16..18].copy_from_slice(&elf::ET_REL.to_le_bytes());
        assert!(matches!(check(&data, Kind::Program), Err(ElfError::WrongType { .. })));
    }

    #[test]
    fn a_text_file_is_refused() {
        assert!(matches!(check(b"#!/bin/sh\n", Kind::Program), Err(ElfError::Unreadable { .. })));
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    fn libraries_and_versions_of_a_real_file_are_found() {
        let data = own_executable();
        let header = Header::parse(data.as_slice()).expect("an ELF file");
        let endian = header.endian().expect("little-endian");
        let sections = header.sections(endian, data.as_slice()).expect("sections");
        let libraries = needed_libraries(&sections, endian, &data).expect("read");
        assert!(libraries.iter().any(|library| library == "libc.so.6"), "{libraries:?}");
        let versions = needed_versions(&sections, endian, &data).expect("read");
        let start = versions.iter().find(|needed| needed.symbol == "__libc_start_main");
        assert!(start.is_some_and(|needed| needed.version.starts_with("GLIBC_2.")), "{versions:?}");
    }
}
