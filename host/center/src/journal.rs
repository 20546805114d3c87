//! What the CRMs are to be told of an interaction, and when: pure, so that the whole table is tested.
//!
//! A call is told once, when it is over; missed and abandoned ones as such. A conversation is told once for each day,
//! when the day is over: one entry a message would bury the CRM, one entry for all would be written for weeks. What
//! becomes known later (a disposition, notes, a recording that is ready) is told as a change of that entry, if the entry
//! has a place for it: an amendment that changes nothing costs the CRM's patience and a person's attention. The
//! deliveries go into the same transaction as the events that they follow from.
//!
//! A plugin that cannot change what it has written is told no change: each would end as a dead letter that no replay
//! could help. For the same reason one whose entries stand on a record is not told of an interaction that belongs to
//! none, such as a stranger's call: the history keeps that the account is withheld, and when a record is linked it goes
//! out once, with everything that is known by then. The outbox takes a search for the contact instead: the CRM may
//! have been down when the call came, or have the customer since somebody spoke with them.

mod rules;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ramal_store::{
    Actor, Cause, CrmLink, CrmRecord, EndCause, EventRecord, Interaction, InteractionDirection,
    InteractionEvent, InteractionState, InteractionWrite, JournalEntry, JournalOutcome, JournalResult,
    Journaled, Lane, Message, NewDelivery, NewEvent, PluginId, RecordingState, Step, Target,
};
use uuid::Uuid;

pub use rules::{DoNotLog, JournalReach, JournalRules, Keeper};

/// The CRM's kind of record that a contact is linked by.
pub(crate) const CONTACT: &str = "contact";

/// A step of one plugin that follows from a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    plugin: PluginId,
    step: Step,
    /// The day of a conversation that it is about.
    pub(crate) day: Option<Date>,
    fate: Fate,
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Told,
    /// The CRM has nothing on which an entry could stand.
    Withheld,
}

/// What follows from the events of a change.
pub(crate) fn due(write: &InteractionWrite, rules: &JournalRules) -> Vec<Due> {
    if rules.do_not_log.covers(write.after()) {
        return Vec::new();
    }
    rules.plugins.iter().flat_map(|(plugin, keeper)| due_of(write, plugin, keeper, rules)).collect()
}

fn due_of(write: &InteractionWrite, plugin: &PluginId, keeper: &Keeper, rules: &JournalRules) -> Vec<Due> {
    let after = write.after();
    let has_place = keeper.has_place(plugin, after);
    let fate = if has_place { Fate::Told } else { Fate::Withheld };
    let account = |day: Option<Date>| Due { plugin: plugin.clone(), step: account_of(day), day, fate };
    // First the accounts that begin: they have every fact of this change already, so none needs an amendment.
    let mut due: Vec<Due> = write.events().iter().filter_map(|e| begins(after, e)).map(account).collect();
    if !has_place {
        return due;
    }
    if let Some(before) = write.before().filter(|before| !keeper.has_place(plugin, before)) {
        due.extend(withheld(before, plugin).map(account));
    }
    if keeper.reach == JournalReach::FirstAccount {
        return due;
    }
    let change = |(day, seq): (Option<Date>, u32)| Due {
        plugin: plugin.clone(),
        step: amend(day, seq),
        day,
        fate: Fate::Told,
    };
    // Of several changes at once one amendment is enough.
    for late in late_messages(write).chain(late_facts(write, plugin, keeper, rules)) {
        if !due.iter().any(|d| d.day == late.0) {
            due.push(change(late));
        }
    }
    due
}

/// The accounts of these parts of an interaction that a plugin was never told, nor was it said that it is not. The key
/// of a delivery keeps out those that are on their way.
pub(crate) fn missing(
    of: &Interaction,
    plugin: &PluginId,
    parts: &[Option<Date>],
    rules: &JournalRules,
) -> Vec<Due> {
    let Some(keeper) = rules.plugins.get(plugin).filter(|_| !rules.do_not_log.covers(of)) else {
        return Vec::new();
    };
    let fate = if keeper.has_place(plugin, of) { Fate::Told } else { Fate::Withheld };
    let due = parts.iter().map(|day| Due { plugin: plugin.clone(), step: account_of(*day), day: *day, fate });
    let known = |due: &Due| of.journal.iter().any(|told| told.plugin == *plugin && told.step == due.step.0);
    due.filter(|due| !known(due)).collect()
}

