//! What an admin enters for a plugin: a JSON Schema in the manifest, from which the panel draws a form and
//! by which the host checks what was entered.
//!
//! Only the part of JSON Schema that a form can show is taken. JSON Schema itself skips a keyword that it
//! does not know, so a `maxlength` would bind nobody; and a `$ref` could make the check run in circles.
//! Secrets are not settings: settings are shown, kept in plain rows and handed to the plugin.

mod schema;

use std::fmt;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value};

use crate::address::{Origin, is_host, is_label};
use crate::source::{Item, nearest, quote};

/// The schema of a plugin's settings: always of an object that takes the listed properties and no others.
#[derive(Clone)]
pub struct SettingsSchema {
    // Not the compiled validator: it is needed when a grant is loaded, and would be held by every idle plugin.
    schema: Arc<Value>,
}

/// One thing that is wrong with what was entered. Never holds what was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// The setting, as a path such as `server` or `lines.0`; empty for the settings as a whole.
    pub setting: String,
    /// What the form calls it.
    pub title: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.title, self.setting.as_str()) {
            (_, "") => f.write_str(&self.message),
            (Some(title), setting) => write!(f, "`{setting}` ({title}): {}", self.message),
            (None, setting) => write!(f, "`{setting}`: {}", self.message),
        }
    }
}

/// Settings that do not fit; every problem, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    problems: Vec<SettingsProblem>,
}

impl SettingsError {
    /// Every problem.
    pub fn problems(&self) -> &[SettingsProblem] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}
impl std::error::Error for SettingsError {}

