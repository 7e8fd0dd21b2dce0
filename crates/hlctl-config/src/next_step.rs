//! How a message marks a command of hlctl. The printer, which knows how the run was started, writes each of them out with the
//! options that lead it to the same stack.

/// Stands before a command. Noncharacters are for a program's own use (Unicode Standard, 23.7), so no text has them.
pub const BEGIN: char = '\u{FDD0}';
/// Stands after a command.
pub const END: char = '\u{FDD1}';

/// A command of hlctl as a literal that `concat!` takes.
macro_rules! hlctl {
    ($command:literal) => {
        concat!("\u{FDD0}hlctl ", $command, "\u{FDD1}")
    };
}
pub(crate) use hlctl;
