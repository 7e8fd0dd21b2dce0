//! Lets the linker pack relocations, which are a sixteenth of the binary, where the C library can read them packed.

use std::env;
use std::process::Command;

/// glibc reads them from this version on (glibc 2.36 release notes, "DT_RELR").
const FIRST_GLIBC: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    let is_for_here = env::var("HOST").ok() == env::var("TARGET").ok();
    let is_glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_for_here && is_glibc && glibc().is_some_and(|version| version >= FIRST_GLIBC) {
        // Linkers that do not know it say so and go on.
        println!("cargo::rustc-link-arg-bin=hlctl=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's C library.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
