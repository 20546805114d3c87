//! What stands in a message, by its kind: a text, files, or a mark of what it is.
//!
//! Kinds: <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples>.

use std::fmt::Write as _;

use ramal_center::{Attachment, Clear};
use serde_json::Value;

use super::envelope::{list, text};
use super::kind;
use super::status::error_code;
use crate::text as plain;

/// The longest reference, in characters: a button's own name may have 256.
const LONGEST_REFERENCE: usize = 512;
/// Cards of people, and lines of an order, that are read of one message.
const MOST_LINES: usize = 100;

/// What was read of one message.
#[derive(Default)]
pub(super) struct Content {
    pub(super) text: Option<Clear>,
    pub(super) files: Vec<Attachment>,
}

impl Content {
    fn text(mut self, text: Option<&str>) -> Self {
        self.text = text.map(plain::kept);
        self
    }

    fn mark(mut self, kind: &str, of: Option<&str>) -> Self {
        let reference = reference(of.unwrap_or_default());
        self.files.push(Attachment { media_type: kind.to_owned(), reference });
        self
    }
}

/// A reference of Meta's or the business's, in one line.
pub(super) fn reference(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_REFERENCE).collect()
}

/// Reads a message of whatever kind.
pub(super) fn read(part: &Value) -> Content {
    let word = text(part, "type").unwrap_or("unknown");
    let inner = part.get(word).unwrap_or(&Value::Null);
    let new = Content::default();
    match word {
        "text" => new.text(text(inner, "body")),
        "image" | "video" | "audio" | "document" | "sticker" => media(inner),
        "location" => location(inner),
        "contacts" => {
            let people = list(part, "contacts").iter().take(MOST_LINES).map(person);
            new.text(Some(&people.collect::<Vec<_>>().join("\n"))).mark(kind::CONTACTS, None)
        }
        "reaction" => new.text(text(inner, "emoji")).mark(kind::REACTION, text(inner, "message_id")),
        "button" => new.text(text(inner, "text")).mark(kind::BUTTON, text(inner, "payload")),
        "interactive" => interactive(inner),
        "order" => order(inner),
        "system" => new.text(text(inner, "body")).mark(kind::SYSTEM, text(inner, "type")),
        "edit" => {
            // One that edits an edit is none that Meta sends, and there is no end to it.
            let edited = inner.get("message").filter(|message| text(message, "type") != Some("edit"));
            edited.map(read).unwrap_or_default().mark(kind::EDIT, text(inner, "original_message_id"))
        }
        "revoke" => new.mark(kind::REVOKED, text(inner, "original_message_id")),
        other => {
            let code = error_code(part);
            let named = text(inner, "type").unwrap_or(other);
            new.mark(
                kind::UNSUPPORTED,
                Some(&code.map_or(named.to_owned(), |code| format!("{named} {code}"))),
            )
        }
    }
}

/// A file: its caption, and by which identifier it can be fetched.
fn media(inner: &Value) -> Content {
    let content = Content::default().text(text(inner, "caption"));
    match text(inner, "id") {
        Some(id) => {
            let media_type = text(inner, "mime_type").unwrap_or("application/octet-stream");
            content.mark(&reference(media_type), Some(id))
        }
        None => content.mark(kind::UNSUPPORTED, Some("media without an identifier")),
    }
}

fn location(inner: &Value) -> Content {
    let number = |name: &str| {
        let value = inner.get(name)?;
        value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number: &f64| number.is_finite())
    };
    let place = match (number("latitude"), number("longitude")) {
        (Some(latitude), Some(longitude)) => format!("geo:{latitude},{longitude}"),
        _ => String::new(),
    };
    let lines = [text(inner, "name"), text(inner, "address"), Some(place.as_str())];
    let lines: Vec<&str> = lines.into_iter().flatten().filter(|line| !line.is_empty()).collect();
    Content::default().text(Some(&lines.join("\n"))).mark(kind::LOCATION, Some(&place))
}

/// A card of a person, in one line.
fn person(card: &Value) -> String {
    let name = card.get("name").and_then(|name| text(name, "formatted_name")).unwrap_or("?");
    let values = |list_name: &'static str, key: &'static str| {
        list(card, list_name).iter().filter_map(move |value| text(value, key))
    };
    let mut line = name.to_owned();
    for value in values("phones", "phone").chain(values("emails", "email")).take(MOST_LINES) {
        line.push_str(", ");
        line.push_str(value);
    }
    line
}

fn interactive(inner: &Value) -> Content {
    let word = text(inner, "type").unwrap_or("interactive");
    let answer = inner.get(word).unwrap_or(&Value::Null);
    let new = Content::default();
    match word {
        "button_reply" | "list_reply" => {
            let lines = [text(answer, "title"), text(answer, "description")];
            let text_of = lines.into_iter().flatten().collect::<Vec<_>>().join("\n");
            new.text(Some(&text_of)).mark(kind::BUTTON, text(answer, "id"))
        }
        "nfm_reply" => {
            let filled = text(answer, "response_json").or_else(|| text(answer, "body"));
            new.text(filled).mark(kind::FORM, text(answer, "name"))
        }
        "call_permission_reply" => {
            new.text(text(answer, "response")).mark(kind::BUTTON, Some("call_permission_reply"))
        }
        other => new.mark(kind::UNSUPPORTED, Some(other)),
    }
}

fn order(inner: &Value) -> Content {
    let mut lines = text(inner, "text").unwrap_or_default().to_owned();
    for item in list(inner, "product_items").iter().take(MOST_LINES) {
        let count = item.get("quantity").and_then(Value::as_u64).unwrap_or(1);
        // Writing into a text does not fail.
        let _ = write!(lines, "\n{count} × {}", text(item, "product_retailer_id").unwrap_or("?"));
    }
    Content::default().text(Some(lines.trim_start())).mark(kind::ORDER, text(inner, "catalog_id"))
}
