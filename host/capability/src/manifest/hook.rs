//! `[[hook]]` and `[sync]`: how a plugin hears of what happens in its CRM.
//!
//! A hook is an address of the host to which the CRM sends. Its body is customers' data as any answer is, so it
//! lists what it takes as a route does; and since anybody can send to an address, each names how the sender is
//! proved. A CRM that sends nothing is asked now and then (`[sync]`).

use std::time::Duration;

use super::credential::{is_hosts_header, is_token};
use super::route::{Context, places, receive};
use crate::bounded::Bounded;
use crate::class::ClassSet;
use crate::ids::{CredentialId, HookId};
use crate::pointer::Pattern;
use crate::source::{Item, Section, nearest, quote};
use crate::spec::{Receive, ReceiveOne};

/// The longest body of a hook when nothing is said, in bytes.
const USUAL_BYTES: u64 = 64 * 1024;
/// The longest body that a hook may take, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;
/// How far a sender's clock may be off, in seconds.
const TOLERANCES: std::ops::RangeInclusive<u64> = 10..=3_600;
/// How often a CRM may be asked, in seconds.
const INTERVALS: std::ops::RangeInclusive<u64> = 30..=86_400;

/// An address to which the CRM sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDecl {
    /// Its name: part of the address, and what grants allow it by.
    pub id: HookId,
    /// Why it is needed, in the author's words.
    pub reason: String,
    /// The credential with the secret that sender and host share; one of the manifest's, of kind `hook`.
    pub credential: CredentialId,
    /// How the sender is proved.
    pub proof: HookProof,
    /// The header with the sender's name for the delivery, in lower case: the same name is the same delivery.
    pub delivery_id: Option<String>,
    /// The longest body that it takes, in bytes.
    pub max_bytes: u64,
    /// Headers that the plugin gets, their names in lower case, and what each may hold.
    pub headers: Vec<(String, Bounded)>,
    /// Places of the body and what is taken from them.
    pub receive: Vec<(Pattern, Receive)>,
}

impl HookDecl {
    /// The classes that may come with a body.
    pub fn receives(&self) -> ClassSet {
        self.receive.iter().flat_map(|(_, what)| what.classes().iter()).collect()
    }
}

/// How the sender is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookProof {
    /// A keyed hash over the raw body.
    Hmac(HmacProof),
    /// The secret is the last part of the address: for a CRM that cannot sign.
    PathSecret,
}

/// A keyed hash (RFC 2104) in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HmacProof {
    /// The hash.
    pub algorithm: HmacAlgorithm,
    /// The header that carries it, in lower case.
    pub header: String,
    /// How it is written there.
    pub encoding: SignatureEncoding,
    /// What stands before it, such as `sha256=`.
    pub prefix: String,
    /// What is signed, in order; the body is in it once.
    pub signed: Vec<SignedPart>,
    /// The header with the time of sending; it is in what is signed.
    pub time: Option<SignedTime>,
}

/// The hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacAlgorithm {
    /// SHA-1. As a keyed hash it still stands, and some CRMs know no other.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureEncoding {
    /// Hexadecimal digits, either case.
    Hex,
    /// Base64 (RFC 4648, section 4).
    Base64,
}

/// A part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedPart {
    /// This very text.
    Text(String),
    /// The text of the header with the time.
    Time,
    /// The text of the header with the delivery's name.
    DeliveryId,
    /// The raw body.
    Body,
}

/// The time of sending, in unix seconds or milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTime {
    /// The header, in lower case.
    pub header: String,
    /// How far it may be off, either way.
    pub tolerance: Duration,
}

/// How often the CRM is asked for what has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncDecl {
    /// Why, in the author's words.
    pub reason: String,
    /// From the end of one time to the next.
    pub every: Duration,
}

