//! Files that the user names: read up to a size, written whole or not at all.
//!
//! A mistyped name can be a device or a database dump. Reading stops where no good file would go on, instead of
//! filling the memory.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use ramal_capability::{Grant, Manifest};
use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// The most that a grant or a settings file may have, in bytes.
const MOST_TEXT: usize = 256 * 1024;

/// The name as the user wrote it.
pub(crate) fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Reads a file of at most so many bytes. `what` names its kind: `component`, `grant`.
pub(crate) fn read(what: &str, path: &Path, most: usize) -> Outcome<Vec<u8>> {
    let failed = |error: std::io::Error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => "check the name; it is read as written, from the current folder",
            ErrorKind::IsADirectory => "name the file itself, not its folder",
            ErrorKind::PermissionDenied => "make it readable for this user, or run as its owner",
            _ => "check that it is an ordinary file",
        };
        Failure::input(error).context(format!("cannot read the {what} {}", name(path))).hint(hint)
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        let size = crate::output::bytes(most as u64);
        return Err(Failure::input(anyhow::Error::msg(format!("the {what} {} is too large", name(path))))
            .hint(format!("at most {size} are read; check that it is the right file")));
    }
    Ok(bytes)
}

/// Reads a text in UTF-8.
pub(crate) fn read_text(what: &str, path: &Path) -> Outcome<String> {
    String::from_utf8(read(what, path, MOST_TEXT)?).map_err(|_| {
        Failure::input(anyhow::Error::msg(format!("the {what} {} is no text in UTF-8", name(path))))
            .hint("check that it is the right file")
    })
}

/// Reads a grant.
pub(crate) fn read_grant(path: &Path) -> Outcome<Grant> {
    let text = read_text("grant", path)?;
    Grant::parse(&name(path), &text)
        .map_err(|error| Failure::source(format!("the grant {}", name(path)), error))
}

/// Reads settings, TOML or JSON, and checks them against the plugin's schema. Without a file there are none
/// but the defaults. Settings can hold an account's name: errors tell the place and never the text.
pub(crate) fn read_settings(path: Option<&Path>, manifest: &Manifest) -> Outcome<Value> {
    let entered = match path {
        Some(path) => parse_settings(path)?,
        None => Value::Object(serde_json::Map::new()),
    };
    match manifest.settings.check(&entered) {
        Ok(_) => Ok(entered),
        Err(error) => {
            let what = match path {
                Some(path) => format!("the settings {} do not fit the plugin", name(path)),
                None => "the plugin needs settings".to_owned(),
            };
            let failure = Failure::input(anyhow::Error::msg(what))
                .list(error.problems().iter().map(ToString::to_string).collect());
            Err(match path {
                Some(_) => failure.hint("`ramal inspect` lists the plugin's settings"),
                None => failure.hint("give them in a TOML or JSON file: --settings FILE"),
            })
        }
    }
}

fn parse_settings(path: &Path) -> Outcome<Value> {
    let text = read_text("settings", path)?;
    let wrong = |line: usize, column: usize, kind: &str| {
        let place = format!("{}:{line}:{column}: this is no {kind}", name(path));
        Failure::input(anyhow::Error::msg(place)).hint("write a table of names and values, in TOML or JSON")
    };
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|e| wrong(e.line(), e.column(), "JSON"));
    }
    let table: toml::Table = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        wrong(before.matches('\n').count() + 1, column, "TOML")
    })?;
    serde_json::to_value(table).map_err(Failure::input)
}

/// Writes a text to a new file, or over an old one if `force` says so.
pub(crate) fn write(what: &str, path: &Path, text: &str, force: bool) -> Outcome {
    let failed = |error: std::io::Error| {
        let there = error.kind() == ErrorKind::AlreadyExists;
        let failure = Failure::environment(error).context(format!("cannot write the {what} {}", name(path)));
        if there { failure.hint("choose another name, or overwrite it with --force") } else { failure }
    };
    if !force {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
        return file.write_all(text.as_bytes()).map_err(failed);
    }
    // Beside it and then in its place, so that a full disk does not cost the old one.
    let mut new = path.file_name().unwrap_or_default().to_owned();
    new.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(new);
    std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path)).map_err(|error| {
        // If it is not there, there is nothing to clear away.
        let _ = std::fs::remove_file(&new);
        failed(error)
    })
}
