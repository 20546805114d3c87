//! A store with a past: calls that are over, written as the store writes them, many in each commit.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use ramal_store::{
    Actor, CallId, Cause, Channel, Clear, ContactIdentity, EndCause, EventId, InteractionDirection,
    InteractionEvent, InteractionId, InteractionWrite, JournalOutcome, JournalResult, NewEvent, Receipt,
    Recorded, SourceId, Started,
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
            let stored = world.store.append(call(number)).await.unwrap();
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
    write
}
