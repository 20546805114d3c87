//! What is asked to be written, as JSON.

use ramal_center::{Attachment, Clear, EventId};
use ramal_channels::whatsapp::kind;
use ramal_channels::{MediaKind, MediaPlace, Outgoing, OutgoingContent, OutgoingMedia, OutgoingTemplate};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use utoipa::ToSchema;

use crate::problem::{Problem, ProblemCode};

/// The longest name or identifier, in bytes.
const LONGEST_NAME: usize = 512;

/// A message: exactly one of `text`, `media` and `template`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageBody {
    /// A text.
    #[schema(example = "Bom dia! O pedido saiu hoje.")]
    text: Option<String>,
    /// A file.
    media: Option<MediaBody>,
    /// A text that the provider approved before, with its blanks filled in.
    template: Option<TemplateBody>,
    /// Ramal's `id` of the customer's message that this answers.
    pub(super) answers: Option<String>,
    /// The agent who writes, by name.
    pub(super) agent: Option<String>,
}

/// A file: exactly one of `id` and `link`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaBody {
    /// How it is shown.
    kind: MediaWord,
    /// The provider's identifier of a file that was uploaded there.
    id: Option<String>,
    /// From where the provider fetches it; starts with https://.
    link: Option<String>,
    /// What stands below it.
    caption: Option<String>,
    /// A document's name.
    file_name: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MediaWord {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

/// An approved text: `parameters` for one that has blanks in its body only, else `components` in the provider's form.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateBody {
    /// Its name.
    #[schema(example = "lembrete")]
    name: String,
    /// Its language.
    #[schema(example = "pt_BR")]
    language: String,
    /// What fills the blanks of the body, in order.
    #[serde(default)]
    parameters: Vec<String>,
    /// What fills the blanks, in the provider's own form.
    #[schema(value_type = Option<Vec<Object>>)]
    components: Option<Value>,
}

impl MessageBody {
    /// The message, which answers another one of this reference.
    pub(super) fn outgoing(self, answers: Option<EventId>) -> Result<Outgoing, Problem> {
        let content = match (self.text, self.media, self.template) {
            (Some(text), None, None) if !text.trim().is_empty() => OutgoingContent::Text(Clear::new(text)),
            (None, Some(media), None) => OutgoingContent::Media(media.read()?),
            (None, None, Some(template)) => OutgoingContent::Template(template.read()?),
            _ => {
                return Err(Problem::new(
                    ProblemCode::Invalid,
                    "a message has exactly one of `text`, `media` and `template`, and a text is not empty",
                )
                .hint(r#"send `{"text": "…"}`"#));
            }
        };
        Ok(Outgoing { content, answers })
    }
}

impl MediaBody {
    fn read(self) -> Result<OutgoingMedia, Problem> {
        let wrong = |what: &str| Problem::new(ProblemCode::Invalid, what);
        let place = match (self.id, self.link) {
            (Some(id), None) if is_name(&id) => MediaPlace::Id(id),
            (None, Some(link)) => match Url::parse(&link) {
                Ok(url) if url.scheme() == "https" && link.len() <= 2048 => MediaPlace::Link(url),
                _ => return Err(wrong("`media.link` is an address that starts with https://")),
            },
            _ => return Err(wrong("a file has exactly one of `id` and `link`")),
        };
        let kind = match self.kind {
            MediaWord::Image => MediaKind::Image,
            MediaWord::Video => MediaKind::Video,
            MediaWord::Audio => MediaKind::Audio,
            MediaWord::Document => MediaKind::Document,
            MediaWord::Sticker => MediaKind::Sticker,
        };
        let caption = self.caption.map(Clear::new);
        if caption.is_some() && matches!(kind, MediaKind::Audio | MediaKind::Sticker) {
            return Err(wrong("audio and stickers have no caption; send a text beside them"));
        }
        if self.file_name.is_some() && kind != MediaKind::Document {
            return Err(wrong("only a document has a `file_name`"));
        }
        Ok(OutgoingMedia { kind, place, caption, file_name: self.file_name.map(Clear::new) })
    }
}

impl TemplateBody {
    fn read(self) -> Result<OutgoingTemplate, Problem> {
        let wrong = |what: &str| Problem::new(ProblemCode::Invalid, what);
        if !is_name(&self.name) || !is_name(&self.language) {
            return Err(wrong(
                "`template.name` and `template.language` are those that the provider approved",
            ));
        }
        let components = match self.components {
            None => OutgoingTemplate::of_texts(&self.parameters),
            Some(components) if components.is_array() && self.parameters.is_empty() => components,
            Some(_) => {
                return Err(wrong("a template has `parameters`, or `components` as a list, and not both"));
            }
        };
        Ok(OutgoingTemplate { name: self.name, language: self.language, components })
    }
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// What of a message is kept here. A template's own words are the provider's; what filled its blanks is kept as a text.
pub(super) fn kept(outgoing: &Outgoing) -> (Option<Clear>, Vec<Attachment>) {
    let of = |media_type: &str, reference: String| {
        vec![Attachment { media_type: media_type.to_owned(), reference }]
    };
    let (text, mut files) = match &outgoing.content {
        OutgoingContent::Text(text) => (Some(text.clone()), Vec::new()),
        OutgoingContent::Media(media) => {
            let place = match &media.place {
                MediaPlace::Id(id) => id.clone(),
                MediaPlace::Link(link) => link.to_string(),
            };
            // Which type exactly, the provider finds out.
            (media.caption.clone(), of(&format!("{}/*", media.kind.as_str()), place))
        }
        OutgoingContent::Template(template) => {
            let mut texts = Vec::new();
            collect(&template.components, &mut texts);
            let text = (!texts.is_empty()).then(|| Clear::new(texts.join("\n")));
            (text, of(kind::TEMPLATE, format!("{} {}", template.name, template.language)))
        }
    };
    if let Some(answered) = &outgoing.answers {
        files.extend(of(kind::REPLY, answered.as_str().to_owned()));
    }
    (text, files)
}

/// Every text of a template's components.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(one, texts)),
        Value::Object(object) => {
            texts.extend(object.get("text").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|one| collect(one, texts));
        }
        _ => {}
    }
}
