//! `ramal channel try`: what a mapping makes of a payload, before anything is connected.
//!
//! It shows the payload's own numbers and texts: it is for made-up ones, or for those of one's own company.

use jiff::Timestamp;
use ramal_capability::SourceError;
use ramal_center::{
    CallEvent, Caller, Clear, EventKind, MessageEvent, MessageStatusEvent, PhoneNumber, RecordingStep,
};
use ramal_channels::{Heard, Mapping, Reading};
use serde_json::{Map, Value, json};

use crate::args::TryArgs;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::output::{Cell, Page, Terminal};

/// The most that a payload may have, in bytes: what a channel takes.
const MOST_BODY: usize = 1024 * 1024;

/// Reads the mapping and the payload, and shows what is told.
pub(crate) fn run(terminal: &Terminal, args: &TryArgs) -> Outcome {
    let name = files::name(&args.mapping);
    let text = files::read_text("mapping", &args.mapping)?;
    let wrong = |error: SourceError| Failure::source(format!("the mapping {name}"), error);
    let mapping = Mapping::parse(&name, &text).map_err(wrong)?;
    let body = files::read("payload", &args.body, MOST_BODY)?;
    let reading =
        mapping.read(&args.content_type, &body, args.region, Timestamp::now()).map_err(|refusal| {
            Failure::input(refusal)
            .context(format!("{} is no payload of this mapping", files::name(&args.body)))
            .hint("see `body` in the mapping; a multipart form needs its `--content-type` with the boundary")
        })?;
    if terminal.is_json() {
        return terminal.document(&document(&mapping, &reading));
    }
    terminal.show(&page(&mapping, &reading))
}

fn page(mapping: &Mapping, reading: &Reading) -> Page {
    let mut page = Page::new();
    page.title(mapping.name());
    for heard in &reading.heard {
        let (kind, fields) = outline(heard);
        let cells: Vec<(&str, Cell)> =
            fields.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        page.section(kind).fields(&cells);
    }
    if !reading.passed_over.is_empty() {
        page.section("passed over");
        for odd in &reading.passed_over {
            page.line(Cell::careful(odd.why.0));
        }
    }
    page
}

fn document(mapping: &Mapping, reading: &Reading) -> Value {
    let one = |heard: &Heard| {
        let (kind, fields) = outline(heard);
        let mut object = Map::from_iter([("kind".to_owned(), Value::from(kind))]);
        for (name, value) in fields {
            match name {
                // Of these there may be several, so they are always lists.
                "contact" | "file" => {
                    let list = object.entry(format!("{name}s")).or_insert_with(|| json!([]));
                    list.as_array_mut().into_iter().for_each(|list| list.push(Value::from(value.as_str())));
                }
                name => _ = object.insert(name.to_owned(), Value::from(value)),
            }
        }
        Value::Object(object)
    };
    json!({
        "provider": mapping.name(),
        "heard": reading.heard.iter().map(one).collect::<Vec<_>>(),
        "passed_over": reading.passed_over.iter().map(|odd| odd.why.0).collect::<Vec<_>>(),
    })
}

/// What kind of thing it is, and what is known of it.
fn outline(heard: &Heard) -> (&'static str, Vec<(&'static str, String)>) {
    let mut lines = Lines::default();
    let kind = match heard {
        Heard::Call(event) => lines.call(event),
        Heard::Message(event) => lines.message(event),
        Heard::Status(event) => lines.status(event),
    };
    (kind, lines.0)
}

#[derive(Default)]
struct Lines(Vec<(&'static str, String)>);

impl Lines {
    fn put(&mut self, name: &'static str, value: impl ToString) {
        self.0.push((name, value.to_string()));
    }

    fn clear(&mut self, name: &'static str, value: Option<&Clear>) {
        if let Some(value) = value {
            self.put(name, value.expose());
        }
    }

    fn number(&mut self, name: &'static str, value: Option<&PhoneNumber>) {
        if let Some(value) = value {
            self.put(name, value.e164());
        }
    }

    fn some(&mut self, name: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn call(&mut self, event: &CallEvent) -> &'static str {
        self.put("at", event.at);
        self.put("call", event.call_id.as_str());
        self.put("event", event.event_id.as_str());
        match &event.kind {
            EventKind::Ringing { channel, direction, from, to, queue } => {
                self.put("channel", channel);
                self.put("direction", direction);
                match from {
                    Caller::Number(number) => self.number("from", Some(number)),
                    Caller::Withheld => self.put("from", "withheld, or no telephone number"),
                }
                self.number("to", to.as_ref());
                self.some("queue", queue.as_ref());
            }
            EventKind::Answered { agent } => self.clear("agent", agent.as_ref()),
            EventKind::Held | EventKind::Resumed => {}
            EventKind::Transferred { agent, queue } => {
                self.clear("agent", agent.as_ref());
                self.some("queue", queue.as_ref());
            }
            EventKind::Queued { queue } => self.some("queue", queue.as_ref()),
            EventKind::LegOpened { leg, agent, number } => {
                self.put("leg", leg.as_str());
                self.clear("agent", agent.as_ref());
                self.number("number", number.as_ref());
            }
            EventKind::LegClosed { leg, provider_cause } => {
                self.put("leg", leg.as_str());
                self.some("provider-cause", provider_cause.as_ref());
            }
            EventKind::Recording { recording, step } => {
                self.put("recording", recording.0);
                self.put(
                    "step",
                    match step {
                        RecordingStep::Started => "started".to_owned(),
                        RecordingStep::Paused => "paused".to_owned(),
                        RecordingStep::Resumed => "resumed".to_owned(),
                        RecordingStep::Ready { duration_ms, .. } => format!("ready, {duration_ms} ms"),
                        RecordingStep::Deleted => "deleted".to_owned(),
                    },
                );
            }
            EventKind::Ended { cause, provider_cause } => {
                self.put("cause", cause);
                self.some("provider-cause", provider_cause.as_ref());
            }
        }
        event.kind.word()
    }

    fn message(&mut self, event: &MessageEvent) -> &'static str {
        self.put("at", event.at);
        self.put("message", event.reference.as_str());
        self.put("channel", event.channel);
        self.put("direction", event.direction);
        for contact in &event.contacts {
            let name = format!("{} ({})", contact.value().expose(), contact.namespace.as_str());
            self.put("contact", name);
        }
        self.clear("line", event.line.as_ref());
        self.clear("text", event.text.as_ref());
        for file in &event.attachments {
            self.put("file", format!("{} {}", file.media_type, file.reference));
        }
        self.clear("agent", event.agent.as_ref());
        "message"
    }

    fn status(&mut self, event: &MessageStatusEvent) -> &'static str {
        self.put("at", event.at);
        self.put("message", event.reference.as_str());
        self.put("event", event.event_id.as_str());
        self.put("status", event.status);
        self.some("provider-cause", event.provider_cause.as_ref());
        "status"
    }
}
