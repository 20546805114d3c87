//! The custom sections of a plugin file.
//!
//! Only sections of the outermost component count. A section of the same name in a nested module is
//! somebody's data: read as the manifest, it would be one that no reviewer saw.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload};

/// Holds `plugin.toml`, byte by byte.
pub const MANIFEST_SECTION: &str = "ramal:manifest";
/// Holds the versions that the plugin was built with, as JSON.
pub const SDK_SECTION: &str = "ramal:sdk";

/// What a plugin was built with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sdk {
    /// The SDK's version.
    pub sdk: String,
    /// The version of `ramal:crm` that it speaks.
    pub wit: String,
    /// The language: `rust`, `js`, `python`.
    pub lang: String,
}

/// What a plugin file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sections {
    /// The manifest's text.
    pub manifest: String,
    /// What it was built with.
    pub sdk: Sdk,
}

/// Why a file's sections cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SectionError {
    /// Not wasm, or broken.
    #[error("this is no wasm file, or a broken one: {0}; give the file that `ramal build` makes")]
    NotWasm(String),
    /// A core module.
    #[error("this is a core module and no component; `ramal build` makes one from a plugin's folder")]
    NotAComponent,
    /// A section is not there.
    #[error("the component has no section `{0}`, so it is no plugin; build it with `ramal build`")]
    Missing(&'static str),
    /// A section is there twice, so that two readers may see two manifests.
    #[error("the component has section `{0}` twice; build it anew with `ramal build`")]
    Twice(&'static str),
    /// A section is not what it should be.
    #[error("section `{0}` is unreadable: {1}; build the plugin anew with `ramal build`")]
    Unreadable(&'static str, String),
}

/// The sections of a plugin file. Nothing is compiled and nothing else is checked.
///
/// # Errors
/// When the bytes are no component, or a section is missing, repeated or unreadable.
pub fn read(component: &[u8]) -> Result<Sections, SectionError> {
    let (encoding, sections) = outermost(component)?;
    if encoding == Encoding::Module {
        return Err(SectionError::NotAComponent);
    }
    let manifest = std::str::from_utf8(only(&sections, MANIFEST_SECTION)?)
        .map_err(|e| SectionError::Unreadable(MANIFEST_SECTION, e.to_string()))?;
    Ok(Sections { manifest: manifest.to_owned(), sdk: parse_sdk(only(&sections, SDK_SECTION)?)? })
}

pub(crate) fn parse_sdk(json: &[u8]) -> Result<Sdk, SectionError> {
    serde_json::from_slice(json).map_err(|e| SectionError::Unreadable(SDK_SECTION, e.to_string()))
}

/// One section of the outermost module or component.
pub(crate) struct Section<'a> {
    /// The section's number.
    pub(crate) number: u8,
    /// The custom section's name, if it is one.
    pub(crate) name: Option<&'a str>,
    /// The content; of a custom section, what follows its name.
    pub(crate) data: &'a [u8],
    /// The whole content, with a custom section's name.
    pub(crate) whole: &'a [u8],
}

/// The sections of the outermost module or component, in order.
pub(crate) fn outermost(wasm: &[u8]) -> Result<(Encoding, Vec<Section<'_>>), SectionError> {
    let mut sections = Vec::new();
    let mut outer = None;
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|e| SectionError::NotWasm(e.message().to_owned()))?;
        if let Payload::Version { encoding, .. } = payload {
            outer.get_or_insert(encoding);
        }
        if depth == 0
            && let Some((number, range)) = payload.as_section()
        {
            let custom = match &payload {
                Payload::CustomSection(custom) => Some((custom.name(), custom.data())),
                _ => None,
            };
            let whole = slice(wasm, range)?;
            let (name, data) = custom.map_or((None, whole), |(name, data)| (Some(name), data));
            sections.push(Section { number, name, data, whole });
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    match outer {
        Some(encoding) => Ok((encoding, sections)),
        None => Err(SectionError::NotWasm("it is empty".to_owned())),
    }
}

fn slice(wasm: &[u8], range: Range<usize>) -> Result<&[u8], SectionError> {
    wasm.get(range).ok_or_else(|| SectionError::NotWasm("a section leaves the file".to_owned()))
}

/// The one custom section of this name.
pub(crate) fn only<'a>(sections: &[Section<'a>], name: &'static str) -> Result<&'a [u8], SectionError> {
    let mut found = sections.iter().filter(|s| s.name == Some(name));
    match (found.next(), found.next()) {
        (Some(section), None) => Ok(section.data),
        (None, _) => Err(SectionError::Missing(name)),
        (Some(_), Some(_)) => Err(SectionError::Twice(name)),
    }
}

