//! Text with holes, and the encoder that each place needs.
//!
//! The *place* decides how a value is written, not the author: a value in a path is percent-encoded, one in a
//! JSON part becomes a JSON literal, one in SOQL a quoted literal. An author adds encoders for what lies
//! inside (`{domain:base64url}`), and the place's own encoder still comes last, so no value can leave its
//! place. Parts nest: a part is a template of its own, in its own language, used as a hole of another.

use std::fmt;

use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD};

/// A text with holes: `/contacts/{id}?d={domain:base64url}`. A brace that is not followed by a name is an
/// ordinary character, so JSON stands as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    Hole { name: String, encoders: Vec<Encoder> },
}

/// A step between a value and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// RFC 4648 section 4, padded.
    Base64,
    /// RFC 4648 section 5, padded.
    Base64Url,
    /// RFC 4648 section 5, without padding.
    Base64UrlNoPad,
}

/// The language of a place: it decides how a value is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// One segment of a path.
    Path,
    /// A name or value in a query.
    Query,
    /// A header's value.
    Header,
    /// A JSON value.
    Json,
    /// A literal in Salesforce's query language.
    Soql,
    /// A literal in an OData filter.
    Odata,
    /// Plain text, for what is encoded as a whole afterwards. Takes bounded values and settings only.
    Text,
}

impl Language {
    /// The language of a manifest's `part.NAME.LANGUAGE`.
    pub fn of_part(word: &str) -> Option<Self> {
        match word {
            "json" => Some(Self::Json),
            "soql" => Some(Self::Soql),
            "odata" => Some(Self::Odata),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Json => "json",
            Self::Soql => "soql",
            Self::Odata => "odata",
            Self::Text => "text",
        })
    }
}

/// A template that cannot stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// An encoder that does not exist.
    #[error(
        "`{0}` is no encoder; there are base64, base64url and base64url-nopad (the place's own is added by itself)"
    )]
    Encoder(String),
    /// A placeholder within a quoted text.
    #[error(
        "`{{{0}}}` stands within quotes: a placeholder in {1} is a whole value and brings its own quotes"
    )]
    Quoted(String, Language),
    /// A JSON part that is no JSON.
    #[error("the part is no JSON once its placeholders are filled: {0}")]
    NotJson(String),
    /// A name that nothing declares.
    #[error("`{{{0}}}` is not declared: use a parameter of this route, `setting.NAME`, or a part")]
    Unknown(String),
    /// A part that uses itself.
    #[error("the part `{0}` uses itself")]
    Circle(String),
    /// A class value in plain text.
    #[error(
        "`{{{0}}}` holds a customer's value and cannot stand in a `text` part, where nothing keeps it in its place; use json, soql or odata"
    )]
    Raw(String),
    /// A quote that never closes.
    #[error("a quoted text does not end")]
    OpenQuote,
}

/// A value that cannot be written in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unencodable;

impl Template {
    /// Parses; see the module for the form.
    ///
    /// # Errors
    /// When a placeholder names an encoder that does not exist.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, from) = rest.split_at(open);
            literal.push_str(before);
            let inside = from.get(1..).unwrap_or_default();
            match inside.find('}').and_then(|close| inside.get(..close)).filter(|inner| is_hole(inner)) {
                Some(inner) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    }
                    let mut words = inner.split(':');
                    let name = words.next().unwrap_or_default().to_owned();
                    let encoders = words.map(encoder).collect::<Result<_, _>>()?;
                    pieces.push(Piece::Hole { name, encoders });
                    rest = inside.get(inner.len() + 1..).unwrap_or_default();
                }
                None => {
                    literal.push('{');
                    rest = inside;
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.shrink_to_fit();
        Ok(Self { pieces })
    }

    /// The names in the holes.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole { name, .. } => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// Checks that each hole stands where a whole value may stand, so that no value can open or close
    /// anything around it.
    pub(crate) fn check(&self, language: Language) -> Result<(), TemplateError> {
        let quote = match language {
            Language::Json => '"',
            Language::Soql | Language::Odata => '\'',
            _ => return Ok(()),
        };
        let escapes = matches!(language, Language::Json | Language::Soql);
        let (mut quoted, mut escaped) = (false, false);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => {
                    for c in text.chars() {
                        match c {
                            _ if escaped => escaped = false,
                            '\\' if quoted && escapes => escaped = true,
                            c if c == quote => quoted = !quoted,
                            _ => {}
                        }
                    }
                }
                Piece::Hole { name, .. } if quoted => {
                    return Err(TemplateError::Quoted(name.clone(), language));
                }
                Piece::Hole { .. } => {}
            }
        }
        if quoted {
            return Err(TemplateError::OpenQuote);
        }
        if language == Language::Json {
            let filled: String = self
                .pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) => text.as_str(),
                    Piece::Hole { .. } => " null ",
                })
                .collect();
            serde_json::from_str::<serde::de::IgnoredAny>(&filled)
                .map_err(|e| TemplateError::NotJson(e.to_string()))?;
        }
        Ok(())
    }
}

