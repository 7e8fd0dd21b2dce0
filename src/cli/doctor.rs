//! `hlctl doctor`

use clap::Args;

use hlctl_config::ForceDestroy;

/// `hlctl doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Check for a destroy instead of an apply
    #[arg(long)]
    pub destroy: bool,

    /// Buckets that the destroy would empty, as for `hlctl destroy`
    #[arg(long, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          requires = "destroy", value_parser = super::stack::force_destroy())]
    pub force_destroy: Option<ForceDestroy>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
