//! The readers' documents as something that runs: the files and commands that a page shows, taken out of it.
//!
//! A page that nobody runs is wrong after a month: a flag was renamed, a field is called otherwise, and the first
//! reader pays for it. So a page *is* the test. Its blocks say what they are:
//!
//! ````text
//! ```toml file=acme/plugin.toml        the content of a file
//! ```console                           commands, and what they print
//! $ ramal build .                      is run; a `\` at the end goes on in the next line
//! built acme                           stands in what it printed; `…` is anything
//! $ ramal call … # exit 4              ends with 4, not with 0
//! $ ramal practice-crm &               runs until the page's end; the next command waits for what is shown below
//! ```console norun                     is not run, and the test says so
//! ````

use std::fmt;

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A file's content.
    File {
        /// Its path, from the folder that the reader works in.
        path: String,
        /// Its text.
        text: String,
    },
    /// Commands, one after the other.
    Console(Vec<Step>),
    /// Commands for a machine that the test is not, by line and as they stand.
    NotRun(usize, String),
}

/// One command and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its line in the page.
    pub line: usize,
    /// For the shell.
    pub command: String,
    /// Whether it goes on while the next ones run.
    pub background: bool,
    /// Its exit code.
    pub exit: i32,
    /// Lines that it prints, in this order, among others.
    pub shown: Vec<String>,
}

/// A page that the test cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadPage {
    /// Where.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

/// The blocks of a page that the test works with, in their order.
///
/// # Errors
/// When a block does not end, or holds what the test would silently pass over.
pub fn blocks(page: &str) -> Result<Vec<Block>, BadPage> {
    let mut blocks = Vec::new();
    for Fence { line, info, text } in fences(page)? {
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let block = match (language, rest.as_slice()) {
            ("console", []) => Block::Console(steps(&text, line + 1)?),
            ("console", ["norun"]) => Block::NotRun(line, text),
            ("console", other) => {
                let what = format!("`{}` after console; there is only norun", other.join(" "));
                return Err(BadPage { line, what });
            }
            (_, [file]) if file.starts_with("file=") => {
                Block::File { path: file.trim_start_matches("file=").to_owned(), text }
            }
            (_, []) => continue,
            (_, other) => {
                let what = format!("`{}` after the language; there is only file=PATH", other.join(" "));
                return Err(BadPage { line, what });
            }
        };
        blocks.push(block);
    }
    Ok(blocks)
}

struct Fence {
    line: usize,
    info: String,
    text: String,
}

fn fences(page: &str) -> Result<Vec<Fence>, BadPage> {
    let mut all = Vec::new();
    let mut open: Option<Fence> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Fence { line: at + 1, info: info.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some("")) => all.extend(open.take()),
            (Some(fence), Some(_)) => {
                let what =
                    format!("a block begins within the one of line {}; end that one with ```", fence.line);
                return Err(BadPage { line: at + 1, what });
            }
            (Some(fence), None) => {
                fence.text.push_str(line);
                fence.text.push('\n');
            }
            (None, None) => {}
        }
    }
    match open {
        Some(fence) => Err(BadPage { line: fence.line, what: "the block does not end".to_owned() }),
        None => Ok(all),
    }
}

fn steps(text: &str, first: usize) -> Result<Vec<Step>, BadPage> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let number = first + at;
        let Some(command) = line.strip_prefix("$ ") else {
            match steps.last_mut() {
                _ if line.trim().is_empty() => {}
                Some(step) => step.shown.push(line.to_owned()),
                None => {
                    let what = "a console block begins with a command, `$ …`".to_owned();
                    return Err(BadPage { line: number, what });
                }
            }
            continue;
        };
        let mut command = command.to_owned();
        while command.ends_with('\\') {
            command.truncate(command.len() - 1);
            let Some((_, more)) = lines.next() else {
                let what = "the command's last line ends with `\\`".to_owned();
                return Err(BadPage { line: number, what });
            };
            command.push_str(more.trim_start());
        }
        steps.push(step(&command, number)?);
    }
    Ok(steps)
}

fn step(command: &str, line: usize) -> Result<Step, BadPage> {
    let (command, exit) = match command.rsplit_once(" # exit ") {
        Some((command, code)) => {
            let code = code
                .trim()
                .parse()
                .map_err(|_| BadPage { line, what: "`# exit` needs a number".to_owned() })?;
            (command.trim_end(), code)
        }
        None => (command.trim_end(), 0),
    };
    let background = command.ends_with(" &");
    let command = command.strip_suffix(" &").unwrap_or(command);
    Ok(Step { line, command: command.to_owned(), background, exit, shown: Vec::new() })
}

/// Lines that a page shows and a program did not print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPrinted(pub String);

impl fmt::Display for NotPrinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the page shows `{}`", self.0)
    }
}

/// Whether the shown lines stand among the printed ones, in this order; `…` is anything, within its line or, alone
/// in one, any lines.
///
/// # Errors
/// The first shown line that is not there.
pub fn compare<'a>(shown: &[String], printed: impl IntoIterator<Item = &'a str>) -> Result<(), NotPrinted> {
    let mut printed = printed.into_iter();
    for line in shown.iter().filter(|line| line.trim() != "…") {
        if !printed.any(|other| is_like(line, other)) {
            return Err(NotPrinted(line.clone()));
        }
    }
    Ok(())
}

/// Whether one line is as shown. A run of spaces is one: columns are as wide as their longest word.
pub fn is_like(shown: &str, printed: &str) -> bool {
    let narrow = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (shown, printed) = (narrow(shown), narrow(printed));
    let parts: Vec<&str> = shown.split('…').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return shown == printed };
    let Some(rest) = printed.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    let mut rest = rest;
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// The rows of the table whose first column has this name, cells without their marks.
pub fn table(page: &str, first_column: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
        // `\|` is a bar within a cell.
        let cells = inner.replace("\\|", "\u{0}");
        cells.split('|').map(|cell| cell.trim().replace('`', "").replace('\u{0}', "|")).collect()
    };
    let mut lines = page.lines().skip_while(|line| {
        !(line.starts_with('|') && cells(line).first().is_some_and(|cell| cell == first_column))
    });
    lines.next();
    lines.take_while(|line| line.starts_with('|')).skip(1).map(cells).collect()
}

/// The targets of a page's links, with their lines. Links in blocks are none.
pub fn links(page: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    let mut in_block = false;
    for (at, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        all.extend(targets.map(|(target, _)| (at + 1, target.to_owned())));
    }
    all
}

/// The anchor by which a heading is linked to: lower case, spaces as `-`, other marks left out.
pub fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests;
