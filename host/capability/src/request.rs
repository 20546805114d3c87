//! A request that is ready to leave: built by the host from a route, seals opened in their places.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::address::Origin;
use crate::bounded::Bounded;
use crate::class::DataClass;
use crate::denial::{Denial, Rule};
use crate::ids::RouteId;
use crate::manifest::CredentialDecl;
use crate::plan::RoutePlan;
use crate::pointer::Tree;
use crate::seal::{Part, Vault};
use crate::session::SessionPlan;
use crate::spec::FieldSpec;
use crate::template::write_json_text;
use crate::value::Clear;

/// The methods that a route may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Read.
    Get,
    /// Create or ask.
    Post,
    /// Replace.
    Put,
    /// Change.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The token of RFC 9110.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
    /// Reads a token.
    pub fn parse(token: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|m| m.as_str() == token)
    }
}
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// That values of a class leave with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Disclosed {
    /// The class.
    pub class: DataClass,
    /// How many values of it.
    pub count: u32,
}

/// A request that is ready to leave. Only `ramal-egress` sends one.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) route: Arc<RoutePlan>,
    pub(crate) target: Clear,
    pub(crate) headers: Vec<(String, Clear)>,
    pub(crate) body: Option<Clear>,
    pub(crate) disclosed: Vec<Disclosed>,
    pub(crate) time: Duration,
    pub(crate) answer_bytes: u64,
}

impl Prepared {
    /// The route that it was built from.
    pub fn route(&self) -> &RouteId {
        &self.route.id
    }
    /// The method.
    pub fn method(&self) -> Method {
        self.route.method
    }
    /// Where it goes: exact scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.route.origin
    }
    /// Path and query, encoded. May hold customer values.
    pub fn target(&self) -> &Clear {
        &self.target
    }
    /// The route's own headers; the way out adds the technical ones and the credential.
    pub fn headers(&self) -> &[(String, Clear)] {
        &self.headers
    }
    /// The JSON body.
    pub fn body(&self) -> Option<&Clear> {
        self.body.as_ref()
    }
    /// The credential that the host puts in its one slot.
    pub fn credential(&self) -> Option<&CredentialDecl> {
        self.route.credential.as_deref()
    }
    /// How to log in, when the credential is a session.
    pub fn session(&self) -> Option<&SessionPlan> {
        self.route.session.as_deref()
    }
    /// Address ranges that are not public and that the grant names for this destination.
    pub fn private(&self) -> &[IpNet] {
        &self.route.private
    }
    /// The time for the whole exchange.
    pub fn time(&self) -> Duration {
        self.time
    }
    /// The most that an answer's body may have.
    pub fn answer_bytes(&self) -> u64 {
        self.answer_bytes
    }
    /// Which values leave.
    pub fn disclosed(&self) -> &[Disclosed] {
        &self.disclosed
    }
    /// Bytes of target, headers and body.
    pub fn bytes(&self) -> u64 {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.expose().len()).sum();
        let body = self.body.as_ref().map_or(0, |b| b.expose().len());
        (self.target.expose().len() + headers + body) as u64
    }
}

/// What opening seals in one request gathers.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) disclosed: Vec<Disclosed>,
    pub(crate) values: Vec<Clear>,
}

impl Opened {
    fn add(&mut self, class: DataClass, value: &Clear) {
        // A link to a recording is the host's own text; its scheme and host stand in every other link.
        if class != DataClass::RecordingLink {
            self.values.push(value.clone());
        }
        match self.disclosed.iter_mut().find(|d| d.class == class) {
            Some(known) => known.count += 1,
            None => self.disclosed.push(Disclosed { class, count: 1 }),
        }
    }
}

/// A text of the guest at a place: seals opened if their class may stand there.
pub(crate) fn open_at(
    vault: &Vault,
    spec: &FieldSpec,
    text: &str,
    place: &dyn fmt::Display,
    opened: &mut Opened,
) -> Result<Clear, Denial> {
    match spec {
        FieldSpec::Bounded(bounded) => {
            if Vault::mentions(text) || !bounded.fits_text(text) {
                let asked = if Vault::mentions(text) { "a seal" } else { "a value that does not fit" };
                return Err(Denial::new(Rule::Bounded, format!("{asked} at {place}"), format!("{bounded}")));
            }
            Ok(Clear::from(text))
        }
        FieldSpec::Classes(classes) => {
            if !Vault::mentions(text) {
                return Ok(Clear::from(text));
            }
            let mut out = String::with_capacity(text.len());
            let mut wrong = None;
            vault
                .parts(text, |part| match part {
                    Part::Words(words) => out.push_str(words),
                    Part::Seal(held) => {
                        if classes.contains(held.class) {
                            opened.add(held.class, &held.value);
                            out.push_str(held.value.expose());
                        } else {
                            wrong = Some(held.class);
                        }
                    }
                })
                .map_err(|_| {
                    Denial::new(
                        Rule::SealUnknown,
                        format!("a seal at {place} that is none of this call"),
                        "seals open only in the call that made them",
                    )
                })?;
            let out = Clear::from(out);
            match wrong {
                None => Ok(out),
                Some(class) => Err(Denial::new(
                    Rule::SealMisplaced,
                    format!("a seal of {class} at {place}"),
                    format!("{classes} may stand there"),
                )),
            }
        }
    }
}

