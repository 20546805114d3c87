//! The body of a request as one JSON value, whatever form it came in.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::Refusal;

/// How the provider sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BodyForm {
    /// One JSON value.
    Json,
    /// A form; each parameter is a text under its name, the first of each.
    Form,
    /// A part of a multipart form (RFC 7578), by its name; it holds JSON.
    Multipart(String),
}

impl BodyForm {
    pub(super) fn read(&self, media_type: &str, body: &[u8]) -> Result<Value, Refusal> {
        let json = |bytes: &[u8]| {
            serde_json::from_slice(bytes).map_err(|_| Refusal::Unreadable("the body is not JSON"))
        };
        match self {
            Self::Json => json(body),
            Self::Form => {
                let mut object = Map::new();
                for (name, value) in form_urlencoded::parse(body) {
                    object.entry(name.into_owned()).or_insert_with(|| Value::String(value.into_owned()));
                }
                Ok(Value::Object(object))
            }
            Self::Multipart(name) => {
                let boundary = boundary(media_type)
                    .ok_or(Refusal::Unreadable("the body is not a multipart form by its header"))?;
                let part = part(body, boundary, name)
                    .ok_or(Refusal::Unreadable("the multipart form lacks the part of the mapping"))?;
                json(part)
            }
        }
    }
}

fn boundary(media_type: &str) -> Option<&str> {
    let (kind, rest) = media_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = rest.split(';').find_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    // RFC 2046, section 5.1.1.
    (1..=70).contains(&value.len()).then_some(value)
}

/// The content of the first part with this name (RFC 2046, section 5.1).
fn part<'b>(body: &'b [u8], boundary: &str, name: &str) -> Option<&'b [u8]> {
    let mark = format!("\r\n--{boundary}");
    let mark = mark.as_bytes();
    // The first mark stands at the very beginning, or after a preamble.
    let mut rest = match body.strip_prefix(mark.get(2..)?) {
        Some(rest) => rest,
        None => body.get(find(body, mark)?.checked_add(mark.len())?..)?,
    };
    loop {
        if rest.starts_with(b"--") {
            return None;
        }
        let start = find(rest, b"\r\n")?.checked_add(2)?;
        let content = rest.get(start..)?;
        let end = find(content, mark)?;
        let (whole, after) = content.split_at_checked(end)?;
        let head_end = find(whole, b"\r\n\r\n")?;
        let head = std::str::from_utf8(whole.get(..head_end)?).ok()?;
        if is_named(head, name) {
            return whole.get(head_end.checked_add(4)?..);
        }
        rest = after.get(mark.len()..)?;
    }
}

fn is_named(head: &str, name: &str) -> bool {
    head.split("\r\n").any(|line| {
        let Some((header, value)) = line.split_once(':') else { return false };
        header.trim().eq_ignore_ascii_case("content-disposition")
            && value.split(';').any(|param| {
                param.trim().split_once('=').is_some_and(|(key, value)| {
                    key.trim().eq_ignore_ascii_case("name") && value.trim().trim_matches('"') == name
                })
            })
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const KIND: &str = "multipart/form-data; boundary=\"xx\"";

    fn read(form: BodyForm, kind: &str, body: &str) -> String {
        form.read(kind, body.as_bytes()).map_or_else(|r| r.to_string(), |value| value.to_string())
    }

    fn multipart(kind: &str, body: &str) -> String {
        read(BodyForm::Multipart("cdr".to_owned()), kind, &body.replace('\n', "\r\n"))
    }

    const TWO: &str = "--xx\nContent-Disposition: form-data; name=\"other\"\n\n{}\n--xx\nContent-Type: application/json\ncontent-disposition: form-data; name=\"cdr\"; filename=\"a\"\n\n{\"a\":1}\n--xx--\n";

    #[rstest]
    #[case::second_part(KIND, TWO, "{\"a\":1}")]
    #[case::with_a_preamble(KIND, &format!("hello\n{TWO}"), "{\"a\":1}")]
    #[case::truncated(KIND, &TWO[..TWO.len() - 10], "the request cannot be read: the multipart form lacks the part of the mapping")]
    #[case::no_such_part(
        KIND,
        "--xx\nContent-Disposition: form-data; name=\"x\"\n\n{}\n--xx--\n",
        "the request cannot be read: the multipart form lacks the part of the mapping"
    )]
    #[case::no_json(
        KIND,
        "--xx\nContent-Disposition: form-data; name=\"cdr\"\n\n{\n--xx--\n",
        "the request cannot be read: the body is not JSON"
    )]
    #[case::no_boundary(
        "multipart/form-data",
        TWO,
        "the request cannot be read: the body is not a multipart form by its header"
    )]
    #[case::json(
        "application/json",
        TWO,
        "the request cannot be read: the body is not a multipart form by its header"
    )]
    fn a_part_is_found_by_its_name(#[case] kind: &str, #[case] body: &str, #[case] expected: &str) {
        assert_eq!(multipart(kind, body), expected);
    }

    #[rstest]
    #[case::json(BodyForm::Json, "{\"a\":1}", "{\"a\":1}")]
    #[case::truncated(BodyForm::Json, "{\"a\":", "the request cannot be read: the body is not JSON")]
    #[case::form(BodyForm::Form, "a=1&b=Ol%C3%A1&a=2", "{\"a\":\"1\",\"b\":\"Olá\"}")]
    fn a_body_is_one_value(#[case] form: BodyForm, #[case] body: &str, #[case] expected: &str) {
        assert_eq!(read(form, "", body), expected);
    }
}
