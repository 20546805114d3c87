//! Standard output and standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use serde::Serialize;
use serde_json::Value;

use super::{Page, error};
use crate::args::Color;
use crate::failure::{Failure, Outcome};

/// Where a command's result goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    color: Color,
    json: bool,
    quiet: bool,
}

/// Whether a stream gets colours.
pub(crate) fn is_colored(stream: &impl RawStream, color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
}

fn choice(stream: &impl RawStream, color: Color) -> ColorChoice {
    if is_colored(stream, color) { ColorChoice::Always } else { ColorChoice::Never }
}

impl Terminal {
    /// `json` says that standard output is to be one JSON document.
    pub(crate) fn new(color: Color, json: bool, quiet: bool) -> Self {
        Self { color, json, quiet }
    }
    /// Whether standard output is to be one JSON document.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Shows a page.
    ///
    /// # Errors
    /// When it cannot be written. A reader that has seen enough (`| head`) is no error.
    pub(crate) fn show(&self, page: &Page) -> Outcome {
        self.print(page.text())
    }
    /// Prints a text that is for a file or another program.
    ///
    /// # Errors
    /// As [`Terminal::show`].
    pub(crate) fn print(&self, text: &str) -> Outcome {
        let stream = io::stdout();
        let choice = choice(&stream, self.color);
        written(&mut AutoStream::new(stream, choice), text)
    }
    /// Prints the JSON document.
    ///
    /// # Errors
    /// As [`Terminal::show`].
    pub(crate) fn document(&self, document: &impl Serialize) -> Outcome {
        let text = serde_json::to_string_pretty(document).map_err(Failure::environment)?;
        // JSON itself escapes only some of what acts on a terminal; such characters stand in strings alone.
        let mut safe = String::with_capacity(text.len() + 1);
        for c in text.chars() {
            if c != '\n' && super::acts(c) {
                safe.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                safe.push(c);
            }
        }
        safe.push('\n');
        written(&mut io::stdout(), &safe)
    }
    /// Says something beside the result, on standard error.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.say(&format!("note: {}\n", super::clean(text)));
        }
    }
    /// Says on a terminal's last line how far it is; an empty text takes the line back. Nothing where standard error is
    /// no terminal.
    pub(crate) fn progress(&self, text: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            // To the line's beginning, and away with what stands there.
            self.say(&format!("\r\u{1b}[2K{}", super::clean(text)));
        }
    }
    /// Tells of a failure: to a person on standard error, and to a script in the document that it waits for.
    pub(crate) fn fail(&self, failure: &Failure) {
        if self.json && !failure.is_documented() {
            // The exit code says that it failed, whether or not this arrives.
            let _ = self.document(&error::document(failure));
        }
        self.say(&error::text(failure, is_colored(&io::stderr(), self.color)));
    }
    /// The failure as a part of a larger document.
    pub(crate) fn value(failure: &Failure) -> Value {
        error::value(failure)
    }

    fn say(&self, text: &str) {
        let stream = io::stderr();
        let choice = choice(&stream, self.color);
        // Nobody is left to tell that standard error is gone.
        let _ = AutoStream::new(stream, choice).write_all(text.as_bytes());
    }
}

fn written(stream: &mut impl Write, text: &str) -> Outcome {
    match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::environment(error).context("write to standard output"))
        }
        _ => Ok(()),
    }
}
