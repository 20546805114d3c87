//! What a callback about a recording says. The sound stays with the provider; Ramal knows that it is there.

use jiff::Timestamp;
use ramal_center::{CallEvent, CallId, EventId, EventKind, RecordingId, RecordingStep};
use uuid::Uuid;

use super::form::Form;
use crate::{Heard, Reading};

/// Under which a recording's identifier at Twilio becomes one of Ramal's: the same, whoever tells it.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c0a_3f6e_54c1_4c3e_9c0b_2d1f_86a5_e917);

pub(super) fn read(form: &Form, now: Timestamp, reading: &mut Reading) {
    match event(form, now) {
        Ok(event) => reading.heard.push(Heard::Call(event)),
        Err(why) => reading.pass_over(why),
    }
}

fn event(form: &Form, now: Timestamp) -> Result<CallEvent, &'static str> {
    let sid = form.get("RecordingSid").unwrap_or_default();
    let call = form.get("CallSid").ok_or("no-call")?;
    // Without a status it is the old callback, which comes when all is there.
    let status = form.get("RecordingStatus").unwrap_or("completed");
    let step = match status {
        "in-progress" => RecordingStep::Started,
        "paused" => RecordingStep::Paused,
        "resumed" => RecordingStep::Resumed,
        "completed" => {
            let duration_ms = form.count("RecordingDuration").unwrap_or_default().saturating_mul(1000);
            RecordingStep::Ready { duration_ms, digest: None }
        }
        // Nothing was heard, or nothing is left.
        "absent" | "failed" | "deleted" => RecordingStep::Deleted,
        _ => return Err("unknown-status"),
    };
    let at =
        if status == "in-progress" { form.at("RecordingStartTime", now) } else { form.at("Timestamp", now) };
    Ok(CallEvent {
        event_id: EventId::new(&format!("{sid}.{status}")).map_err(|_| "bad-id")?,
        call_id: CallId::new(call).map_err(|_| "bad-id")?,
        kind: EventKind::Recording { recording: RecordingId(Uuid::new_v5(&NAMESPACE, sid.as_bytes())), step },
        at,
    })
}