pub(super) fn read_all(items: &[Item<'_>], context: &Context<'_>) -> Vec<HookDecl> {
    let mut all: Vec<HookDecl> = Vec::with_capacity(items.len());
    for item in items {
        let Some(section) = item.section("[[hook]]".to_owned()) else { continue };
        let Some(hook) = read_one(&section, context) else { continue };
        if all.iter().any(|other| other.id == hook.id) {
            item.wrong(format!("there are two hooks {}; give one another id", quote(hook.id.as_str())));
            continue;
        }
        all.push(hook);
    }
    all
}

pub(super) fn read_sync(item: &Item<'_>) -> Option<SyncDecl> {
    let section = item.section("[sync]".to_owned())?;
    let reason =
        section.need("reason", "reason = \"why the CRM has to be asked\"").and_then(|i| i.line(3..=300));
    let every = section.need("every-seconds", "every-seconds = 300");
    let every = every.and_then(|i| seconds(&i, INTERVALS, "a CRM is asked every 30 seconds to once a day"));
    section.finish();
    Some(SyncDecl { reason: reason?, every: every? })
}

fn read_one(section: &Section<'_>, context: &Context<'_>) -> Option<HookDecl> {
    const PROOFS: &[(&str, Option<HmacAlgorithm>)] = &[
        ("hmac-sha256", Some(HmacAlgorithm::Sha256)),
        ("hmac-sha512", Some(HmacAlgorithm::Sha512)),
        ("hmac-sha1", Some(HmacAlgorithm::Sha1)),
        ("path-secret", None),
    ];
    let id = section.need("id", "id = \"changes\"").and_then(|i| i.parse());
    let reason = section.need("reason", "reason = \"what the CRM tells here\"").and_then(|i| i.line(3..=300));
    let credential = section
        .need("credential", "credential = \"hook\", the id of a [[credential]] of kind \"hook\"")
        .and_then(|i| credential(&i, context));
    let delivery_item = section.get("delivery-id");
    let delivery_id = delivery_item.as_ref().map_or(Some(None), |i| header_name(i).map(Some));
    let verify = section.need("verify", "verify = \"hmac-sha256\"").and_then(|i| i.word(PROOFS));
    let signature_item = section.get("signature");
    let time_item = section.get("time");
    let proof = match verify {
        Some(Some(algorithm)) => match &signature_item {
            Some(item) => {
                hmac(item, algorithm, time_item.as_ref(), delivery_item.is_some()).map(HookProof::Hmac)
            }
            None => {
                section.wrong(
                    "[[hook]] lacks `signature`; add signature = { header = \"X-Acme-Signature\", encoding = \"hex\" }",
                );
                None
            }
        },
        Some(None) => {
            for item in signature_item.iter().chain(&time_item) {
                item.wrong_key(
                    "a hook with its secret in the address has no signature; remove the line, or verify = \"hmac-sha256\"",
                );
            }
            Some(HookProof::PathSecret)
        }
        None => None,
    };
    let max_bytes = section.get("max-bytes").map_or(Some(USUAL_BYTES), |i| bytes(&i));
    let header_items = section.get("header").map(|i| i.entries()).unwrap_or_default();
    let headers: Vec<(String, Bounded)> = header_items.iter().filter_map(header).collect();
    for (index, item) in header_items.iter().enumerate() {
        if header_items.iter().take(index).any(|other| other.key().eq_ignore_ascii_case(item.key())) {
            item.wrong_key(format!(
                "the header {} is given twice; upper and lower case are one",
                quote(item.key())
            ));
        }
    }
    let receive_item = section.get("receive");
    let receive = places(receive_item.clone(), |item| receive(item, context));
    if let Some(item) = &receive_item {
        switches(item, &receive);
    }
    section.finish();
    Some(HookDecl {
        id: id?,
        reason: reason?,
        credential: credential?,
        proof: proof?,
        delivery_id: delivery_id?,
        max_bytes: max_bytes?,
        headers,
        receive,
    })
}

/// A body is cut down to what is listed before it is stored: what decides a switch must be among that.
fn switches(item: &Item<'_>, receive: &[(Pattern, Receive)]) {
    for entry in item.entries() {
        let Ok(place) = entry.key().parse::<Pattern>() else { continue };
        let Some((_, Receive::Switch { field, .. })) = receive.iter().find(|(known, _)| *known == place)
        else {
            continue;
        };
        let above = entry.key().rsplit_once('/').map_or("", |(above, _)| above);
        let sibling = format!("{above}/{}", field.replace('~', "~0").replace('/', "~1"));
        if !receive.iter().any(|(known, _)| known.to_string() == sibling) {
            entry.wrong_key(format!(
                "the switch looks at {}, which the hook does not take; list it too, as an enum(…)",
                quote(&sibling)
            ));
        }
    }
}

fn credential(item: &Item<'_>, context: &Context<'_>) -> Option<CredentialId> {
    let id: CredentialId = item.parse()?;
    if context.hook_credentials.contains(&id.as_str()) {
        return Some(id);
    }
    let help = if context.credentials.contains(&id.as_str()) {
        "a hook is proved by a credential of kind \"hook\", whose secret is never sent".to_owned()
    } else {
        let near = nearest(id.as_str(), context.hook_credentials.iter().copied());
        near.map_or_else(
            || format!("add a [[credential]] with id = \"{id}\" and kind = \"hook\""),
            |near| format!("did you mean `{near}`?"),
        )
    };
    item.wrong(format!("there is no credential `{id}` for hooks; {help}"));
    None
}

fn hmac(
    item: &Item<'_>,
    algorithm: HmacAlgorithm,
    time_item: Option<&Item<'_>>,
    has_delivery_id: bool,
) -> Option<HmacProof> {
    const ENCODINGS: &[(&str, SignatureEncoding)] =
        &[("hex", SignatureEncoding::Hex), ("base64", SignatureEncoding::Base64)];
    let section = item.section("signature".to_owned())?;
    let header = section.need("header", "header = \"X-Acme-Signature\"").and_then(|i| header_name(&i));
    let encoding = section.need("encoding", "encoding = \"hex\"").and_then(|i| i.word(ENCODINGS));
    let prefix = section.get("prefix").map_or(Some(String::new()), |i| prefix(&i));
    let signed_item = section.get("signed");
    let signed = signed_item.as_ref().map_or(Some(vec![SignedPart::Body]), signed_parts);
    section.finish();
    let time = time_item.map_or(Some(None), |i| signed_time(i).map(Some));
    if let Some(signed) = &signed {
        let place = signed_item.as_ref().unwrap_or(item);
        match (signed.contains(&SignedPart::Time), time_item) {
            (true, None) => place.wrong(
                "{time} is signed and no header has it; add time = { header = \"X-Acme-Time\" } to the hook",
            ),
            (false, Some(_)) => place.wrong(
                "the time is not signed, so anybody could write a new one; sign it: signed = \"{time}.{body}\"",
            ),
            _ => {}
        }
        if signed.contains(&SignedPart::DeliveryId) && !has_delivery_id {
            place.wrong(
                "{id} is signed and no header has it; add delivery-id = \"X-Acme-Delivery\" to the hook",
            );
        }
    }
    Some(HmacProof {
        algorithm,
        header: header?,
        encoding: encoding?,
        prefix: prefix?,
        signed: signed?,
        time: time?,
    })
}

fn signed_time(item: &Item<'_>) -> Option<SignedTime> {
    let section = item.section("time".to_owned())?;
    let header = section.need("header", "header = \"X-Acme-Time\"").and_then(|i| header_name(&i));
    let tolerance = section.get("tolerance-seconds").map_or(Some(Duration::from_secs(300)), |i| {
        seconds(&i, TOLERANCES, "a sender's clock may be 10 seconds to an hour off")
    });
    section.finish();
    Some(SignedTime { header: header?, tolerance: tolerance? })
}

/// `{time}.{body}` as parts.
fn signed_parts(item: &Item<'_>) -> Option<Vec<SignedPart>> {
    const HELP: &str = "write what the CRM signs with {body}, {time} and {id}, such as \"{time}.{body}\"";
    let mut rest = item.text()?;
    let mut parts = Vec::new();
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(SignedPart::Text(before.to_owned()));
        }
        let Some((hole, after)) = after.split_once('}') else {
            item.wrong(format!("a `{{` has no `}}`; {HELP}"));
            return None;
        };
        parts.push(match hole {
            "body" => SignedPart::Body,
            "time" => SignedPart::Time,
            "id" => SignedPart::DeliveryId,
            other => {
                item.wrong(format!("{} is nothing that is signed; {HELP}", quote(other)));
                return None;
            }
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(SignedPart::Text(rest.to_owned()));
    }
    if parts.iter().filter(|part| **part == SignedPart::Body).count() != 1 {
        item.wrong(format!("the body must be signed, once; {HELP}"));
        return None;
    }
    Some(parts)
}

fn prefix(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    if text.len() > 32 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        item.wrong(
            "what stands before a signature is at most 32 visible ASCII characters, such as \"sha256=\"",
        );
        return None;
    }
    Some(text.to_owned())
}

