//! A customer's number and name go to whoever may see them, and nowhere else.

use std::io;
use std::sync::{Arc, Mutex};

use crate::support::*;
use axum::http::StatusCode;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Any form in which the number or the name may have leaked.
const TRACES: &[&str] = &["98765", "CANARY", "11987", SECRET, TOKEN];

#[test]
fn no_log_line_and_no_metric_holds_a_customers_value() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let metrics = tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let w = ready(Options::default());
            // Good, repeated, contradicting, and wrong in every field, each with the canary in it.
            assert_eq!(send(&w, signed(ringing("e1", "c-5511987654321"))).await.status, StatusCode::ACCEPTED);
            send(&w, signed(ringing("e1", "c-5511987654321"))).await;
            send(&w, signed(ringing("e1", "c-other-CANARY"))).await;
            send(&w, signed(r#"{"event_id":"CANARY","call_id":"98765","type":"answered","agent":"CANARY"}"#))
                .await;
            send(&w, signed(r#"{"event_id":"98765","call_id":"98765","type":"98765","from":98765}"#)).await;
            send(&w, signed("CANARY 98765")).await;
            send(&w, with_token(post("/v1/practice/calls", r#"{"number":"+5511987654321"}"#))).await;
            send(&w, get(&format!("/?token={TOKEN}"))).await;
            send(&w, get("/?token=CANARY")).await;
            send(&w, get("/v1/98765/CANARY")).await;
            send(&w, with_token(get("/v1/calls"))).await;
            send(&w, with_token(get("/v1/route?number=+5511987654321"))).await;
            send(&w, with_token(get("/v1/route?number=98765CANARY"))).await;
            let mut live = SseReader::open(&w, with_token(get("/v1/live?after=0"))).await;
            live.next().await.unwrap();
            settle(&w).await;
            break_store(&w);
            send(&w, with_token(get("/v1/calls"))).await;
            send(&w, get("/metrics")).await.text
        })
    });
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("call event") && log.contains("looked up"), "nothing was captured: {log}");
    for trace in TRACES {
        for (place, text) in [("log", &log), ("metrics", &metrics)] {
            let line = text.lines().find(|line| line.contains(trace));
            assert_eq!(line, None, "`{trace}` is in the {place}");
        }
    }
}
