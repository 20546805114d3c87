//! Templates ready for use: settings and constant parts are written in once, when a grant is loaded; what is
//! left per request is to copy literals and to encode the parameters.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::address::Origin;
use crate::spec::FieldSpec;
use crate::template::{Encoder, Language, Piece, Template, TemplateError, Unencodable, write_value};
use crate::value::Clear;

/// A template with everything known written in.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pieces: Vec<Ready>,
}

#[derive(Debug)]
enum Ready {
    Literal(String),
    Value { index: usize, encoders: Vec<Encoder>, language: Language, bare: bool },
    Part { part: Compiled, encoders: Vec<Encoder>, language: Language },
}

impl Compiled {
    /// Writes the text with these values, in the order of the scope's values.
    pub(crate) fn render(&self, values: &[Clear]) -> Result<String, Unencodable> {
        let mut out = String::new();
        self.render_into(&mut out, values)?;
        Ok(out)
    }

    fn render_into(&self, out: &mut String, values: &[Clear]) -> Result<(), Unencodable> {
        for piece in &self.pieces {
            match piece {
                Ready::Literal(text) => out.push_str(text),
                Ready::Value { index, encoders, language, bare } => {
                    let value = values.get(*index).ok_or(Unencodable)?;
                    write_value(out, value.expose(), encoders, *language, *bare)?;
                }
                Ready::Part { part, encoders, language } => {
                    let inner = Clear::from(part.render(values)?);
                    write_value(out, inner.expose(), encoders, *language, false)?;
                }
            }
        }
        Ok(())
    }

    fn is_constant(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Ready::Literal(_)))
    }

    fn literal(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Ready::Literal(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.pieces.push(Ready::Literal(text.to_owned())),
        }
    }
}

/// What the holes of a route's templates may name.
pub(crate) struct Scope<'a> {
    pub(crate) values: &'a [(String, FieldSpec)],
    pub(crate) settings: &'a Value,
    pub(crate) parts: &'a BTreeMap<String, (Language, Template)>,
    /// Values may stand in plain text: true for a login's own secrets, which are the host's.
    pub(crate) raw: bool,
}

/// A template that does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The template itself.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A setting that is not there.
    #[error("the setting `{0}` has no value; enter it, or give it a default in the manifest's schema")]
    NoSetting(String),
    /// A setting that is neither text nor number nor truth value.
    #[error(
        "the setting `{0}` is not a text, a number or a truth value, so it cannot stand in an address or a header; enter one of these"
    )]
    SettingKind(String),
    /// A constant that cannot be written in its place.
    #[error("`{0}` cannot be written into {1}; correct it in the settings or in the manifest")]
    Unencodable(String, Language),
    /// An address that is no exact origin.
    #[error(
        "the address does not start with an exact origin: {0}; begin it with one such as `https://api.example.com`"
    )]
    Origin(String),
    /// A hole in the origin that is no setting.
    #[error("`{{{0}}}` stands in the host name; only a setting that the admin entered may")]
    HostFromValue(String),
    /// An address with characters or segments that have no place in it.
    #[error("the address has {0}; write the path as plain segments, `/` between them")]
    Path(&'static str),
}

