//! What the panel and other clients are told, as JSON: the bodies of live events and of `GET /v1/calls`.
//!
//! One place turns the domain into wire form, so that a stored finding, a live event and the first paint of the page
//! can never tell different things.

mod conversation;

use std::time::Duration;

use jiff::Timestamp;
use ramal_store::{
    CallId, Clear, EndCause, FindingKind, Interaction, InteractionId, InteractionState, NewLive, PluginId,
    Recent, Snapshot,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::number::stored_number;
use crate::{Card, CenterError, DataClass, Deal, Direction, Found, Level, LookUpFailure, Seen};

pub use conversation::{ConversationView, MessageView};

/// More cards than this help nobody while the telephone rings.
const MOST_CARDS: usize = 20;

/// A telephone number in the forms that a page needs.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NumberView {
    /// E.164, such as `+5511987654321`.
    #[schema(example = "+5511987654321")]
    pub e164: String,
    /// As people in its country write it.
    #[schema(example = "(11) 98765-4321")]
    pub national: String,
}

impl NumberView {
    /// A number of the store.
    pub fn of(e164: &Clear) -> Self {
        let text = e164.expose();
        let national = stored_number(text).map_or_else(|| text.to_owned(), |n| n.national());
        Self { e164: text.to_owned(), national }
    }
}

/// A call as it stands: the body of the live event `call`.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallView {
    /// Ramal's identifier of the call.
    #[schema(value_type = String, format = "uuid")]
    pub interaction: InteractionId,
    /// Who told of it.
    #[schema(value_type = String)]
    pub source: String,
    /// The provider's identifier.
    pub call_id: String,
    /// Where it stands.
    #[schema(value_type = String, example = "ringing")]
    pub state: InteractionState,
    /// The caller's number; `null` when it was withheld.
    pub from: Option<NumberView>,
    /// The number that was called.
    pub to: Option<NumberView>,
    /// The queue that it waits in.
    pub queue: Option<String>,
    /// Who answered.
    pub agent: Option<String>,
    /// Why it is over.
    #[schema(value_type = Option<String>, example = "missed")]
    pub cause: Option<EndCause>,
    /// When it began to ring.
    #[schema(value_type = String, format = DateTime)]
    pub ringing_at: Timestamp,
    /// When it was answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// The plugins that were asked for the card.
    #[schema(value_type = Vec<String>)]
    pub asked: Vec<PluginId>,
}

impl From<&Interaction> for CallView {
    fn from(call: &Interaction) -> Self {
        Self {
            interaction: call.id,
            source: call.source.as_str().to_owned(),
            call_id: call.reference.as_ref().map(CallId::as_str).unwrap_or_default().to_owned(),
            state: call.state,
            from: call.from.as_ref().map(NumberView::of),
            to: call.to.as_ref().map(NumberView::of),
            queue: call.queue.clone(),
            agent: call.agent.as_ref().map(|a| a.expose().to_owned()),
            cause: call.cause,
            ringing_at: call.started_at,
            answered_at: call.answered_at,
            ended_at: call.ended_at,
            asked: call.asked.clone(),
        }
    }
}

/// A live event with one of these bodies.
pub(crate) fn live(
    kind: &'static str,
    interaction: InteractionId,
    body: &impl Serialize,
) -> Result<NewLive, CenterError> {
    let body = serde_json::to_string(body).map_err(|_| CenterError::Broken)?;
    Ok(NewLive { kind: kind.to_owned(), interaction: Some(interaction), body })
}

/// A contact in the CRM.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CardView {
    /// The CRM's identifier.
    pub id: String,
    /// The name.
    pub name: String,
    /// The company.
    pub organization: Option<String>,
    /// Numbers.
    pub phones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Who looks after the contact.
    pub owner: Option<String>,
    /// Where a person opens it in the CRM: `https` or `http`, or nothing.
    pub url: Option<String>,
    /// The open deals and tickets.
    pub deals: Vec<DealView>,
    /// More fields: label and value.
    pub extra: Vec<(String, String)>,
}

/// An open deal or ticket.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DealView {
    /// `deal`, `ticket`, or the CRM's own word.
    pub kind: String,
    /// The CRM's identifier.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// The CRM's word for where it stands.
    pub stage: Option<String>,
    /// The amount with its currency.
    pub amount: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Where a person opens it in the CRM: `https` or `http`, or nothing.
    pub url: Option<String>,
}

/// How much of a class of values the plugin could see.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeenView {
    /// The data class.
    #[schema(value_type = String, example = "contact.phone")]
    pub class: DataClass,
    /// Which way the values went: `to-plugin` or `from-crm`.
    #[schema(value_type = String, example = "to-plugin")]
    pub direction: Direction,
    /// How much it could see: `none`, `exists`, `masked`, `sealed` or `clear`.
    #[schema(value_type = String, example = "sealed")]
    pub level: Level,
    /// How many values.
    pub count: u32,
}

