//! What the CRMs are to be told of an interaction, and when: pure, so that the whole table is tested.
//!
//! A call is told once, when it is over; missed and abandoned ones as such. A conversation is told once for each day,
//! when the day is over: one entry a message would bury the CRM, one entry for all would be written for weeks. What
//! becomes known later (a disposition, notes, a recording that is ready) is told as a change of that entry, if the entry
//! has a place for it: an amendment that changes nothing costs the CRM's patience and a person's attention. The
//! deliveries go into the same transaction as the events that they follow from.
//!
//! A plugin that cannot change what it has written is told no change: each would end as a dead letter that no replay
//! could help.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ramal_store::{
    ContactIdentity, ContactKind, CrmLink, CrmRecord, EndCause, EventRecord, Interaction,
    InteractionDirection, InteractionEvent, InteractionState, InteractionWrite, JournalEntry, JournalOutcome,
    Lane, Message, NewDelivery, PluginId, RecordingState, Step, Target,
};
use uuid::Uuid;

use crate::webhook::Webhooks;

/// The CRM's kind of record that a contact is linked by.
pub(crate) const CONTACT: &str = "contact";

/// How much of an interaction's account a plugin keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalReach {
    /// The first account alone: the plugin cannot change what it has written.
    FirstAccount,
    /// What becomes known later, too.
    LaterChanges,
}

/// What a tenant's CRMs and webhooks are told.
#[derive(Debug, Clone)]
pub struct JournalRules {
    /// The plugins that keep a journal.
    pub plugins: BTreeMap<PluginId, JournalReach>,
    /// The webhooks.
    pub webhooks: Webhooks,
    /// What neither a CRM nor a webhook is told.
    pub do_not_log: DoNotLog,
    /// By which clock a day of a conversation begins.
    pub zone: TimeZone,
}

impl Default for JournalRules {
    fn default() -> Self {
        Self {
            plugins: BTreeMap::new(),
            webhooks: Webhooks::new(),
            do_not_log: DoNotLog::default(),
            zone: TimeZone::UTC,
        }
    }
}

/// What nobody is told: calls with one's doctor, with the bank, between colleagues.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DoNotLog {
    lines: BTreeSet<String>,
    internal: bool,
}

// Whose calls are left out is nobody's business.
impl std::fmt::Debug for DoNotLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DoNotLog")
            .field("lines", &self.lines.len())
            .field("internal", &self.internal)
            .finish()
    }
}

impl DoNotLog {
    /// Leaves out these lines on either side, numbers in E.164 and extensions as they are dialled; and talk between
    /// colleagues if `internal` says so. A number stands for its line: it covers the line's other form too.
    pub fn new(lines: impl IntoIterator<Item = String>, internal: bool) -> Self {
        Self { lines: lines.into_iter().map(|text| line(&text)).collect(), internal }
    }

    /// Whether the interaction is one that nobody is told.
    pub fn covers(&self, interaction: &Interaction) -> bool {
        if self.internal && interaction.direction == InteractionDirection::Internal {
            return true;
        }
        let sides = interaction.from.iter().chain(&interaction.to);
        let names = interaction.contacts.iter().filter(|c| c.kind == ContactKind::Phone).map(|c| c.value());
        !self.lines.is_empty() && sides.chain(names).any(|side| self.lines.contains(&line(side.expose())))
    }
}

/// By what two spellings of one line are compared; an extension is itself.
fn line(text: &str) -> String {
    ContactIdentity::phone(text).map_or_else(|_| text.to_owned(), |number| number.value().expose().to_owned())
}

/// Something to be told, before it is known to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) step: Step,
    /// The day of a conversation that it is about.
    pub(crate) day: Option<Date>,
    /// Only this plugin; `None` is all that keep a journal.
    only: Option<PluginId>,
    /// What a plugin must keep to be told.
    reach: JournalReach,
}

impl Due {
    fn account(step: Step, day: Option<Date>) -> Self {
        Self { step, day, only: None, reach: JournalReach::FirstAccount }
    }

    fn change(day: Option<Date>, seq: u32, only: Option<PluginId>) -> Self {
        Self { step: amend(day, seq), day, only, reach: JournalReach::LaterChanges }
    }

    /// Whether a plugin is told.
    fn concerns(&self, plugin: &PluginId, reach: JournalReach) -> bool {
        let wanted = self.reach == JournalReach::FirstAccount || reach == JournalReach::LaterChanges;
        wanted && self.only.as_ref().is_none_or(|only| only == plugin)
    }
}