/// Writes the guest's JSON body anew: every value at a listed place, seals opened, keys only those that the
/// route names.
pub(crate) fn write_body(
    vault: &Vault,
    tree: &Tree<FieldSpec>,
    body: &str,
    opened: &mut Opened,
) -> Result<Clear, Denial> {
    let mut sink = BodySink {
        vault,
        opened,
        out: String::with_capacity(body.len() * 2),
        path: String::new(),
        denial: None,
    };
    let mut json = serde_json::Deserializer::from_str(body);
    let read = BodyPlace { tree, sink: &mut sink }.deserialize(&mut json).and_then(|()| json.end());
    let BodySink { out, denial, .. } = sink;
    let out = Clear::from(out);
    match (denial, read) {
        (Some(denial), _) => Err(denial),
        (None, Ok(())) => Ok(out),
        (None, Err(error)) => Err(Denial::new(
            Rule::Body,
            format!("a body that is no JSON (line {}, column {})", error.line(), error.column()),
            "one JSON document",
        )),
    }
}

struct BodySink<'a> {
    vault: &'a Vault,
    opened: &'a mut Opened,
    out: String,
    path: String,
    denial: Option<Denial>,
}

impl BodySink<'_> {
    fn deny<E: de::Error>(&mut self, denial: Denial) -> E {
        self.denial = Some(denial);
        E::custom("denied")
    }
    fn unlisted<E: de::Error>(&mut self, what: &str) -> E {
        let at = if self.path.is_empty() { "the top".to_owned() } else { self.path.clone() };
        // No line can be given: below what is listed, keys and types are the guest's to know.
        self.deny(Denial::new(
            Rule::BodyPlace,
            format!("{what} at {at} of the body"),
            "only what the route's `send` lists",
        ))
    }
    fn number<E: de::Error>(
        &mut self,
        tree: &Tree<FieldSpec>,
        text: &str,
        fits: impl FnOnce(&Bounded) -> bool,
    ) -> Result<(), E> {
        match tree.leaf() {
            None => Err(self.unlisted("a value")),
            Some(FieldSpec::Bounded(bounded)) if !fits(bounded) => {
                let denial = Denial::new(
                    Rule::Bounded,
                    format!("a value that does not fit at {} of the body", self.path),
                    bounded.to_string(),
                );
                Err(self.deny(denial))
            }
            Some(_) => {
                self.out.push_str(text);
                Ok(())
            }
        }
    }
}

struct BodyPlace<'t, 'p, 'a> {
    tree: &'t Tree<FieldSpec>,
    sink: &'p mut BodySink<'a>,
}

impl<'de> DeserializeSeed<'de> for BodyPlace<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BodyPlace<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        if self.tree.leaf().is_none() {
            return Err(self.sink.unlisted("a null"));
        }
        self.sink.out.push_str("null");
        Ok(())
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.sink.number(self.tree, if value { "true" } else { "false" }, |b| matches!(b, Bounded::Bool))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.sink.number(self.tree, &value.to_string(), |b| b.fits_int(value))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        let fits = i64::try_from(value).ok();
        self.sink.number(self.tree, &value.to_string(), |b| fits.is_some_and(|v| b.fits_int(v)))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.sink.number(self.tree, &value.to_string(), |b| b.fits_float(value))
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        let Some(spec) = self.tree.leaf() else { return Err(self.sink.unlisted("a text")) };
        let place = format!("{} of the body", self.sink.path);
        match open_at(self.sink.vault, spec, value, &place, self.sink.opened) {
            Ok(clear) => {
                write_json_text(&mut self.sink.out, clear.expose());
                Ok(())
            }
            Err(denial) => Err(self.sink.deny(denial)),
        }
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { tree, sink } = self;
        let may_be_empty = matches!(tree.leaf(), Some(FieldSpec::Bounded(Bounded::Empty)));
        if !tree.has_below() && !may_be_empty {
            return Err(sink.unlisted("a list"));
        }
        sink.out.push('[');
        let mut index = 0;
        let length = sink.path.len();
        loop {
            let before = sink.out.len();
            if index > 0 {
                sink.out.push(',');
            }
            sink.path.push_str(&format!("/{index}"));
            let more = match tree.element(index) {
                Some(child) => {
                    items.next_element_seed(BodyPlace { tree: child, sink: &mut *sink })?.is_some()
                }
                None => match items.next_element::<de::IgnoredAny>()? {
                    Some(_) => return Err(sink.unlisted("an element")),
                    None => false,
                },
            };
            sink.path.truncate(length);
            if !more {
                sink.out.truncate(before);
                break;
            }
            index += 1;
        }
        sink.out.push(']');
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { tree, sink } = self;
        let may_be_empty = matches!(tree.leaf(), Some(FieldSpec::Bounded(Bounded::Empty)));
        if !tree.has_below() && !may_be_empty {
            return Err(sink.unlisted("an object"));
        }
        sink.out.push('{');
        let length = sink.path.len();
        let mut done: Vec<&str> = Vec::new();
        while let Some(key) = fields.next_key::<std::borrow::Cow<'_, str>>()? {
            // The key's own text stays out of the message: a guest that has clear values could put one there.
            let Some((_, name, child)) = tree.named(&key) else {
                return Err(sink.unlisted("a key that is not listed"));
            };
            if done.contains(&name) {
                return Err(sink.unlisted("a key that is given twice"));
            }
            if !done.is_empty() {
                sink.out.push(',');
            }
            done.push(name);
            write_json_text(&mut sink.out, name);
            sink.out.push(':');
            sink.path.push('/');
            sink.path.push_str(name);
            fields.next_value_seed(BodyPlace { tree: child, sink: &mut *sink })?;
            sink.path.truncate(length);
        }
        sink.out.push('}');
        Ok(())
    }
}