fn header(item: &Item<'_>) -> Option<(String, Bounded)> {
    let name = name_of_header(item.key(), |words| item.wrong_key(words))?;
    match item.parse::<ReceiveOne>()? {
        ReceiveOne::Bounded(bounded) => Some((name, bounded)),
        ReceiveOne::Class(class) => {
            item.wrong(format!(
                "`{class}` does not come in a header, where nothing is sealed; use a bounded type such as enum(a|b)"
            ));
            None
        }
    }
}

fn header_name(item: &Item<'_>) -> Option<String> {
    name_of_header(item.text()?, |words| item.wrong(words))
}

fn name_of_header(name: &str, wrong: impl Fn(String)) -> Option<String> {
    if !is_token(name) {
        wrong(format!("{} is no header name; use letters, digits and `-`", quote(name)));
        return None;
    }
    if is_hosts_header(name) || name.eq_ignore_ascii_case("authorization") {
        wrong(format!("the header {} is the host's own; a hook cannot use it", quote(name)));
        return None;
    }
    Some(name.to_ascii_lowercase())
}

fn bytes(item: &Item<'_>) -> Option<u64> {
    let bytes = item.number()?;
    if !(1..=MOST_BYTES).contains(&bytes) {
        item.wrong(format!("a hook takes 1 to {MOST_BYTES} bytes; more has to be asked for by a route"));
        return None;
    }
    Some(bytes)
}

fn seconds(item: &Item<'_>, range: std::ops::RangeInclusive<u64>, rule: &str) -> Option<Duration> {
    let seconds = item.number()?;
    if !range.contains(&seconds) {
        item.wrong(format!("{rule}; write {} to {}", range.start(), range.end()));
        return None;
    }
    Some(Duration::from_secs(seconds))
}
