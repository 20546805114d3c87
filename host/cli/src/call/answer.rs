//! What a plugin gave back, as a tree that can be shown. Customers' values stay [`Clear`] in it until somebody
//! asked to see them: by default a value is dots and its class, which is what trying a plugin is about.

use ramal_capability::{ClassSet, Clear, Shown};
use ramal_engine::{
    Account, Contact, CrmFact, CrmUser, EraseReceipt, HeldRecord, Listed, News, RecordRef, WorkItem,
};
use serde_json::{Map, Value, json};

use crate::output::{Cell, Page, count};

/// One part of an answer.
#[derive(Debug)]
pub(crate) enum Node {
    /// Not there.
    Absent,
    /// An identifier, a link or a word of the contract: never personal.
    Word(String),
    /// Milliseconds since the epoch.
    Instant(u64),
    /// A customer's value.
    Personal(Clear, ClassSet),
    /// Several.
    List(Vec<Node>),
    /// Named parts.
    Record(Vec<(String, Node)>),
}

/// What calls give, as a tree.
pub(crate) trait ToNode {
    fn to_node(self) -> Node;
}

fn record<const N: usize>(fields: [(&str, Node); N]) -> Node {
    Node::Record(fields.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
}

impl ToNode for String {
    fn to_node(self) -> Node {
        Node::Word(self)
    }
}
impl ToNode for Shown {
    fn to_node(self) -> Node {
        Node::Personal(self.value, self.classes)
    }
}
impl<T: ToNode> ToNode for Option<T> {
    fn to_node(self) -> Node {
        self.map_or(Node::Absent, T::to_node)
    }
}
impl<T: ToNode> ToNode for Vec<T> {
    fn to_node(self) -> Node {
        Node::List(self.into_iter().map(T::to_node).collect())
    }
}
impl<T: ToNode> ToNode for Listed<T> {
    fn to_node(self) -> Node {
        record([("items", self.items.to_node()), ("next", self.next.to_node())])
    }
}
impl ToNode for (String, Shown) {
    fn to_node(self) -> Node {
        record([("label", self.0.to_node()), ("value", self.1.to_node())])
    }
}
impl ToNode for Account {
    fn to_node(self) -> Node {
        record([("name", self.name.to_node()), ("id", self.id.to_node())])
    }
}
impl ToNode for RecordRef {
    fn to_node(self) -> Node {
        record([("kind", self.kind.to_node()), ("id", self.id.to_node()), ("url", self.url.to_node())])
    }
}
impl ToNode for Contact {
    fn to_node(self) -> Node {
        record([
            ("id", self.id.to_node()),
            ("name", self.name.to_node()),
            ("organization", self.organization.to_node()),
            ("phones", self.phones.to_node()),
            ("emails", self.emails.to_node()),
            ("owner", self.owner.to_node()),
            ("url", self.url.to_node()),
            ("updated", self.updated.map_or(Node::Absent, Node::Instant)),
            ("extra", self.extra.to_node()),
        ])
    }
}
impl ToNode for WorkItem {
    fn to_node(self) -> Node {
        record([
            ("kind", self.kind.to_node()),
            ("id", self.id.to_node()),
            ("title", self.title.to_node()),
            ("stage", self.stage.to_node()),
            ("amount", self.amount.to_node()),
            ("owner", self.owner.to_node()),
            ("url", self.url.to_node()),
            ("updated", self.updated.map_or(Node::Absent, Node::Instant)),
        ])
    }
}
impl ToNode for CrmUser {
    fn to_node(self) -> Node {
        record([
            ("id", self.id.to_node()),
            ("name", self.name.to_node()),
            ("email", self.email.to_node()),
            ("extension", self.extension.to_node()),
        ])
    }
}
impl ToNode for HeldRecord {
    fn to_node(self) -> Node {
        record([
            ("record", self.record.to_node()),
            ("what", self.what.to_node()),
            ("fields", self.fields.to_node()),
        ])
    }
}
impl ToNode for (RecordRef, String) {
    fn to_node(self) -> Node {
        record([("record", self.0.to_node()), ("reason", self.1.to_node())])
    }
}
impl ToNode for EraseReceipt {
    fn to_node(self) -> Node {
        record([
            ("removed", self.removed.to_node()),
            ("anonymised", self.anonymised.to_node()),
            ("kept", self.kept.to_node()),
        ])
    }
}
impl ToNode for CrmFact {
    fn to_node(self) -> Node {
        let word = |word: &str| Node::Word(word.to_owned());
        match self {
            Self::ContactChanged(id) => record([("fact", word("contact changed")), ("id", id.to_node())]),
            Self::ContactDeleted(id) => record([("fact", word("contact deleted")), ("id", id.to_node())]),
            Self::RecordDeleted(gone) => {
                record([("fact", word("record deleted")), ("record", gone.to_node())])
            }
            Self::Dial(dial) => record([
                ("fact", word("dial")),
                ("agent", dial.agent.to_node()),
                ("number", dial.number.to_node()),
                ("about", dial.about.to_node()),
            ]),
            Self::Other { code, record: about } => {
                record([("fact", code.to_node()), ("record", about.to_node())])
            }
        }
    }
}
impl ToNode for News {
    fn to_node(self) -> Node {
        let next =
            if self.more { self.next.map(|next| format!("{next} (there is more)")) } else { self.next };
        record([("items", self.facts.to_node()), ("next", next.to_node())])
    }
}

// === showing ===

/// The answer for a script: each personal value with its classes, and the value itself only if asked for.
pub(crate) fn document(node: &Node, show_values: bool) -> Value {
    match node {
        Node::Absent => Value::Null,
        Node::Word(text) => json!(text),
        Node::Instant(at) => json!(at),
        Node::Personal(value, classes) => {
            let value = show_values.then(|| value.expose());
            json!({ "classes": classes.iter().collect::<Vec<_>>(), "value": value })
        }
        Node::List(items) => items.iter().map(|item| document(item, show_values)).collect(),
        Node::Record(fields) => {
            let fields = fields.iter().map(|(name, node)| (name.clone(), document(node, show_values)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

/// The answer for a person.
pub(crate) fn show(page: &mut Page, node: &Node, show_values: bool) {
    match node {
        Node::List(items) if items.is_empty() => {
            page.section("result").line(Cell::faint("nothing found"));
        }
        Node::List(items) => {
            for (at, item) in items.iter().enumerate() {
                page.section(&format!("result {} of {}", at + 1, items.len()));
                fields(page, item, show_values);
            }
        }
        Node::Record(parts) if matches!(parts.first(), Some((name, _)) if name == "items") => {
            for (name, part) in parts {
                match part {
                    Node::List(_) => show(page, part, show_values),
                    Node::Absent => {}
                    part => {
                        page.section(name).line(line(part, show_values));
                    }
                }
            }
        }
        node => {
            page.section("result");
            fields(page, node, show_values);
        }
    }
}

fn fields(page: &mut Page, node: &Node, show_values: bool) {
    match node {
        Node::Record(parts) => {
            let rows: Vec<(&str, Cell)> = parts
                .iter()
                .filter(|(_, part)| !matches!(part, Node::Absent))
                .map(|(name, part)| (name.as_str(), cell(part, show_values)))
                .collect();
            page.fields(&rows);
        }
        node => {
            page.line(line(node, show_values));
        }
    }
}

/// Several lines for a list, one for anything else.
fn cell(node: &Node, show_values: bool) -> Cell {
    match node {
        Node::List(items) if items.is_empty() => Cell::faint("none"),
        Node::List(items) => {
            items.iter().map(|item| line(item, show_values)).collect::<Vec<_>>().join("\n").into()
        }
        node => line(node, show_values).into(),
    }
}

fn line(node: &Node, show_values: bool) -> String {
    match node {
        Node::Absent => "–".to_owned(),
        Node::Word(text) => text.clone(),
        Node::Instant(at) => {
            match i64::try_from(*at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok()) {
                Some(at) => at.to_string(),
                None => at.to_string(),
            }
        }
        // A line break in a value would look like another value.
        Node::Personal(value, _) if show_values => value.expose().replace(char::is_control, "\u{fffd}"),
        Node::Personal(_, classes) if classes.is_empty() => "•••  not sealed".to_owned(),
        Node::Personal(_, classes) => {
            format!("•••  {}", classes.iter().map(|class| class.as_str()).collect::<Vec<_>>().join(", "))
        }
        Node::List(items) => count(items.len() as u64, "entry", "entries"),
        Node::Record(parts) => match parts.as_slice() {
            // What a plugin labelled itself.
            [(name, Node::Word(label)), (_, value)] if name == "label" => {
                format!("{label}: {}", line(value, show_values))
            }
            parts => parts
                .iter()
                .filter(|(_, part)| !matches!(part, Node::Absent))
                .map(|(name, part)| format!("{name} {}", line(part, show_values)))
                .collect::<Vec<_>>()
                .join(", "),
        },
    }
}

#[cfg(test)]
mod tests {
    use ramal_capability::DataClass;

    use super::*;

    fn shown(text: &str, class: Option<DataClass>) -> Shown {
        Shown { value: Clear::from(text), classes: class.into_iter().collect() }
    }

    /// Invented.
    fn contact() -> Contact {
        Contact {
            id: "42".to_owned(),
            name: shown("Ana Lima", Some(DataClass::ContactName)),
            organization: None,
            phones: vec![
                shown("+5511987654321", Some(DataClass::ContactPhone)),
                shown("+551133334444\nid  43", Some(DataClass::ContactPhone)),
            ],
            emails: Vec::new(),
            owner: None,
            url: Some("http://127.0.0.1:7788/contacts/42".to_owned()),
            updated: Some(1_795_435_200_000),
            extra: vec![("City".to_owned(), shown("Recife", None))],
        }
    }

    fn page(node: &Node, show_values: bool) -> String {
        let mut page = Page::new();
        show(&mut page, node, show_values);
        anstream::adapter::strip_str(page.text()).to_string()
    }

    #[test]
    fn values_are_dots_with_their_class() {
        insta::assert_snapshot!(page(&vec![contact()].to_node(), false), @r"
        result 1 of 1
          id       42
          name     •••  contact.name
          phones   •••  contact.phone
                   •••  contact.phone
          emails   none
          url      http://127.0.0.1:7788/contacts/42
          updated  2026-11-23T12:00:00Z
          extra    City: •••  not sealed
        ");
    }

    #[test]
    fn values_are_shown_on_request_and_cannot_pass_for_other_lines() {
        insta::assert_snapshot!(page(&Listed { items: vec![contact()], next: Some("c2".to_owned()) }.to_node(), true), @r"
        result 1 of 1
          id       42
          name     Ana Lima
          phones   +5511987654321
                   +551133334444�id  43
          emails   none
          url      http://127.0.0.1:7788/contacts/42
          updated  2026-11-23T12:00:00Z
          extra    City: Recife

        next
          c2
        ");
    }

    #[test]
    fn a_script_gets_classes_and_no_value() {
        let text = document(&contact().to_node(), false).to_string();
        assert!(text.contains(r#""name":{"classes":["contact.name"],"value":null}"#), "{text}");
        for value in ["Ana", "1198765", "Recife"] {
            assert!(!text.contains(value), "{text}");
        }
    }

    #[test]
    fn nothing_found_is_said() {
        assert_eq!(page(&Vec::<Contact>::new().to_node(), false), "result\n  nothing found\n");
    }
}
