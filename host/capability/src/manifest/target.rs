//! Where a request of the manifest leads: known from the text alone, or once the admin has entered settings.
//!
//! An admin approves hosts. So the part up to the path is taken apart here, before any template is filled:
//! only settings may stand in it, and only settings whose schema keeps them to an origin or to one part of a
//! name. A free text in that place could hold `evil.example/?` and turn the rest of the host into a query.

use std::fmt;

use serde_json::Value;

use crate::address::{BadOrigin, Origin};
use crate::settings::SettingsSchema;
use crate::source::quote;

/// Where requests lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The manifest says it.
    Fixed(Origin),
    /// Settings say it.
    Made {
        /// As written in the manifest, such as `{setting.server}` or `https://{setting.account}.example.com`.
        text: String,
        /// The settings that it needs.
        settings: Vec<String>,
    },
}

/// Settings from which no origin can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownTarget {
    /// A setting that is not there.
    #[error("the setting `{0}` has no value; enter it first")]
    NoSetting(String),
    /// What came out is no origin.
    #[error("the settings make no exact origin: {0}")]
    Bad(#[from] BadOrigin),
}

impl Target {
    /// The exact origin, with these settings (defaults filled in).
    ///
    /// # Errors
    /// When a setting is missing, or when the result is no origin.
    pub fn resolve(&self, settings: Option<&Value>) -> Result<Origin, UnknownTarget> {
        let (text, names) = match self {
            Self::Fixed(origin) => return Ok(origin.clone()),
            Self::Made { text, settings } => (text, settings),
        };
        let mut made = text.clone();
        for name in names {
            let value = match settings.and_then(|all| all.get(name)) {
                Some(Value::String(text)) => text.clone(),
                _ => return Err(UnknownTarget::NoSetting(name.clone())),
            };
            made = made.replace(&format!("{{setting.{name}}}"), &value);
        }
        Ok(made.parse::<Origin>()?)
    }
}

impl fmt::Display for Target {
    /// For people: the origin, or the settings that make it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(origin) => origin.fmt(f),
            Self::Made { text, settings } => match settings.as_slice() {
                [one] if *text == format!("{{setting.{one}}}") => {
                    write!(f, "the address in the setting `{one}`")
                }
                _ => f.write_str(&text.replace("{setting.", "{")),
            },
        }
    }
}

/// Takes the origin off an address template and checks it; the error is a finding.
pub(super) fn of_address(address: &str, schema: Option<&SettingsSchema>) -> Result<Target, String> {
    const FORM: &str =
        "write https://host/path or {setting.NAME}/path with a setting of the format \"origin\"";
    let (text, rest, whole) = if address.starts_with('{') {
        let end = address
            .find('}')
            .map(|at| at + 1)
            .ok_or_else(|| format!("the address does not begin with an origin; {FORM}"))?;
        let (text, rest) = address.split_at(end);
        (text, rest, true)
    } else {
        let scheme = address
            .find("://")
            .map(|at| at + 3)
            .ok_or_else(|| format!("the address {} does not begin with an origin; {FORM}", quote(address)))?;
        let tail = address.get(scheme..).unwrap_or_default();
        let end = scheme + tail.find(['/', '?', '#']).unwrap_or(tail.len());
        let (text, rest) = address.split_at(end);
        (text, rest, false)
    };
    if rest.contains('#') {
        return Err("the address has a fragment (`#`), which no server ever sees; remove it".to_owned());
    }
    if !rest.is_empty() && !rest.starts_with(['/', '?']) {
        return Err(format!("after {} a path must follow; write {text}/path", quote(text)));
    }
    let names = settings_in(text)?;
    if names.is_empty() {
        return text
            .parse::<Origin>()
            .map(Target::Fixed)
            .map_err(|error| format!("{} is no origin; {error}", quote(text)));
    }
    for name in &names {
        check_setting(name, whole, schema)?;
    }
    if !whole {
        // Any good label stands for every good label.
        let probe =
            names.iter().fold(text.to_owned(), |t, name| t.replace(&format!("{{setting.{name}}}"), "x"));
        probe.parse::<Origin>().map_err(|error| format!("{} is no origin; {error}", quote(text)))?;
    }
    Ok(Target::Made { text: text.to_owned(), settings: names })
}

fn settings_in(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once('{') {
        let (inner, after) =
            from.split_once('}').ok_or("a `{` in the host is not closed; write {setting.NAME}")?;
        match inner.strip_prefix("setting.") {
            Some(name) if !name.contains(':') => {
                if !names.iter().any(|n| n == name) {
                    names.push(name.to_owned());
                }
            }
            Some(_) => return Err("no encoder may stand in the host; write {setting.NAME}".to_owned()),
            None => {
                return Err(format!(
                    "`{{{}}}` stands in the host; only a setting that an admin enters may, as {{setting.NAME}}",
                    inner.chars().take(64).collect::<String>()
                ));
            }
        }
        rest = after;
    }
    Ok(names)
}

fn check_setting(name: &str, whole: bool, schema: Option<&SettingsSchema>) -> Result<(), String> {
    let Some(schema) = schema else { return Ok(()) };
    let Some(property) = schema.property(name) else {
        return Err(unknown_setting(name, schema));
    };
    let format = property.get("format").and_then(Value::as_str);
    match (whole, format) {
        (true, Some("origin")) | (false, Some("label" | "host")) => Ok(()),
        (true, _) => Err(format!(
            "the setting `{name}` stands for the whole address; give it format = \"origin\" in [settings.properties.{name}]"
        )),
        (false, _) => Err(format!(
            "the setting `{name}` stands in a host name; give it format = \"label\" in [settings.properties.{name}]"
        )),
    }
}

/// The finding for a setting that the schema does not have.
pub(super) fn unknown_setting(name: &str, schema: &SettingsSchema) -> String {
    let near = crate::source::nearest(name, schema.names());
    let help = near.map_or_else(
        || format!("add [settings.properties.{name}]"),
        |near| format!("did you mean `{near}`?"),
    );
    format!("there is no setting {}; {help}", quote(name))
}
