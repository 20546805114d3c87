//! A store with a past: calls and conversations that are over, written as the store writes them, many in each commit.
//! Some of the calls still wait to be told to a CRM that is away, as after a long outage.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ramal_store::{
    Actor, CallId, Cause, Channel, Clear, ContactIdentity, EndCause, EventId, InteractionDirection,
    InteractionEvent, InteractionId, InteractionWrite, JournalEntry, JournalOutcome, JournalResult, Lane,
    Message, MessageId, MessageStatus, NewDelivery, NewEvent, PluginId, Receipt, Recorded, SourceId, Started,
    Step, Target,
};
use uuid::Uuid;

use crate::world::{World, plugin, tenant};

/// Writes that wait at once: as many as the writer commits together.
const AT_ONCE: usize = 256;

pub(crate) async fn fill(world: &World, calls: usize) {
    let next = AtomicUsize::new(0);
    let writers = (0..AT_ONCE).map(|_| async {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= calls {
                return;
            }
            let one = if number % 5 == 4 { conversation(number) } else { call(number) };
            let stored = world.store.append(one).await.unwrap();
            assert!(matches!(stored, Recorded::Stored(_)));
        }
    });
    futures_util::future::join_all(writers).await;
}

/// A call of the past year that a CRM was told of.
fn call(number: usize) -> InteractionWrite {
    let source = SourceId::new("pbx").unwrap();
    let minutes = i64::try_from(number % 500_000).unwrap() + 60;
    let begun = Timestamp::now() - SignedDuration::from_mins(minutes);
    let number_of_caller = format!("+551197{:07}", number % 300_000);
    let reference = format!("stored-{number}");
    let started = Started {
        source: source.clone(),
        reference: Some(CallId::new(&reference).unwrap()),
        channel: Channel::Fixed,
        direction: InteractionDirection::Inbound,
        from: Some(Clear::new(&number_of_caller)),
        to: Some(Clear::new("+551133334444")),
        contacts: vec![ContactIdentity::phone(&number_of_caller).unwrap()],
        queue: Some("sales".to_owned()),
        asked: Vec::new(),
        protocol: None,
    };
    let told = InteractionEvent::Journaled {
        plugin: plugin(),
        step: "journal".to_owned(),
        result: JournalResult::Written,
        outcome: Some(JournalOutcome::Answered),
    };
    let happened = [
        InteractionEvent::Started(Box::new(started)),
        InteractionEvent::Answered { agent: Some(Clear::new("Bruna (invented)")) },
        InteractionEvent::Ended { cause: EndCause::Completed, provider_cause: None },
        told,
    ];
    let event_id = EventId::new(&reference).unwrap();
    let events = happened
        .into_iter()
        .map(|event| NewEvent {
            at: begun,
            actor: Actor::Source(source.clone()),
            cause: Cause::Event(event_id.clone()),
            event,
        })
        .collect();
    let id = InteractionId(Uuid::now_v7());
    let mut write = InteractionWrite::begin(&tenant(), id, events, begun).unwrap();
    write.receipt = Some(Receipt { source, event_id, asked: None });
    if number.is_multiple_of(10) {
        write.outbox.push(untold(id, &number_of_caller, begun));
    }
    write
}

/// The account of a call for a CRM that is not connected.
fn untold(id: InteractionId, customer: &str, at: Timestamp) -> NewDelivery {
    let outcome = JournalOutcome::Answered;
    let mut entry = JournalEntry::new(id, Channel::Fixed, InteractionDirection::Inbound, outcome, at);
    entry.counterpart = Some(Clear::new(customer));
    let (target, step) = (Target::Plugin(PluginId::new("away").unwrap()), Step::journal(""));
    NewDelivery {
        key: NewDelivery::key(&tenant(), &target, Some(id), &step),
        tenant: tenant(),
        target,
        lane: Lane(format!("interaction:{id}")),
        interaction: Some(id),
        step,
        payload: entry.to_payload().unwrap(),
        not_before: at,
        at,
    }
}

/// A day's conversation of the past year, with four messages.
fn conversation(number: usize) -> InteractionWrite {
    let source = SourceId::new("chat").unwrap();
    let minutes = i64::try_from(number % 500_000).unwrap() + 60;
    let begun = Timestamp::now() - SignedDuration::from_mins(minutes);
    let customer = format!("+551197{:07}", number % 300_000);
    let started = Started {
        source: source.clone(),
        reference: None,
        channel: Channel::Whatsapp,
        direction: InteractionDirection::Inbound,
        from: Some(Clear::new(&customer)),
        to: Some(Clear::new("+551133334444")),
        contacts: vec![ContactIdentity::phone(&customer).unwrap()],
        queue: None,
        asked: Vec::new(),
        protocol: None,
    };
    let date = begun.to_zoned_datetime(TimeZone::UTC).date();
    let said = |part: usize| {
        let inbound = part.is_multiple_of(2);
        let message = Message {
            id: MessageId(Uuid::now_v7()),
            reference: EventId::new(&format!("stored-{number}-{part}")).unwrap(),
            direction: if inbound { InteractionDirection::Inbound } else { InteractionDirection::Outbound },
            at: begun,
            text: Some(Clear::new("an invented sentence of some length, as people write them")),
            attachments: Vec::new(),
            agent: (!inbound).then(|| Clear::new("Bruna (invented)")),
            status: MessageStatus::Received,
            provider_cause: None,
            seq: 0,
        };
        InteractionEvent::MessageAdded { message, date }
    };
    let ended = InteractionEvent::Ended { cause: EndCause::Closed, provider_cause: None };
    let happened = std::iter::once(InteractionEvent::Started(Box::new(started)))
        .chain((0..4).map(said))
        .chain([InteractionEvent::DayClosed { date }, ended]);
    let event_id = EventId::new(&format!("stored-{number}")).unwrap();
    let events = happened.map(|event| NewEvent {
        at: begun,
        actor: Actor::Source(source.clone()),
        cause: Cause::Event(event_id.clone()),
        event,
    });
    let id = InteractionId(Uuid::now_v7());
    let mut write = InteractionWrite::begin(&tenant(), id, events.collect(), begun).unwrap();
    write.receipt = Some(Receipt { source, event_id, asked: None });
    write
}