/// `name`, `setting.name`, `name:encoder`: lower case, digits, `_`, `-`, `.`.
fn is_hole(inner: &str) -> bool {
    inner.len() <= 100
        && inner.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && inner.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.:".contains(&b))
}

fn encoder(word: &str) -> Result<Encoder, TemplateError> {
    match word {
        "base64" => Ok(Encoder::Base64),
        "base64url" => Ok(Encoder::Base64Url),
        "base64url-nopad" => Ok(Encoder::Base64UrlNoPad),
        other => Err(TemplateError::Encoder(other.to_owned())),
    }
}

impl Encoder {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Base64 => BASE64.encode(text.as_bytes()),
            Self::Base64Url => BASE64URL.encode(text.as_bytes()),
            Self::Base64UrlNoPad => BASE64URL_NOPAD.encode(text.as_bytes()),
        }
    }
}

/// Writes a value into its place: the author's encoders first, the place's own last. `bare` marks a bounded
/// number or truth value, written without quotes where the language has such.
pub(crate) fn write_value(
    out: &mut String,
    value: &str,
    encoders: &[Encoder],
    language: Language,
    bare: bool,
) -> Result<(), Unencodable> {
    if encoders.is_empty() {
        return write_plain(out, value, language, bare);
    }
    let encoded = encoders.iter().fold(value.to_owned(), |text, encoder| encoder.apply(&text));
    write_plain(out, &encoded, language, false)
}

fn write_plain(out: &mut String, value: &str, language: Language, bare: bool) -> Result<(), Unencodable> {
    match language {
        Language::Path => {
            // Some servers decode %2F and %5C before they route, and drop a lone dot segment: a value with
            // such characters has no safe spelling in a path.
            if value.is_empty()
                || matches!(value, "." | "..")
                || value.chars().any(|c| matches!(c, '/' | '\\') || c.is_control())
            {
                return Err(Unencodable);
            }
            percent(out, value);
        }
        Language::Query => percent(out, value),
        Language::Header => {
            if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
                return Err(Unencodable);
            }
            out.push_str(value);
        }
        Language::Json if bare => out.push_str(value),
        Language::Json => write_json_text(out, value),
        Language::Soql | Language::Odata if bare => out.push_str(value),
        Language::Soql => {
            if value.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
                return Err(Unencodable);
            }
            out.push('\'');
            for c in value.chars() {
                match c {
                    '\'' => out.push_str("\\'"),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    c => out.push(c),
                }
            }
            out.push('\'');
        }
        Language::Odata => {
            if value.chars().any(char::is_control) {
                return Err(Unencodable);
            }
            out.push('\'');
            out.push_str(&value.replace('\'', "''"));
            out.push('\'');
        }
        Language::Text => out.push_str(value),
    }
    Ok(())
}

/// Percent-encodes all but the unreserved characters (RFC 3986, section 2.3).
fn percent(out: &mut String, value: &str) {
    const KEEP: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    out.extend(percent_encoding::utf8_percent_encode(value, KEEP));
}

/// A JSON string literal with its quotes (RFC 8259, section 7).
pub(crate) fn write_json_text(out: &mut String, value: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in value.bytes().enumerate() {
        let escape: Option<&str> = match byte {
            b'"' => Some("\\\""),
            b'\\' => Some("\\\\"),
            b'\n' => Some("\\n"),
            b'\r' => Some("\\r"),
            b'\t' => Some("\\t"),
            0..=0x1f => None,
            _ => continue,
        };
        out.push_str(value.get(from..at).unwrap_or_default());
        match escape {
            Some(text) => out.push_str(text),
            None => {
                use fmt::Write;
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
        from = at + 1;
    }
    out.push_str(value.get(from..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
mod tests;
