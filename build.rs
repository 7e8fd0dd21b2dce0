//! Compresses the documents that `hlctl docs` prints.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    compress_documents()
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