/// What follows from the events of a change.
pub(crate) fn due(write: &InteractionWrite, rules: &JournalRules) -> Vec<Due> {
    let after = write.after();
    if rules.plugins.is_empty() || rules.do_not_log.covers(after) {
        return Vec::new();
    }
    // First the accounts that begin: they have every fact of this change already, so none needs an amendment.
    let mut due: Vec<Due> = write.events().iter().filter_map(|record| begins(after, record)).collect();
    for change in late_messages(write) {
        // Of several changes at once one amendment is enough.
        if !due.iter().any(|d| d.day == change.day) {
            due.push(change);
        }
    }
    if !due.iter().any(|d| d.day == after.closed_day) {
        due.extend(late_facts(write, rules));
    }
    due
}

fn begins(after: &Interaction, record: &EventRecord) -> Option<Due> {
    match &record.event {
        InteractionEvent::Ended { .. } if after.channel.is_voice() => {
            Some(Due::account(Step::journal(""), None))
        }
        InteractionEvent::DayClosed { date } => {
            Some(Due::account(Step::journal(&date.to_string()), Some(*date)))
        }
        _ => None,
    }
}

/// Messages of days that are told already.
fn late_messages(write: &InteractionWrite) -> impl Iterator<Item = Due> {
    let closed = write.after().closed_day;
    write.events().iter().filter_map(move |record| match &record.event {
        InteractionEvent::MessageAdded { date, .. } if closed.is_some_and(|closed| *date <= closed) => {
            Some(Due::change(Some(*date), record.seq, None))
        }
        _ => None,
    })
}

/// What was told already and is told differently now: for each plugin, since each knows records of its own.
fn late_facts(write: &InteractionWrite, rules: &JournalRules) -> Vec<Due> {
    let (Some(before), after) = (write.before(), write.after()) else { return Vec::new() };
    let Some(first) = write.events().first() else { return Vec::new() };
    let told = if after.channel.is_voice() {
        before.state == InteractionState::Ended
    } else {
        before.closed_day.is_some()
    };
    if !told {
        return Vec::new();
    }
    let account = |of: &Interaction, plugin: &PluginId| {
        let mut entry = entry(of, None, &[], plugin, &rules.zone);
        if !of.channel.is_voice() {
            // Who wrote last: the next day's fact, until that is told.
            entry.agent = None;
        }
        entry
    };
    let differs = |plugin: &&PluginId| account(before, plugin) != account(after, plugin);
    let plugins = rules.plugins.keys().filter(differs);
    plugins.map(|plugin| Due::change(after.closed_day, first.seq, Some(plugin.clone()))).collect()
}

fn amend(day: Option<Date>, seq: u32) -> Step {
    match day {
        Some(day) => Step(format!("amend:{day}:{seq}")),
        None => Step(format!("amend:{seq}")),
    }
}

/// The deliveries for what is due. `messages` are those of the days in question.
pub(crate) fn deliveries(
    after: &Interaction,
    due: &[Due],
    messages: &[Message],
    rules: &JournalRules,
    now: Timestamp,
) -> Vec<NewDelivery> {
    let mut made = Vec::new();
    for due in due {
        for (plugin, _) in rules.plugins.iter().filter(|(plugin, reach)| due.concerns(plugin, **reach)) {
            let entry = entry(after, due.day, messages, plugin, &rules.zone);
            // Everything in an entry has a form in JSON.
            let Ok(payload) = entry.to_payload() else { continue };
            let target = Target::Plugin(plugin.clone());
            made.push(NewDelivery {
                tenant: after.tenant.clone(),
                lane: lane(after),
                interaction: Some(after.id),
                key: NewDelivery::key(&after.tenant, &target, Some(after.id), &due.step),
                step: due.step.clone(),
                target,
                payload,
                not_before: now,
                at: now,
            });
        }
    }
    made
}

/// What is told of one customer is told in order. The lane says nothing of who that is.
fn lane(interaction: &Interaction) -> Lane {
    // Drawn once for this use.
    const SPACE: Uuid = Uuid::from_u128(0x2b9c_6d0f_84a1_4c55_8a3e_91f0_5d7e_3c12);
    let Some(contact) = interaction.contacts.first() else {
        return Lane(format!("interaction:{}", interaction.id));
    };
    let text = format!(
        "{}\n{}\n{}\n{}",
        interaction.tenant,
        contact.kind,
        contact.namespace.as_str(),
        contact.value().expose()
    );
    Lane(format!("contact:{}", Uuid::new_v5(&SPACE, text.as_bytes())))
}

