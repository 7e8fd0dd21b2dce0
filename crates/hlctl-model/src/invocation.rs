//! Commands that a message names as the next step.
//!
//! A message is often made where it is not known how this run was started: in a library's error, in a table of checks. There a
//! command is put between two marks, by `hlctl!` or a [`CommandLine`]. The printer writes each of them out with the options of
//! the run (`src/cli/invocation.rs`), so that it can be pasted. No text is searched for anything but the marks.

use std::fmt;

use hlctl_config::next_step::{BEGIN, END};

/// A command of hlctl inside a message: `hlctl!("state recover")` is a literal that `concat!` takes, and
/// `hlctl!("stores use", id)` a [`CommandLine`] whose operands are quoted for a shell.
#[macro_export]
macro_rules! hlctl {
    ($command:literal) => {
        concat!("\u{FDD0}hlctl ", $command, "\u{FDD1}")
    };
    ($command:literal, $($operand:expr),+ $(,)?) => {
        $crate::invocation::CommandLine::new($command)$(.operand(&$operand))+
    };
}

/// The URL of a page in `docs/`, for who has only the program.
#[macro_export]
macro_rules! documentation {
    ($page:literal) => {
        concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/", $page)
    };
}

/// A command of hlctl, with words that are known only at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
    operands: Vec<String>,
}

impl CommandLine {
    /// A command and its flags, as `stores use` or `replace --anyway`.
    pub fn new(command: &str) -> Self {
        Self { words: command.split_whitespace().map(str::to_owned).collect(), operands: Vec::new() }
    }

    /// With a flag that takes no value.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.words.push(flag.to_owned());
        self
    }

    /// With an option and its value.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        // Only this form lets a value begin with a dash.
        if value.starts_with('-') {
            self.words.push(format!("{name}={value}"));
        } else {
            self.words.extend([name.to_owned(), value.to_owned()]);
        }
        self
    }

    /// With an operand: an id, an address, a file.
    #[must_use]
    pub fn operand(mut self, operand: &(impl fmt::Display + ?Sized)) -> Self {
        self.operands.push(operand.to_string());
        self
    }

    fn words(&self) -> Vec<&str> {
        let dashes = self.operands.iter().any(|operand| operand.starts_with('-') && operand != "-").then_some("--");
        self.words.iter().map(String::as_str).chain(dashes).chain(self.operands.iter().map(String::as_str)).collect()
    }

    /// The command without flags and operands, for a label.
    pub fn label(&self) -> String {
        let verbs = self.words.iter().take_while(|word| !word.starts_with('-'));
        verbs.fold("hlctl".to_owned(), |label, verb| format!("{label} {verb}"))
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEGIN}hlctl {}{END}", joined(&self.words()))
    }
}

/// Words as a POSIX shell takes them.
pub fn joined(words: &[&str]) -> String {
    // A word with a NUL in it never was an argument.
    shlex::try_join(words.iter().copied()).unwrap_or_else(|_| words.join(" "))
}
