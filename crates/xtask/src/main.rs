//! Tables that are generated from published specifications.
//!
//! `cargo xtask r4` writes the tables of `hlctl-r4` from the reduced definitions in the repository; `--check` compares instead.
//! `cargo xtask r4-reduce DIR` makes the reduced definitions from HL7's own.

mod generate;
mod reduce;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The reduced definitions.
const REDUCED: &str = "crates/hlctl-r4/definitions/r4.txt";
/// The generated tables.
const TABLES: &str = "crates/hlctl-r4/src/tables.rs";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["r4"] => write(TABLES, &tables()?),
        ["r4", "--check"] => check(TABLES, &tables()?),
        ["r4-reduce", directory] => write(REDUCED, &reduce::reduce(Path::new(directory))?),
        _ => bail!("usage: cargo xtask r4 [--check] | r4-reduce DIR"),
    }
}

fn tables() -> Result<String> {
    let path = root().join(REDUCED);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    generate::tables(&text)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn write(path: &str, text: &str) -> Result<()> {
    let path = root().join(path);
    fs::write(&path, text).with_context(|| path.display().to_string())
}

fn check(path: &str, text: &str) -> Result<()> {
    let present = fs::read_to_string(root().join(path)).with_context(|| path.to_owned())?;
    if present != text {
        bail!("{path} is not what its definitions generate: run `cargo xtask r4`");
    }
    Ok(())
}
