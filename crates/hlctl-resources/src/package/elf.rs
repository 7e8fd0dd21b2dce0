//! Whether Lambda can run a program: its format, its architecture, and the glibc that it asks for.

use object::Endianness;
use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64};
use object::read::elf::FileHeader;
use thiserror::Error;

/// How programs for Linux begin.
pub(super) const MAGIC: &[u8] = b"\x7fELF";
/// The glibc of Amazon Linux 2023, on which `provided.al2023` rests ("Comparing AL2 and AL2023").
const NEWEST_GLIBC: (u32, u32) = (2, 34);

/// Why Lambda cannot run a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unfit {
    /// It is for another operating system.
    #[error("it is not a program for Linux, so it was probably built for this machine's own system")]
    NotLinux,
    /// It is broken, or for a 32-bit machine.
    #[error("it is not a complete 64-bit program ({0})")]
    Broken(String),
    /// It is for another processor.
    #[error("it is not for {0} processors")]
    Architecture(String),
    /// It was built against a newer glibc.
    #[error("it needs glibc {}.{}, and {} has {}.{}", needs.0, needs.1, super::PROGRAM_RUNTIME, NEWEST_GLIBC.0, NEWEST_GLIBC.1)]
    Glibc {
        /// The version it needs.
        needs: (u32, u32),
    },
}

/// Checks a program for `x86_64` or `arm64`.
pub(super) fn check(program: &[u8], architecture: &str) -> Result<(), Unfit> {
    if !program.starts_with(MAGIC) {
        return Err(Unfit::NotLinux);
    }
    let broken = |error: object::Error| Unfit::Broken(error.to_string());
    let header = FileHeader64::<Endianness>::parse(program).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    let machine = if architecture == "arm64" { EM_AARCH64 } else { EM_X86_64 };
    if header.e_machine.get(endian) != machine {
        return Err(Unfit::Architecture(architecture.to_owned()));
    }
    match newest_glibc(header, endian, program).map_err(broken)? {
        Some(needs) if needs > NEWEST_GLIBC => Err(Unfit::Glibc { needs }),
        _ => Ok(()),
    }
}

/// The newest version of glibc among the symbols that a program asks for.
fn newest_glibc(
    header: &FileHeader64<Endianness>,
    endian: Endianness,
    program: &[u8],
) -> object::Result<Option<(u32, u32)>> {
    let sections = header.sections(endian, program)?;
    let Some((mut needed, link)) = sections.gnu_verneed(endian, program)? else {
        return Ok(None);
    };
    let strings = sections.strings(endian, program, link)?;
    let mut newest = None;
    while let Some((_, mut versions)) = needed.next()? {
        while let Some(version) = versions.next()? {
            let name = version.name(endian, strings)?;
            newest = newest.max(std::str::from_utf8(name).ok().and_then(glibc));
        }
    }
    Ok(newest)
}

/// `GLIBC_2.34` to (2, 34); other libraries' versions are none.
fn glibc(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(glibc("GLIBC_2.4"), Some((2, 4)));
        assert!(glibc("GLIBC_2.4") < glibc("GLIBC_2.34"));
        assert_eq!(glibc("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc("GCC_3.0"), None);
        assert_eq!(glibc("GLIBC_PRIVATE"), None);
    }

    #[test]
    fn a_program_of_another_system_is_distinguished_from_a_broken_one() {
        assert_eq!(check(b"\xcf\xfa\xed\xfe a Mach-O program", "arm64"), Err(Unfit::NotLinux));
        assert!(matches!(check(b"\x7fELF and nothing more", "x86_64"), Err(Unfit::Broken(_))));
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn this_very_program_is_for_x86_64_only() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(check(&program, "arm64"), Err(Unfit::Architecture("arm64".to_owned())));
        // What glibc it needs depends on the machine that built it; that it is read at all does not.
        assert!(matches!(check(&program, "x86_64"), Ok(()) | Err(Unfit::Glibc { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let program = [MAGIC, &[2, 1, 1], &bytes].concat();
            let _ = check(&program, "x86_64");
        }
    }
}
