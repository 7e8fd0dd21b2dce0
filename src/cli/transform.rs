//! `hlctl transform ...`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `hlctl transform ...`
#[derive(Debug, Subcommand)]
pub enum TransformCommand {
    /// Run the test cases of a CSV mapping, without access to AWS
    Test(TransformTestArgs),
}

impl TransformCommand {
    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        match self {
            Self::Test(arguments) => arguments.json,
        }
    }
}

/// `hlctl transform test`
#[derive(Debug, Args)]
pub struct TransformTestArgs {
    /// A mapping in YAML, a folder with one, or a folder of such folders
    #[arg(default_value = ".")]
    pub path: PathBuf,

    /// Write what the mapping produces as the expected output
    #[arg(long)]
    pub update: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