impl Scope<'_> {
    /// Compiles a template that stands in one language.
    pub(crate) fn compile(&self, template: &Template, language: Language) -> Result<Compiled, CompileError> {
        template.check(language)?;
        let mut out = Compiled::default();
        for piece in &template.pieces {
            self.piece(&mut out, piece, language, &mut Vec::new())?;
        }
        out.pieces.shrink_to_fit();
        Ok(out)
    }

    /// Compiles `scheme://host/path?query`: the origin is fixed here, before any value is known.
    pub(crate) fn address(&self, template: &Template) -> Result<(Origin, Compiled), CompileError> {
        let mut origin = String::new();
        let mut out = Compiled::default();
        let mut language = None;
        for piece in &template.pieces {
            match (piece, language) {
                (Piece::Literal(text), None) => {
                    let from = if origin.contains("://") {
                        0
                    } else {
                        text.find("://").map_or(text.len(), |at| at + 3)
                    };
                    let rest = text.get(from..).unwrap_or_default();
                    let cut = rest.find(['/', '?']).map_or(text.len(), |at| from + at);
                    let (head, tail) = text.split_at(cut);
                    origin.push_str(head);
                    if !tail.is_empty() {
                        let mut now = Language::Path;
                        literal_address(&mut out, tail, &mut now)?;
                        language = Some(now);
                    }
                }
                (Piece::Hole { name, .. }, None) => match name.strip_prefix("setting.") {
                    Some(setting) => origin.push_str(&self.setting(setting)?),
                    None => return Err(CompileError::HostFromValue(name.clone())),
                },
                (Piece::Literal(text), Some(mut now)) => {
                    literal_address(&mut out, text, &mut now)?;
                    language = Some(now);
                }
                (piece @ Piece::Hole { .. }, Some(now)) => {
                    self.piece(&mut out, piece, now, &mut Vec::new())?
                }
            }
        }
        let origin = origin.parse::<Origin>().map_err(|e| CompileError::Origin(e.to_string()))?;
        match out.pieces.first() {
            None => out.literal("/"),
            Some(Ready::Literal(text)) if text.starts_with('/') => {}
            Some(_) => out.pieces.insert(0, Ready::Literal("/".to_owned())),
        }
        Ok((origin, out))
    }

    fn piece(
        &self,
        out: &mut Compiled,
        piece: &Piece,
        language: Language,
        within: &mut Vec<String>,
    ) -> Result<(), CompileError> {
        let (name, encoders) = match piece {
            Piece::Literal(text) => {
                out.literal(text);
                return Ok(());
            }
            Piece::Hole { name, encoders } => (name, encoders),
        };
        if let Some(setting) = name.strip_prefix("setting.") {
            let value = self.setting(setting)?;
            let bare = matches!(self.settings.get(setting), Some(Value::Number(_) | Value::Bool(_)));
            return constant(out, &value, encoders, language, bare, name);
        }
        if let Some((index, (_, spec))) = self.values.iter().enumerate().find(|(_, (n, _))| n == name) {
            if language == Language::Text && !self.raw && matches!(spec, FieldSpec::Classes(_)) {
                return Err(TemplateError::Raw(name.clone()).into());
            }
            let bare = matches!(spec, FieldSpec::Bounded(bounded) if bounded.is_bare());
            out.pieces.push(Ready::Value { index, encoders: encoders.clone(), language, bare });
            return Ok(());
        }
        let Some((inner_language, template)) = self.parts.get(name) else {
            return Err(TemplateError::Unknown(name.clone()).into());
        };
        if within.contains(name) {
            return Err(TemplateError::Circle(name.clone()).into());
        }
        within.push(name.clone());
        template.check(*inner_language)?;
        let mut part = Compiled::default();
        for piece in &template.pieces {
            self.piece(&mut part, piece, *inner_language, within)?;
        }
        within.pop();
        if part.is_constant() {
            let text =
                part.render(&[]).map_err(|_| CompileError::Unencodable(name.clone(), *inner_language))?;
            return constant(out, &text, encoders, language, false, name);
        }
        out.pieces.push(Ready::Part { part, encoders: encoders.clone(), language });
        Ok(())
    }

    fn setting(&self, name: &str) -> Result<String, CompileError> {
        match self.settings.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Bool(truth)) => Ok(truth.to_string()),
            Some(Value::Null) | None => Err(CompileError::NoSetting(name.to_owned())),
            Some(_) => Err(CompileError::SettingKind(name.to_owned())),
        }
    }
}

fn constant(
    out: &mut Compiled,
    value: &str,
    encoders: &[Encoder],
    language: Language,
    bare: bool,
    name: &str,
) -> Result<(), CompileError> {
    let mut text = String::new();
    write_value(&mut text, value, encoders, language, bare)
        .map_err(|_| CompileError::Unencodable(name.to_owned(), language))?;
    out.literal(&text);
    Ok(())
}

/// The author's own part of an address: checked, because nothing else looks at it again.
fn literal_address(out: &mut Compiled, text: &str, language: &mut Language) -> Result<(), CompileError> {
    if text.contains('#') {
        return Err(CompileError::Path("a fragment (`#`)"));
    }
    let path_end = if *language == Language::Path { text.find('?').unwrap_or(text.len()) } else { 0 };
    let (path, query) = text.split_at(path_end);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&b);
    if !path.bytes().all(allowed) || !query.bytes().all(|b| allowed(b) || b == b'?') {
        return Err(CompileError::Path(
            "a character that belongs percent-encoded, or a brace that is no placeholder",
        ));
    }
    if path.contains("//") {
        return Err(CompileError::Path("an empty segment (`//`)"));
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(CompileError::Path("a dot segment"));
    }
    if path.contains('%') {
        return Err(CompileError::Path("a percent sign in the path"));
    }
    if !query.is_empty() {
        *language = Language::Query;
    }
    out.literal(text);
    Ok(())
}

#[cfg(test)]
mod tests;