/// A plugin's answer: the body of the live events `card` and `card-none`.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CardsView {
    /// Which call.
    #[schema(value_type = String, format = "uuid")]
    pub interaction: InteractionId,
    /// Which plugin answered.
    #[schema(value_type = String)]
    pub plugin: PluginId,
    /// Whether it had answered shortly before and was not asked again for this call.
    pub cached: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How many requests went to the CRM for this call.
    pub requests: u32,
    /// The contacts, the best match first.
    pub cards: Vec<CardView>,
    /// How many more there are than are told.
    pub left_out: usize,
    /// What the plugin could see on the way, when it was asked.
    pub seen: Vec<SeenView>,
}

/// Why a plugin gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureReason {
    /// The grant does not allow what the plugin tried.
    Denied,
    /// The CRM did not answer, or not well.
    Unavailable,
    /// No answer within the deadline.
    Timeout,
    /// The CRM no longer takes the credential.
    AuthExpired,
    /// The CRM wants fewer requests.
    RateLimited,
    /// The plugin does not look up numbers.
    NotSupported,
    /// The plugin or the host failed.
    Broken,
    /// Ramal was restarted before the answer came.
    Interrupted,
}

impl FailureReason {
    /// The word on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::AuthExpired => "auth-expired",
            Self::RateLimited => "rate-limited",
            Self::NotSupported => "not-supported",
            Self::Broken => "broken",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A plugin that gave no answer: the body of the live event `card-failed`.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailureView {
    /// Which call.
    #[schema(value_type = String, format = "uuid")]
    pub interaction: InteractionId,
    /// Which plugin.
    #[schema(value_type = String)]
    pub plugin: PluginId,
    /// How long was waited, in milliseconds.
    pub took_ms: u64,
    /// Why.
    pub reason: FailureReason,
    /// After how many seconds the CRM wants to be asked again.
    pub retry_after_s: Option<u32>,
    /// More for the operator. Holds no customer's value.
    pub detail: Option<String>,
}

/// What a plugin answered, in one of its three kinds.
#[derive(Serialize, ToSchema)]
pub struct FindingView {
    /// `card`, `card-none` or `card-failed`.
    #[schema(example = "card")]
    pub kind: &'static str,
    /// As in the live event of that kind.
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
}

/// A call with what was found for it.
#[derive(Serialize, ToSchema)]
pub struct SnapshotView {
    /// The call.
    pub call: CallView,
    /// What the plugins answered so far.
    pub findings: Vec<FindingView>,
}

/// The latest calls.
#[derive(Serialize, ToSchema)]
pub struct RecentView {
    /// The newest first.
    pub calls: Vec<SnapshotView>,
    /// Follow `/v1/live?after=` this id and nothing is missed or told twice.
    pub last_event_id: u64,
}

impl From<&Recent> for RecentView {
    fn from(recent: &Recent) -> Self {
        Self { calls: recent.calls.iter().map(SnapshotView::from).collect(), last_event_id: recent.last.0 }
    }
}

impl FindingView {
    /// What the plugins answered.
    pub fn all(snapshot: &Snapshot) -> Vec<Self> {
        let findings = snapshot.findings.iter().filter_map(|f| {
            // The store holds what this module wrote; another text would not be JSON and is left out.
            let body = serde_json::from_str(&f.body).ok()?;
            Some(Self { kind: f.kind.as_str(), body })
        });
        findings.collect()
    }
}

impl From<&Snapshot> for SnapshotView {
    fn from(snapshot: &Snapshot) -> Self {
        Self { call: CallView::from(&snapshot.interaction), findings: FindingView::all(snapshot) }
    }
}

/// The kind, the body and the word for metrics of what a plugin answered.
pub(crate) struct Told {
    pub(crate) kind: FindingKind,
    pub(crate) body: String,
    pub(crate) outcome: &'static str,
}

/// What was found; `cached` is how long it took to find it among what is kept.
pub(crate) fn found(
    interaction: InteractionId,
    plugin: &PluginId,
    found: &Found,
    cached: Option<Duration>,
) -> Result<Told, serde_json::Error> {
    let none = found.cards.is_empty();
    let left_out = found.cards.len().saturating_sub(MOST_CARDS);
    let view = CardsView {
        interaction,
        plugin: plugin.clone(),
        cached: cached.is_some(),
        took_ms: millis(cached.unwrap_or(found.took)),
        requests: if cached.is_some() { 0 } else { found.requests },
        cards: found.cards.iter().take(MOST_CARDS).cloned().map(card).collect(),
        left_out,
        seen: found.seen.iter().copied().map(seen).collect(),
    };
    Ok(Told {
        kind: if none { FindingKind::None } else { FindingKind::Card },
        body: serde_json::to_string(&view)?,
        outcome: if none { "none" } else { "card" },
    })
}

pub(crate) fn failed(
    interaction: InteractionId,
    plugin: &PluginId,
    failure: &Failure,
    took: Duration,
) -> Result<Told, serde_json::Error> {
    let (reason, retry_after_s, detail) = match failure {
        Failure::Interrupted => (FailureReason::Interrupted, None, None),
        Failure::LookUp(LookUpFailure::Denied(text)) => (FailureReason::Denied, None, Some(text.clone())),
        Failure::LookUp(LookUpFailure::Unavailable(text)) => {
            (FailureReason::Unavailable, None, Some(text.clone()))
        }
        Failure::LookUp(LookUpFailure::Timeout) => (FailureReason::Timeout, None, None),
        Failure::LookUp(LookUpFailure::AuthExpired) => (FailureReason::AuthExpired, None, None),
        Failure::LookUp(LookUpFailure::RateLimited(after)) => (FailureReason::RateLimited, *after, None),
        Failure::LookUp(LookUpFailure::NotSupported) => (FailureReason::NotSupported, None, None),
        Failure::LookUp(LookUpFailure::Broken(text)) => (FailureReason::Broken, None, Some(text.clone())),
    };
    let view = FailureView {
        interaction,
        plugin: plugin.clone(),
        took_ms: millis(took),
        reason,
        retry_after_s,
        detail,
    };
    Ok(Told { kind: FindingKind::Failed, body: serde_json::to_string(&view)?, outcome: reason.as_str() })
}

/// Why there is no answer: the plugin's failure, or that nobody was left to hear it.
pub(crate) enum Failure {
    LookUp(LookUpFailure),
    Interrupted,
}

pub(crate) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn card(card: Card) -> CardView {
    CardView {
        id: card.id,
        name: card.name,
        organization: card.organization,
        phones: card.phones,
        emails: card.emails,
        owner: card.owner,
        url: card.url.filter(|u| is_web(u)),
        deals: card.deals.into_iter().map(deal).collect(),
        extra: card.extra,
    }
}

fn deal(deal: Deal) -> DealView {
    DealView {
        kind: deal.kind,
        id: deal.id,
        title: deal.title,
        stage: deal.stage,
        amount: deal.amount,
        owner: deal.owner,
        url: deal.url.filter(|u| is_web(u)),
    }
}

fn seen(seen: Seen) -> SeenView {
    SeenView { class: seen.class, direction: seen.direction, level: seen.level, count: seen.count }
}

/// A link from a CRM becomes a link in the page: `javascript:` and its like must not.
pub(crate) fn is_web(url: &str) -> bool {
    let lower = url.get(..8.min(url.len())).unwrap_or_default().to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use uuid::Uuid;

    #[rstest]
    #[case::https("https://crm.example/contacts/7", true)]
    #[case::upper("HTTPS://crm.example", true)]
    #[case::http("http://127.0.0.1:7800/contacts/7", true)]
    #[case::script("javascript:alert(1)", false)]
    #[case::data("data:text/html,x", false)]
    #[case::relative("/contacts/7", false)]
    #[case::empty("", false)]
    #[case::not_ascii("hté", false)]
    fn only_web_links_reach_the_page(#[case] url: &str, #[case] ok: bool) {
        assert_eq!(is_web(url), ok);
    }

    #[test]
    fn a_flood_of_cards_is_cut_and_says_so() {
        let cards = (0..25).map(|i| Card { id: i.to_string(), ..Card::default() }).collect();
        let told = found(
            InteractionId(Uuid::nil()),
            &PluginId::new("p").unwrap(),
            &Found { cards, took: Duration::from_millis(7), ..Found::default() },
            None,
        )
        .unwrap();
        let body: serde_json::Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!((body["cards"].as_array().unwrap().len(), body["left_out"].as_u64()), (20, Some(5)));
    }

    #[rstest]
    #[case::denied(LookUpFailure::Denied("contact.email is not granted".into()), r#""reason":"denied","retry_after_s":null,"detail":"contact.email is not granted""#)]
    #[case::rate(
        LookUpFailure::RateLimited(Some(7)),
        r#""reason":"rate-limited","retry_after_s":7,"detail":null"#
    )]
    #[case::timeout(LookUpFailure::Timeout, r#""reason":"timeout""#)]
    #[case::auth(LookUpFailure::AuthExpired, r#""reason":"auth-expired""#)]
    #[case::unsupported(LookUpFailure::NotSupported, r#""reason":"not-supported""#)]
    #[case::down(LookUpFailure::Unavailable("connection refused".into()), r#""reason":"unavailable","retry_after_s":null,"detail":"connection refused""#)]
    #[case::broken(LookUpFailure::Broken("trap".into()), r#""reason":"broken""#)]
    fn a_failure_says_why(#[case] failure: LookUpFailure, #[case] part: &str) {
        let told = failed(
            InteractionId(Uuid::nil()),
            &PluginId::new("p").unwrap(),
            &Failure::LookUp(failure),
            Duration::from_secs(3),
        )
        .unwrap();
        assert_eq!(told.kind, FindingKind::Failed);
        assert!(told.body.contains(part), "{}", told.body);
        assert!(told.body.contains(&format!(r#""reason":"{}""#, told.outcome)));
    }
}
