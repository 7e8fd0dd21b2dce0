//! `hlctl graph` and `hlctl report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `hlctl graph`
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub format: GraphFormat,

    /// Print JSON
    #[arg(long, conflicts_with = "format")]
    pub json: bool,

    /// Mark the changes of this plan, saved by `hlctl plan --out`
    #[arg(long, value_name = "PLANFILE")]
    pub plan: Option<PathBuf>,

    /// Also draw edges that others imply
    #[arg(long)]
    pub all_edges: bool,

    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How a graph is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Mermaid, which many sites render in Markdown.
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
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Print the record of the run as JSON instead
    #[arg(long)]
    pub json: bool,
}