impl SettingsSchema {
    /// The schema of a plugin that has no settings.
    pub(crate) fn empty() -> Self {
        let schema = serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false });
        Self { schema: Arc::new(schema) }
    }

    /// Reads `[settings]`; what is wrong is found with its line.
    pub(crate) fn read(item: &Item<'_>) -> Option<Self> {
        let schema = schema::read(item)?;
        let validator = match compile(&schema) {
            Ok(validator) => validator,
            Err(error) => {
                let at = schema::span_of(item, error.instance_path().iter());
                item.wrong_at(at, format!("this is no usable JSON Schema; {}", error.masked()));
                return None;
            }
        };
        let made = Self { schema: Arc::new(schema) };
        made.check_defaults(item, &validator).then_some(made)
    }

    /// The JSON Schema, properties in the order of the manifest.
    pub fn schema(&self) -> &Value {
        &self.schema
    }
    /// The names of the settings, in the order of the manifest.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|all| all.keys())
            .map(String::as_str)
    }
    /// The schema of one setting.
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.schema.get("properties")?.get(name)
    }

    /// Checks what was entered and fills in the defaults.
    ///
    /// # Errors
    /// With everything that is wrong, by setting; what was entered is never repeated.
    pub fn check(&self, entered: &Value) -> Result<Value, SettingsError> {
        let mut settings = entered.clone();
        fill_defaults(&mut settings, &self.schema);
        let problems: Vec<SettingsProblem> = match compile(&self.schema) {
            Ok(validator) => {
                validator.iter_errors(&settings).flat_map(|error| self.explain(&error)).collect()
            }
            // It was compiled when the manifest was read.
            Err(_) => vec![SettingsProblem {
                setting: String::new(),
                title: None,
                message: "the plugin's schema of its settings is unusable; ask its vendor".to_owned(),
            }],
        };
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { problems }) }
    }

    /// A default that the schema itself refuses would be an error in front of an admin who entered nothing.
    fn check_defaults(&self, item: &Item<'_>, validator: &Validator) -> bool {
        let mut settings = Value::Object(Map::new());
        fill_defaults(&mut settings, &self.schema);
        let mut good = true;
        for error in validator.iter_errors(&settings) {
            let path: Vec<String> = segments(&error);
            let Some(first) = path.first() else { continue };
            let place = ["properties", first.as_str(), "default"].into_iter().map(LocationSegment::from);
            let words = self.explain(&error).into_iter().map(|p| p.message).collect::<Vec<_>>().join(", ");
            item.wrong_at(
                schema::span_of(item, place),
                format!("the default of {} does not fit its own schema; {words}", quote(first)),
            );
            good = false;
        }
        good
    }

    fn explain(&self, error: &ValidationError<'_>) -> Vec<SettingsProblem> {
        let path = segments(error);
        let about = |path: &[String], message: String| SettingsProblem {
            setting: path.join("."),
            title: self.title(path),
            message,
        };
        let within = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        let message = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                return vec![about(&within(name), "is missing; enter it".to_owned())];
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known: Vec<&str> = self
                    .at(&path)
                    .and_then(|s| s.get("properties"))
                    .and_then(Value::as_object)
                    .into_iter()
                    .flat_map(|all| all.keys())
                    .map(String::as_str)
                    .collect();
                let one = |name: &String| {
                    let help = match nearest(name, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if known.is_empty() => "this plugin has no settings".to_owned(),
                        None => format!("there are {}", known.join(", ")),
                    };
                    let cut: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
                    about(&within(&cut), format!("is no setting of this plugin; {help}"))
                };
                return unexpected.iter().map(one).collect();
            }
            ValidationErrorKind::Format { format } => match format.as_str() {
                "origin" => match error.instance().as_str().unwrap_or_default().parse::<Origin>() {
                    Err(why) => why.to_string(),
                    Ok(_) => "is no address".to_owned(),
                },
                "host" => {
                    "is no host name; enter it alone and in lower case, such as crm.example.com".to_owned()
                }
                "label" => "may hold a-z, 0-9 and `-` only, as one part of a host name does".to_owned(),
                other => format!("is not written as `{other}` demands"),
            },
            ValidationErrorKind::Type { .. } if path.is_empty() => {
                "the settings are an object of names and values".to_owned()
            }
            ValidationErrorKind::Type { .. } => {
                let wanted =
                    self.at(&path).and_then(|s| s.get("type")).and_then(Value::as_str).unwrap_or("value");
                match wanted {
                    "string" => "must be a text".to_owned(),
                    "integer" => "must be a whole number".to_owned(),
                    "number" => "must be a number".to_owned(),
                    "boolean" => "must be true or false".to_owned(),
                    "array" => "must be a list".to_owned(),
                    other => format!("must be of the type {other}"),
                }
            }
            ValidationErrorKind::Enum { options } => format!("must be one of {options}"),
            ValidationErrorKind::Constant { expected_value } => format!("must be {expected_value}"),
            ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
            ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
            ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
            ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
            ValidationErrorKind::MinLength { limit: 1 } => "must not be empty".to_owned(),
            ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
            ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
            ValidationErrorKind::MinItems { limit } => format!("must list at least {limit}"),
            ValidationErrorKind::MaxItems { limit } => format!("must list at most {limit}"),
            ValidationErrorKind::UniqueItems => "lists something twice".to_owned(),
            ValidationErrorKind::Pattern { pattern } => format!("must match the pattern {}", quote(pattern)),
            // The rest names the rule and shows `value` where the value would stand.
            _ => error.masked().to_string(),
        };
        vec![about(&path, message)]
    }

    /// The schema of the value at a path.
    fn at(&self, path: &[String]) -> Option<&Value> {
        let mut schema: &Value = &self.schema;
        for step in path {
            schema = match schema.get("properties").and_then(|all| all.get(step)) {
                Some(property) => property,
                None => schema.get("items")?,
            };
        }
        Some(schema)
    }

    fn title(&self, path: &[String]) -> Option<String> {
        (1..=path.len()).rev().find_map(|n| {
            let title = self.at(path.get(..n)?)?.get("title")?;
            title.as_str().map(str::to_owned)
        })
    }
}

fn segments(error: &ValidationError<'_>) -> Vec<String> {
    error.instance_path().iter().map(|segment| segment.to_string()).collect()
}

fn compile(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        // Patterns come from a stranger: this engine's time is linear in the text.
        .with_pattern_options(
            jsonschema::PatternOptions::regex().size_limit(256 * 1024).dfa_size_limit(256 * 1024),
        )
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .offline()
        .with_format("origin", |text: &str| text.parse::<Origin>().is_ok())
        .with_format("host", is_host)
        .with_format("label", is_label)
        .build(schema)
}

fn fill_defaults(value: &mut Value, schema: &Value) {
    let (Some(object), Some(properties)) =
        (value.as_object_mut(), schema.get("properties").and_then(Value::as_object))
    else {
        return;
    };
    for (name, property) in properties {
        if !object.contains_key(name)
            && let Some(default) = property.get("default")
        {
            object.insert(name.clone(), default.clone());
        }
        if let Some(inner) = object.get_mut(name) {
            fill_defaults(inner, property);
        }
    }
}

impl fmt::Debug for SettingsSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SettingsSchema").field(&self.schema).finish()
    }
}
impl PartialEq for SettingsSchema {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
    }
}

#[cfg(test)]
mod tests;