fn account_of(day: Option<Date>) -> Step {
    Step::journal(&day.map(|day| day.to_string()).unwrap_or_default())
}

/// The account that an event calls for: that of the whole, or of a day.
fn begins(after: &Interaction, record: &EventRecord) -> Option<Option<Date>> {
    match &record.event {
        InteractionEvent::Ended { .. } if after.channel.is_voice() => Some(None),
        InteractionEvent::DayClosed { date } => Some(Some(*date)),
        _ => None,
    }
}

/// The accounts that found no place so far: of the whole, or of days.
fn withheld(before: &Interaction, plugin: &PluginId) -> impl Iterator<Item = Option<Date>> {
    let mine = |told: &&Journaled| told.plugin == *plugin && told.result == JournalResult::Withheld;
    before.journal.iter().filter(mine).filter_map(|told| {
        let step = Step(told.step.clone());
        if step.part().is_empty() { Some(None) } else { step.part().parse().ok().map(Some) }
    })
}

/// Messages of days that are told already.
fn late_messages(write: &InteractionWrite) -> impl Iterator<Item = (Option<Date>, u32)> {
    let closed = write.after().closed_day;
    write.events().iter().filter_map(move |record| match &record.event {
        InteractionEvent::MessageAdded { date, .. } if closed.is_some_and(|closed| *date <= closed) => {
            Some((Some(*date), record.seq))
        }
        _ => None,
    })
}

/// Whether what was told already is told differently now: for this plugin, since each knows records of its own.
fn late_facts(
    write: &InteractionWrite,
    plugin: &PluginId,
    keeper: &Keeper,
    rules: &JournalRules,
) -> Option<(Option<Date>, u32)> {
    let (before, after, first) = (write.before()?, write.after(), write.events().first()?);
    let told = if after.channel.is_voice() {
        before.state == InteractionState::Ended
    } else {
        before.closed_day.is_some()
    };
    let account = |of: &Interaction| {
        let mut entry = entry(of, None, &[], plugin, keeper, &rules.zone);
        if !of.channel.is_voice() {
            // Who wrote last: the next day's fact, until that is told.
            entry.agent = None;
        }
        entry
    };
    (told && account(before) != account(after)).then_some((after.closed_day, first.seq))
}

fn amend(day: Option<Date>, seq: u32) -> Step {
    match day {
        Some(day) => Step(format!("amend:{day}:{seq}")),
        None => Step(format!("amend:{seq}")),
    }
}

/// What the history keeps of the steps that nobody is told, so that they are told once there is a place for them.
pub(crate) fn kept_back(after: &Interaction, due: &[Due], now: Timestamp) -> Vec<NewEvent> {
    let event = |due: &Due| NewEvent {
        at: now,
        actor: Actor::System,
        cause: Cause::Rule("no-place".to_owned()),
        event: InteractionEvent::Journaled {
            plugin: due.plugin.clone(),
            step: due.step.0.clone(),
            result: JournalResult::Withheld,
            outcome: after.channel.is_voice().then(|| outcome_of_call(after)),
        },
    };
    due.iter().filter(|due| due.fate == Fate::Withheld).map(event).collect()
}

/// The deliveries for what is due. `messages` are those of the days in question.
pub(crate) fn deliveries(
    after: &Interaction,
    due: &[Due],
    messages: &[Message],
    rules: &JournalRules,
    now: Timestamp,
) -> Vec<NewDelivery> {
    let delivery = |due: &Due| {
        let keeper = rules.plugins.get(&due.plugin)?;
        let step = match due.fate {
            Fate::Told => due.step.clone(),
            Fate::Withheld if keeper.could_match(after) => Step::matching(due.step.part()),
            Fate::Withheld => return None,
        };
        let entry = entry(after, due.day, messages, &due.plugin, keeper, &rules.zone);
        let target = Target::Plugin(due.plugin.clone());
        Some(NewDelivery {
            tenant: after.tenant.clone(),
            lane: lane(after),
            interaction: Some(after.id),
            key: NewDelivery::key(&after.tenant, &target, Some(after.id), &step),
            step,
            target,
            // Everything in an entry has a form in JSON.
            payload: entry.to_payload().ok()?,
            not_before: now,
            at: now,
        })
    };
    due.iter().filter_map(delivery).collect()
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
    keeper: &Keeper,
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
    let subject = |link: &&CrmLink| link.kind != CONTACT && keeper.takes(&link.kind);
    entry.about = of.links.iter().filter(mine).find(subject).map(|l| CrmRecord {
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