/// The facts as they are now, for one plugin.
fn entry(
    of: &Interaction,
    day: Option<Date>,
    messages: &[Message],
    plugin: &PluginId,
    zone: &TimeZone,
) -> JournalEntry {
    let of_day: Vec<&Message> =
        messages.iter().filter(|m| day.is_some_and(|day| date(m.at, zone) == day)).collect();
    let (outcome, started, answered, ended) = if of.channel.is_voice() {
        (outcome_of_call(of), of.started_at, of.answered_at, of.ended_at)
    } else {
        let ours = of_day.iter().find(|m| m.direction != InteractionDirection::Inbound);
        let started = of_day.iter().map(|m| m.at).min().unwrap_or(of.started_at);
        (outcome_of_day(of, &of_day), started, ours.map(|m| m.at), of_day.iter().map(|m| m.at).max())
    };
    let mut entry = JournalEntry::new(of.id, of.channel, of.direction, outcome, started);
    entry.day = day;
    entry.answered = answered;
    entry.ended = ended;
    let mine = |link: &&CrmLink| link.plugin == *plugin;
    entry.contact = of.links.iter().filter(mine).find(|l| l.kind == CONTACT).map(|l| l.id.clone());
    entry.about = of.links.iter().filter(mine).find(|l| l.kind != CONTACT).map(|l| CrmRecord {
        kind: l.kind.clone(),
        id: l.id.clone(),
        url: l.url.clone(),
    });
    let other_side = match of.direction {
        InteractionDirection::Inbound => &of.from,
        InteractionDirection::Outbound | InteractionDirection::Internal => &of.to,
    };
    entry.counterpart = other_side.clone().or_else(|| of.contacts.first().map(|c| c.value().clone()));
    entry.agent.clone_from(&of.agent);
    entry.queue.clone_from(&of.queue);
    entry.disposition.clone_from(&of.disposition);
    entry.notes.clone_from(&of.notes);
    entry.transcript = transcript(&of_day, zone);
    let ready = of.recordings.iter().find(|r| r.state == RecordingState::Ready);
    entry.recording = ready.map(|r| r.id.0.to_string());
    entry
}

fn outcome_of_call(call: &Interaction) -> JournalOutcome {
    if call.answered_at.is_some() {
        return JournalOutcome::Answered;
    }
    let outbound = call.direction == InteractionDirection::Outbound;
    match call.cause {
        // That it was answered was never told, but nobody hangs up what nobody took.
        Some(EndCause::Completed | EndCause::Closed | EndCause::Idle) => JournalOutcome::Answered,
        Some(EndCause::Busy) => JournalOutcome::Busy,
        Some(EndCause::Failed) => JournalOutcome::Failed,
        Some(EndCause::Voicemail) => JournalOutcome::Voicemail,
        Some(EndCause::Abandoned) if !outbound => JournalOutcome::Abandoned,
        _ if outbound => JournalOutcome::NoAnswer,
        _ => JournalOutcome::Missed,
    }
}

fn outcome_of_day(of: &Interaction, messages: &[&Message]) -> JournalOutcome {
    let wrote = |who: InteractionDirection| messages.iter().any(|m| m.direction == who);
    let (customer, company) = (wrote(InteractionDirection::Inbound), wrote(InteractionDirection::Outbound));
    match (customer, company) {
        (_, true) if customer || of.direction == InteractionDirection::Inbound => JournalOutcome::Answered,
        (false, true) => JournalOutcome::NoAnswer,
        _ => JournalOutcome::Missed,
    }
}

fn transcript(messages: &[&Message], zone: &TimeZone) -> Option<ramal_store::Clear> {
    if messages.is_empty() {
        return None;
    }
    let line = |message: &&Message| {
        let at = message.at.to_zoned_datetime(zone.clone()).strftime("%H:%M").to_string();
        let arrow = if message.direction == InteractionDirection::Inbound { '<' } else { '>' };
        let text = message.text.as_ref().map(|t| t.expose()).unwrap_or_default();
        let files: String = message.attachments.iter().map(|a| format!("[{}] ", a.media_type)).collect();
        format!("{at} {arrow} {files}{text}")
    };
    Some(messages.iter().map(line).collect::<Vec<_>>().join("\n").into())
}

/// The day of a moment, in the tenant's time zone.
pub(crate) fn date(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned_datetime(zone.clone()).date()
}

#[cfg(test)]
mod tests;
