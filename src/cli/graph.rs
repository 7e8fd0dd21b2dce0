//! `hlctl graph` and `hlctl report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `hlctl graph`
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// What to draw it in
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub format: GraphFormat,

    /// Print JSON
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// Mark what this plan, written by `hlctl plan --out`, would do
    #[arg(long, value_name = "PLANFILE")]
    pub plan: Option<PathBuf>,

    /// Draw also the edges that others imply
    #[arg(long)]
    pub all_edges: bool,

    /// Write it into this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How a graph is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Mermaid, which many sites draw where it stands in Markdown.
    Mermaid,
    /// DOT, for Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// For programs.
    Json,
}

/// `hlctl report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write the page into this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Print the record of the run as JSON instead
    #[arg(long)]
    pub json: bool,
}
