//! Compresses the documents that `hlctl docs` prints, and lets the linker pack relocations, which are a sixteenth of the binary,
//! where the C library can read them packed.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// glibc reads them from this version on (glibc 2.36 release notes, "DT_RELR").
const FIRST_GLIBC: (u32, u32) = (2, 36);

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    compress_documents()?;
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    let is_for_here = env::var("HOST").ok() == env::var("TARGET").ok();
    let is_glibc = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_for_here && is_glibc && glibc().is_some_and(|version| version >= FIRST_GLIBC) {
        // Linkers that do not know it say so and go on.
        println!("cargo::rustc-link-arg-bin=hlctl=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

/// Writes each document into the build's directory, compressed to a third.
fn compress_documents() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").map(std::path::PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(out.join("docs"))?;
    // Of a directory Cargo sees which files it has, and of a file its text.
    println!("cargo::rerun-if-changed=docs");
    compress(Path::new("README.md"), &out)?;
    for entry in fs::read_dir("docs")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            compress(&path, &out)?;
        }
    }
    Ok(())
}

fn compress(path: &Path, out: &Path) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", path.display());
    let file = File::create(out.join(format!("{}.zlib", path.display())))?;
    let mut encoder = ZlibEncoder::new(file, Compression::best());
    encoder.write_all(&fs::read(path)?)?;
    encoder.finish()?;
    Ok(())
}

/// The version of this machine's C library.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
