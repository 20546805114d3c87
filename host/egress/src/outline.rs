//! What operators see of a CRM's error: its shape. Keys, lengths and machine words such as `INVALID_SESSION_ID`
//! at the places where CRMs put them; never the CRM's sentences, which like to repeat a customer's name.

use serde_json::Value;

/// Keys under which a machine word may be shown.
const CODES: &[&str] = &["code", "errorCode", "error_code", "category", "type", "reason", "subCategory"];
/// Characters of an outline.
const MOST: usize = 400;
const DEEPEST: u32 = 4;

/// The outline of an error's body.
pub(crate) fn outline(body: &[u8]) -> String {
    let mut out = String::new();
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => write(&mut out, None, &value, 0),
        Err(_) => out = format!("{} bytes, not JSON", body.len()),
    }
    if let Some((cut, _)) = out.char_indices().nth(MOST) {
        out.truncate(cut);
        out.push('…');
    }
    out
}

fn write(out: &mut String, key: Option<&str>, value: &Value, depth: u32) {
    if out.len() > MOST {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(_) => out.push_str("bool"),
        Value::Number(_) => out.push_str("number"),
        Value::String(text) if key.is_some_and(|k| CODES.contains(&k)) && is_machine_word(text) => {
            out.push_str(text);
        }
        Value::String(text) => out.push_str(&format!("text({})", text.chars().count())),
        Value::Array(items) => {
            out.push('[');
            match items.first() {
                Some(first) if depth < DEEPEST => write(out, None, first, depth + 1),
                _ => {}
            }
            out.push_str(&format!("]×{}", items.len()));
        }
        Value::Object(fields) if depth < DEEPEST => {
            out.push('{');
            for (i, (name, value)) in fields.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                let known = is_key(name);
                out.push_str(if known { name } else { "…" });
                out.push_str(": ");
                write(out, known.then_some(name.as_str()), value, depth + 1);
            }
            out.push('}');
        }
        Value::Object(fields) => out.push_str(&format!("{{{}}}", fields.len())),
    }
}

/// A key that a program wrote: some objects have a customer's e-mail address as key.
fn is_key(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
}

/// `UPPER_SNAKE`, with an underscore: no name of a person is written so.
fn is_machine_word(text: &str) -> bool {
    (3..=48).contains(&text.len())
        && text.contains('_')
        && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // Invented people.
    #[rstest]
    #[case::hubspot(
        r#"{"status":"error","category":"VALIDATION_ERROR","message":"Maria da Silva already exists","n":409}"#,
        "{status: text(5), category: VALIDATION_ERROR, message: text(29), n: number}"
    )]
    #[case::salesforce(
        r#"[{"errorCode":"INVALID_SESSION_ID","message":"Session expired"}]"#,
        "[{errorCode: INVALID_SESSION_ID, message: text(15)}]×1"
    )]
    #[case::name_as_code(r#"{"code":"MARIA"}"#, "{code: text(5)}")]
    #[case::key_is_an_address(r#"{"maria@example.com":["taken"]}"#, "{…: [text(5)]×1}")]
    #[case::number(r#"{"phone":5511987654321}"#, "{phone: number}")]
    #[case::html("<h1>Maria</h1>", "14 bytes, not JSON")]
    #[case::deep(r#"{"a":{"a":{"a":{"a":{"a":1}}}}}"#, "{a: {a: {a: {a: {1}}}}}")]
    fn an_outline_has_the_shape_and_not_the_words(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(outline(body.as_bytes()), expected);
    }

    #[test]
    fn an_outline_is_short() {
        let fields: Vec<String> = (0..200).map(|i| format!("\"{}\":1", "k".repeat(i % 30 + 1))).collect();
        let outline = outline(format!("{{{}}}", fields.join(",")).as_bytes());
        assert_eq!(outline.chars().count(), MOST + 1);
    }
}
