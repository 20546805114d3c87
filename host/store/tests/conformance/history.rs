//! Over random histories: what is stored is what the events make.

use std::collections::HashMap;

use crate::support::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ramal_store::*;
use rstest::rstest;
use uuid::Uuid;

/// One step of a history, by numbers that a case can shrink.
#[derive(Debug, Clone)]
struct StepOf {
    interaction: usize,
    kind: u8,
    detail: u8,
    /// The provider's clock is not ours.
    second: i64,
}

fn steps() -> impl Strategy<Value = Vec<StepOf>> {
    let step = (0..4_usize, 0..24_u8, 0..4_u8, -50..50_i64)
        .prop_map(|(interaction, kind, detail, second)| StepOf { interaction, kind, detail, second });
    proptest::collection::vec(step, 1..60)
}

fn event(step: &StepOf, count: usize) -> InteractionEvent {
    use InteractionEvent as E;
    let detail = step.detail;
    let recording = RecordingId(Uuid::from_u128(u128::from(detail)));
    let agent = (detail > 0).then(|| Clear::new(format!("agent {detail} (invented)")));
    let leg = call_id(&format!("leg{detail}"));
    let date = at(step.second * 86_400).to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    match step.kind {
        0 => E::Answered { agent },
        1 => E::Ended { cause: EndCause::ALL[usize::from(detail)], provider_cause: Some("16".into()) },
        2 => E::Transferred { agent, queue: Some("support".into()) },
        3 => E::Held {},
        4 => E::Resumed {},
        5 => E::QueueChanged { queue: None },
        6 => E::QueueChanged { queue: Some("support".into()) },
        7 => E::LegOpened { leg, agent, number: None },
        8 => E::LegClosed { leg, provider_cause: None },
        9..=11 => message(
            &format!("m{count}"),
            if detail > 1 { InteractionDirection::Inbound } else { InteractionDirection::Outbound },
            step.second * 3600,
        ),
        12 => E::DayClosed { date },
        13 => E::RecordingStarted { recording },
        14 => E::RecordingPaused { recording },
        15 => E::RecordingResumed { recording },
        16 => E::RecordingReady { recording, duration_ms: 1000, digest: None },
        17 => E::RecordingDeleted { recording },
        18 => E::DispositionSet { disposition: (detail > 1).then(|| "sold".into()) },
        19 => E::NoteSet { notes: agent },
        20 => E::ProtocolGiven { protocol: format!("2026{detail}") },
        21 => E::ContactLinked { contact: bsuid(&format!("BR.{detail}")) },
        22 => E::CrmLinked(CrmLink {
            plugin: plugin("practice"),
            kind: if detail > 1 { "contact".into() } else { "deal".into() },
            id: detail.to_string(),
            url: None,
        }),
        _ => E::Journaled {
            plugin: plugin("practice"),
            step: format!("amend:{detail}"),
            result: JournalResult::Written,
            outcome: Some(JournalOutcome::Missed),
        },
    }
}

async fn play(store: &dyn TestStore, steps: &[StepOf], whose: &TenantId) {
    let mut known: HashMap<usize, Interaction> = HashMap::new();
    for (count, step) in steps.iter().enumerate() {
        let write = match known.get(&step.interaction) {
            None => {
                let voice = step.interaction % 2 == 0;
                let reference = format!("c{}", step.interaction);
                let channel = if voice { Channel::Mobile } else { Channel::Whatsapp };
                let contacts = [bsuid(&format!("BR.begin{}", step.interaction)), phone("+5511987654321")];
                let how = started(channel, voice.then_some(reference.as_str()), &contacts);
                begin(whose.as_str(), how, step.second)
            }
            Some(before) => {
                // Now and then the latest message comes further in the same change.
                let latest = store.messages(whose, before.id, 0, 1000).await.unwrap().pop();
                let mut events = vec![new(event(step, count), step.second)];
                if let Some(message) = latest.as_ref().filter(|_| step.detail == 3) {
                    let status = MessageStatus::ALL[usize::from(step.kind) % 6];
                    let event =
                        InteractionEvent::MessageStatus { message: message.id, status, provider_cause: None };
                    events.push(new(event, step.second));
                }
                let messages = latest.into_iter().filter(|_| step.detail == 3).collect();
                InteractionWrite::change(before, messages, events, at(count as i64)).unwrap()
            }
        };
        known.insert(step.interaction, stored(store, write).await);
    }
    for made in known.values() {
        let history = store.history(whose, made.id, 0, 10_000).await.unwrap();
        assert_eq!(fold(whose, made.id, &history).unwrap().as_ref(), Some(made));
        let kept = store.interaction(whose, made.id).await.unwrap().unwrap();
        assert_eq!(&kept.interaction, made);
        let messages = store.messages(whose, made.id, 0, 10_000).await.unwrap();
        assert_eq!(fold_messages(&history), messages);
        let counted = usize::try_from(made.messages_in + made.messages_out).unwrap();
        assert_eq!(messages.len(), counted);
    }
    let checked = store.check(whose).await.unwrap();
    assert_eq!(checked.interactions, known.len() as u64);
    assert!(checked.is_sound(), "{:?}", checked.mismatches);
}

#[rstest]
#[case::memory(Backend::Memory, 200)]
#[case::sqlite(Backend::Sqlite, 40)]
#[case::postgres(Backend::Postgres, 20)]
fn what_is_stored_is_what_the_events_make(#[case] backend: Backend, #[case] cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let Some(o) = runtime.block_on(open(backend)) else { return };
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    let round = std::cell::Cell::new(0_u32);
    runner
        .run(&steps(), |steps| {
            // A tenant for each case: one database holds them all.
            round.set(round.get() + 1);
            runtime.block_on(play(&*o.store, &steps, &tenant(&format!("t{}", round.get()))));
            Ok(())
        })
        .unwrap();
    runtime.block_on(async { drop(o) });
}

#[rstest]
#[case::begins_in_the_middle(&[2], "event 2: a history begins with `started` and has it once")]
#[case::a_gap(&[1, 3], "event 3 stands where event 2 belongs")]
#[case::twice(&[1, 2, 2], "event 2 stands where event 3 belongs")]
#[case::begins_twice(&[1, 1], "event 1 stands where event 2 belongs")]
fn what_is_no_history_is_named(#[case] numbers: &[u32], #[case] then: &str) {
    let write = ringing("a", "c1", 0, &[]);
    let next = change(write.after(), answered(), 1);
    let events: Vec<EventRecord> = numbers
        .iter()
        .map(|seq| {
            let mut record = if *seq == 1 { write.events()[0].clone() } else { next.events()[0].clone() };
            record.seq = *seq;
            record
        })
        .collect();
    assert_eq!(fold(&tenant("a"), write.id(), &events).unwrap_err().to_string(), then);
}