/// Names of functions, as the compiler leaves them.
pub(crate) const NAMES_SECTION: &str = "name";

/// The module without one kind of custom section.
pub(crate) fn without(wasm: &[u8], name: &str) -> Result<Vec<u8>, SectionError> {
    let (_, sections) = outermost(wasm)?;
    let mut out = wasm.get(..8).unwrap_or_default().to_vec();
    for section in sections.iter().filter(|s| s.name != Some(name)) {
        push(&mut out, section.number, section.whole);
    }
    Ok(out)
}

/// Appends a custom section.
pub(crate) fn append(wasm: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::with_capacity(name.len() + data.len() + 5);
    leb128(&mut content, name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    push(wasm, 0, &content);
}

fn push(wasm: &mut Vec<u8>, number: u8, content: &[u8]) {
    wasm.push(number);
    leb128(wasm, content.len());
    wasm.extend_from_slice(content);
}

fn leb128(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SDK: &str = r#"{"sdk":"0.1.0","wit":"0.1.0","lang":"rust"}"#;

    fn component(sections: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = wat::parse_str("(component)").unwrap();
        for (name, data) in sections {
            append(&mut bytes, name, data.as_bytes());
        }
        bytes
    }

    #[test]
    fn sections_round_trip() {
        let manifest = "id = \"ação\"\n".repeat(100);
        let read = read(&component(&[(MANIFEST_SECTION, &manifest), (SDK_SECTION, SDK)])).unwrap();
        assert_eq!(read.manifest, manifest);
        assert_eq!(read.sdk.wit, "0.1.0");
    }

    #[rstest]
    #[case::empty(vec![], "this is no wasm file, or a broken one: unexpected end-of-file")]
    #[case::text(b"id = 1 ...".to_vec(), "this is no wasm file, or a broken one: magic header not detected")]
    #[case::module(
        wat::parse_str("(module)").unwrap(),
        "this is a core module and no component; `ramal build` makes one from a plugin's folder"
    )]
    #[case::no_manifest(component(&[(SDK_SECTION, SDK)]), "the component has no section `ramal:manifest`")]
    #[case::no_sdk(component(&[(MANIFEST_SECTION, "")]), "the component has no section `ramal:sdk`")]
    #[case::two_manifests(
        component(&[(MANIFEST_SECTION, "a"), (SDK_SECTION, SDK), (MANIFEST_SECTION, "b")]),
        "the component has section `ramal:manifest` twice"
    )]
    #[case::sdk_no_json(
        component(&[(MANIFEST_SECTION, ""), (SDK_SECTION, "0.1")]),
        "section `ramal:sdk` is unreadable"
    )]
    fn bad_files_are_named(#[case] bytes: Vec<u8>, #[case] text: &str) {
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }

    #[test]
    fn a_manifest_inside_a_nested_module_does_not_count() {
        let mut bytes = wat::parse_str(
            r#"(component (core module (@custom "ramal:manifest" "hidden")) (component (@custom "ramal:manifest" "x")))"#,
        )
        .unwrap();
        append(&mut bytes, SDK_SECTION, SDK.as_bytes());
        assert_eq!(read(&bytes), Err(SectionError::Missing(MANIFEST_SECTION)));
        append(&mut bytes, MANIFEST_SECTION, b"seen");
        assert_eq!(read(&bytes).unwrap().manifest, "seen");
    }

    #[test]
    fn taking_a_section_out_leaves_the_rest_as_it_was() {
        let bare = wat::parse_str(r#"(module (memory 1) (data (i32.const 0) "abc"))"#).unwrap();
        let mut with = bare.clone();
        append(&mut with, SDK_SECTION, SDK.as_bytes());
        assert_eq!(without(&with, SDK_SECTION).unwrap(), bare);
    }
}
